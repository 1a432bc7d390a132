"""Sigmas against the recorded numbers of the reference: equal to the bit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scumble_core.sampling.sigmas import (
    exponential,
    falling,
    karras,
    nearest_timestep,
    normal,
    start_sigma,
    training_sigmas,
)

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "sigmas.npz"


def test_the_training_table_is_the_references() -> None:
    with np.load(GOLDEN) as golden:
        np.testing.assert_array_equal(training_sigmas().numpy(), golden["sigmas_table"])


@pytest.mark.parametrize("steps", [1, 2, 5, 20, 30, 32])
def test_the_exponential_schedule_and_its_timesteps_are_the_references(steps: int) -> None:
    table = training_sigmas()
    sigmas = exponential(table, steps)
    with np.load(GOLDEN) as golden:
        np.testing.assert_array_equal(sigmas.numpy(), golden[f"exponential_{steps}"])
        timesteps = golden[f"timestep_{steps}"]
    found = nearest_timestep(table, torch.from_numpy(sigmas.numpy()[: len(timesteps)]))
    np.testing.assert_array_equal(found.numpy(), timesteps)


def test_the_karras_and_normal_schedules_meet_the_recorded_levels() -> None:
    """Levels at steps 11, 15 and 18 of 20, as measured on the reference."""
    table = training_sigmas()
    found = karras(float(table[0]), float(table[-1]), 20)[[11, 15, 18]]
    np.testing.assert_allclose(found.numpy(), [0.791, 0.184, 0.049], atol=0.0006)
    np.testing.assert_allclose(normal(table, 20)[[11, 15, 18]].numpy(), [1.246, 0.596, 0.232], atol=0.0006)


def test_strength_is_a_share_of_the_training_steps() -> None:
    table = training_sigmas()
    assert start_sigma(table, 1.0) == pytest.approx(float(table[-1]))
    assert start_sigma(table, 0.25) == pytest.approx(float(table[250]), rel=0.01)
    levels = [start_sigma(table, strength / 20) for strength in range(21)]
    assert levels == sorted(levels)


@pytest.mark.parametrize("highest", [0.01, 0.1, 0.6, 14.0])
def test_a_refinement_falls_from_its_start_to_nothing(highest: float) -> None:
    sigmas = falling(training_sigmas(), highest, 6)
    assert float(sigmas[0]) == pytest.approx(highest) and float(sigmas[-1]) == 0
    assert (sigmas.diff() <= 0).all() and len(sigmas) == 7
