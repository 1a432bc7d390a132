"""Scumble's own noise levels: where a refinement starts, and how it falls."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.sampling.levels import falling, start_level, table_below, training_levels
from scumble_core.sampling.names import SAMPLER_NAMES
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.sigmas import training_sigmas


def test_the_table_is_that_of_the_samplers() -> None:
    np.testing.assert_allclose(training_levels(), training_sigmas().numpy(), rtol=1e-6)


def test_strength_is_a_share_of_the_training_steps() -> None:
    table = training_levels()
    assert start_level(table, 1.0) == pytest.approx(table[-1])
    assert start_level(table, 0.25) == pytest.approx(table[250], rel=0.01)
    assert start_level(table, 0.25) == pytest.approx(0.695, abs=0.001)
    levels = [start_level(table, strength / 20) for strength in range(21)]
    assert levels == sorted(levels)


@pytest.mark.parametrize("highest", [0.01, 0.1, 0.6, 14.0])
@pytest.mark.parametrize("steps", [1, 6])
def test_a_refinement_falls_from_its_start_to_nothing(highest: float, steps: int) -> None:
    sigmas = falling(training_levels(), highest, steps)
    assert sigmas[0] == pytest.approx(highest) and sigmas[-1] == 0
    assert (np.diff(sigmas) <= 0).all() and len(sigmas) == steps + 1


@pytest.mark.parametrize("name", SAMPLER_NAMES)
@pytest.mark.parametrize("strength", [1e-12, 1e-6, 0.001, 0.01])
def test_no_sampler_stumbles_over_the_least_of_strengths(name: str, strength: float) -> None:
    """Levels that hardly differ once made multistep samplers divide by nothing."""
    sigmas = falling(training_levels(), start_level(training_levels(), strength), 6)
    x = torch.ones(1, 1, 2, 2)
    out = SAMPLERS[name](lambda x, sigma: x / (1 + sigma**2), x, torch.tensor(sigmas), lambda _a, _b: x)
    assert torch.isfinite(out).all()


@given(st.floats(0.01, 14.6))
def test_a_table_below_a_level_falls_from_there(highest: float) -> None:
    table = training_levels()
    below = table_below(table, highest)
    assert len(below) == len(table) and below[-1] == pytest.approx(max(highest, table[0]))
    assert (np.diff(below) > 0).all() and below[0] <= min(table[0], highest / 2) * 1.0001
