"""Anchored noise: the same at a place, whatever box it is seen through."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.noise import anchored_noise, philox4x32

seeds = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # the known answers published with Random123
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_the_generator_is_philox(counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]) -> None:
    c0, c1, c2, c3 = (np.array([word], dtype=np.uint32) for word in counter)
    assert tuple(int(word[0]) for word in philox4x32((c0, c1, c2, c3), key)) == expected


@settings(deadline=None)
@given(seeds, st.integers(0, 200), st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9))
def test_a_box_sees_the_noise_of_any_larger_box(seed: int, draw: int, x: int, y: int, channels: int) -> None:
    inner, outer = Bounds(x, y, 7, 5), Bounds(-60, -60, 130, 130)
    seen = anchored_noise(seed, draw, channels, outer)[:, y + 60 : y + 65, x + 60 : x + 67]
    np.testing.assert_array_equal(anchored_noise(seed, draw, channels, inner), seen)


@settings(deadline=None)
@given(seeds, seeds)
def test_seeds_draws_and_channels_are_independent(seed: int, other: int) -> None:
    box = Bounds(0, 0, 64, 64)
    first = anchored_noise(seed, 0, 8, box)
    rows = np.concatenate([first, anchored_noise(seed, 1, 8, box)]).reshape(16, -1)
    if other != seed:
        rows = np.concatenate([rows, anchored_noise(other, 0, 8, box).reshape(8, -1)])
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 6 / 64  # six standard deviations of 4,096 samples


def test_it_is_standard_normal() -> None:
    noise = anchored_noise(7, 3, 48, Bounds(-100, 12, 128, 128)).astype(np.float64)
    assert abs(noise.mean()) < 0.005 and abs(noise.std() - 1) < 0.005
    assert abs((noise**3).mean()) < 0.02 and abs((noise**4).mean() - 3) < 0.05
    neighbours = np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.006


@pytest.mark.parametrize(
    ("seed", "draw", "channels", "bounds", "digest"),
    [  # recorded once: a seed means the same picture for ever
        (123456789012345678, 3, 4, Bounds(-70, 50, 128, 128), "7b383791eda48326"),
        (2**64 - 1, 199, 7, Bounds(2**31 - 40, -30, 300, 70), "51bfec5f0cf22981"),
        (0, 0, 48, Bounds(5, -900, 1, 1000), "297bb2ac7dc1092e"),
    ],
)
def test_a_seeds_noise_never_changes(seed: int, draw: int, channels: int, bounds: Bounds, digest: str) -> None:
    noise = anchored_noise(seed, draw, channels, bounds)
    assert noise.shape == (channels, bounds.height, bounds.width) and noise.dtype == np.float32
    assert hashlib.sha256(noise.astype("<f4").tobytes()).hexdigest()[:16] == digest
