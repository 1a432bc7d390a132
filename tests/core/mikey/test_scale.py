"""Sizes, crops, the places that nearest-exact takes, and 8-bit truncation."""

import json
import re
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from scumble_core.mikey.scale import latent_crop, sample_places, truncated, upscaled_size
from scumble_core.picture.geometry import Bounds, Extent

GOLDEN = Path(__file__).parents[2] / "data" / "golden"


def test_sizes_are_the_references() -> None:
    for side, by, size in json.loads((GOLDEN / "rules.json").read_text())["upscaled_size"]:
        assert upscaled_size(Extent(side, 64), by).width == size


def test_a_picture_never_shrinks_to_nothing() -> None:
    assert upscaled_size(Extent(64, 1024), 0.1) == Extent(8, 96)


def test_places_are_the_references() -> None:
    with np.load(GOLDEN / "image_scale_maps.npz") as golden:
        for key in golden.files:
            width, height, enlarged, by, axis = re.fullmatch(r"(\d+)x(\d+)_x(\d+)_by([\d.]+)/(\w+)", key).groups()
            picture = Extent(int(width), int(height))
            source = Extent(picture.width * int(enlarged), picture.height * int(enlarged))
            rows, columns = sample_places(source, upscaled_size(picture, float(by)))
            np.testing.assert_array_equal(rows if axis == "rows" else columns, golden[key], err_msg=key)


@given(st.integers(1, 12000), st.integers(1, 12000))
def test_places_are_those_of_torchs_nearest_exact(length: int, count: int) -> None:
    """A square makes a square, without a crop."""
    rows, columns = sample_places(Extent(length, length), Extent(count, count))
    line = torch.arange(length, dtype=torch.float32)[None, None]
    expected = interpolate(line, count, mode="nearest-exact")[0, 0].numpy()
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(columns, expected)


@given(*(st.integers(1, 3000) for _ in range(4)))
def test_places_rise_and_lie_within_the_source(width: int, height: int, new_width: int, new_height: int) -> None:
    rows, columns = sample_places(Extent(2 * width, 2 * height), Extent(2 * new_width, 2 * new_height))
    assert (len(rows), len(columns)) == (2 * new_height, 2 * new_width)
    for places, length in ((rows, 2 * height), (columns, 2 * width)):
        assert (np.diff(places) >= 0).all() and places[0] >= 0 and places[-1] < length


def test_a_picture_is_encoded_from_its_middle() -> None:
    assert latent_crop(Extent(100, 76)) == Bounds(2, 2, 96, 72)
    assert latent_crop(Extent(64, 71)) == Bounds(0, 3, 64, 64)


def test_eight_bits_are_cut_off_as_the_references_are() -> None:
    with np.load(GOLDEN / "complexity.npz") as golden:
        np.testing.assert_array_equal(truncated(golden["tensor2pil_in"]), golden["tensor2pil_out"])
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    np.testing.assert_array_equal(truncated(levels), np.arange(256))
