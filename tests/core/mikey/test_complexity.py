"""How complex a tile is said to be, and what follows from it."""

import json
from pathlib import Path

import numpy as np
import pytest

from scumble_core.mikey.complexity import complexity, start_of, start_step

GOLDEN = Path(__file__).parents[2] / "data" / "golden"


@pytest.mark.parametrize("name", ["black", "grey", "noise", "ramp", "gauss", "colour"])
def test_scores_and_the_steps_they_lead_to_are_the_references(name: str) -> None:
    with np.load(GOLDEN / "complexity.npz") as golden:
        score = complexity(golden[f"{name}/image"])
        assert score == pytest.approx(float(golden[f"{name}/complexity"]), abs=1e-12)
        for asked in (10, 15):
            assert start_step(score, asked) == int(golden[f"{name}/start_step_if_{asked}"])


def test_a_simple_tile_overrides_what_was_asked() -> None:
    assert [start_step(score, 12) for score in (6.49, 6.5, 7.99, 8.0)] == [18, 15, 15, 12]


def test_the_first_step_for_a_share_of_noise_is_the_references() -> None:
    rules = json.loads((GOLDEN / "rules.json").read_text())
    for denoise, step in rules["start_step_by_denoise"]:
        assert start_of(denoise, 20) == step
