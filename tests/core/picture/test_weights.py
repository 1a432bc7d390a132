"""Weights: they sum to 1 at every place, and cross each overlap without a kink."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.weights import axis_weights, normalised


@st.composite
def tilings(draw):
    """Starts and lengths of tiles, each overlapping the next by at least 1 and ending after all before it."""
    lengths, starts = [draw(st.integers(2, 60))], [0]
    for _ in range(draw(st.integers(0, 6))):
        length = draw(st.integers(2, 60))
        end = starts[-1] + lengths[-1]
        start = draw(st.integers(max(starts[-1] + 1, end - length + 1), end - 1))
        starts.append(start)
        lengths.append(length)
    return starts, lengths


@given(tilings())
def test_they_sum_to_1_at_every_place(tiling):
    total = np.zeros(tiling[0][-1] + tiling[1][-1])
    for start, weight in axis_weights(*tiling).items():
        assert (weight >= 0).all() and weight.dtype == np.float32
        total[start : start + len(weight)] += weight
    assert total == pytest.approx(1, abs=1e-6)


def test_an_overlap_is_crossed_smoothly_and_fairly():
    first, second = axis_weights([0, 40], 64).values()
    assert (first[:40] == 1).all() and (second[24:] == 1).all()
    ramp = second[:24]
    assert ramp == pytest.approx(first[:39:-1], abs=1e-6)
    assert (ramp[:4] == 0).all() and (ramp[20:] == 1).all()  # a tile's own edge does not count
    assert (np.diff(ramp[4:20]) > 0).all()
    assert ramp[4] < 0.01 and np.diff(ramp).max() < 1.6 / 16  # level at both ends, no steeper than a smoothstep


def test_one_tile_counts_fully():
    (weight,) = axis_weights([0], 7).values()
    assert (weight == 1).all()


def test_any_weights_can_be_made_to_sum_to_1():
    weights = normalised({0: np.array([1.0, 2.0, 1.0]), 1: np.array([2.0, 3.0])})
    assert weights[0].tolist() == [1, 0.5, 0.25] and weights[1].tolist() == [0.5, 0.75]
