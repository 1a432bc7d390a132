"""How far down a walk tiles are steered, and with which pixels."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.models.interface import Conditioning
from scumble_core.stages.steering import Steering, steered_until

SIGMAS = (8.0, 4.0, 2.0, 1.0, 0.5, 0.0)


@pytest.mark.parametrize(("end", "steps"), [(0.0, 0), (0.2, 1), (0.5, 3), (0.75, 4), (1.0, 5)])
def test_the_share_of_a_walk_counts_its_steps_in_log_sigma(end, steps):
    until = steered_until(SIGMAS, end)
    assert sum(sigma >= until for sigma in SIGMAS[:-1]) == steps


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_steers_further(one, other):
    assert steered_until(SIGMAS, max(one, other)) <= steered_until(SIGMAS, min(one, other))


def test_a_walk_of_one_step_is_steered_wholly_or_not():
    assert steered_until((3.0, 0.0), 0.5) <= 3.0
    assert steered_until((3.0, 0.0), 0.0) == math.inf


class _Words(Conditioning):
    """Remembers what it is steered by."""

    def __init__(self, control=None):
        self.control = control

    def steered(self, control):
        return _Words(control)


class _Net:
    def control(self, pixels, strength):
        return pixels, strength


def test_only_above_the_sigma_it_is_told_the_tiles_own_pixels_and_the_strength():
    told = []

    def denoise(x, sigma, conditioning):
        told.append((sigma, conditioning.control))
        return x

    pixels = torch.rand(2, 3, 8, 8)
    steered = Steering(_Net(), 0.7, until=2.0).of(denoise, pixels)
    for sigma in (4.0, 2.0, 1.0):
        steered(torch.zeros(2, 4, 1, 1), sigma, _Words())
    assert told == [(4.0, (pixels, 0.7)), (2.0, (pixels, 0.7)), (1.0, None)]
