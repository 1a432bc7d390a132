"""Tables of sigmas, and where a refinement starts in them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scumble_core.sampling.sigmas import falling, sigmas_of, start_sigma, training_sigmas

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "sigmas.npz"


def test_the_training_table_is_the_references() -> None:
    with np.load(GOLDEN) as golden:
        np.testing.assert_array_equal(training_sigmas().numpy(), golden["sigmas_table"])


def test_a_table_that_ends_without_signal_stays_finite_and_rises() -> None:
    table = training_sigmas(zero_snr=True)
    assert torch.isfinite(table).all() and (table.diff() > 0).all()
    assert float(table[-1]) == pytest.approx(4518.7, abs=1)
    # Lin et al. keep the lowest level where it was.
    assert float(table[0]) == pytest.approx(float(training_sigmas()[0]), rel=1e-5)
    assert torch.isfinite(sigmas_of(torch.tensor([0.9, 0.0], dtype=torch.float64))).all()


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
