"""Scumble's own noise levels: where a refinement starts, and how it falls."""

import numpy as np
import pytest

from scumble_core.sampling.levels import falling, start_level, training_levels
from scumble_core.sampling.sigmas import training_sigmas


def test_the_table_is_that_of_the_samplers() -> None:
    np.testing.assert_allclose(training_levels(), training_sigmas().numpy(), rtol=1e-6)


def test_strength_is_a_share_of_the_training_steps() -> None:
    table = training_levels()
    assert start_level(table, 1.0) == pytest.approx(table[-1])
    assert start_level(table, 0.25) == pytest.approx(table[250], rel=0.01)
    levels = [start_level(table, strength / 20) for strength in range(21)]
    assert levels == sorted(levels)


@pytest.mark.parametrize("highest", [0.01, 0.1, 0.6, 14.0])
@pytest.mark.parametrize("steps", [1, 6])
def test_a_refinement_falls_from_its_start_to_nothing(highest: float, steps: int) -> None:
    sigmas = falling(training_levels(), highest, steps)
    assert sigmas[0] == pytest.approx(highest) and sigmas[-1] == 0
    assert (np.diff(sigmas) <= 0).all() and len(sigmas) == steps + 1
