"""Tables of sigmas."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scumble_core.sampling.sigmas import sigmas_of, training_sigmas

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
