"""Sigmas against the recorded numbers of the reference: equal to the bit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scumble_core.sampling.sigmas import exponential, nearest_timestep, training_sigmas

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
