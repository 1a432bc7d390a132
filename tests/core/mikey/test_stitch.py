"""Painting feathered tiles over each other: the recorded results, streamed in bands."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.mikey.stitch import Stitcher
from scumble_core.mikey.tiles import work_boxes
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Floats

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "stitch_images.npz"


class Bands:
    """A sink that keeps what it is given, and sees that bands follow each other."""

    def __init__(self) -> None:
        self.pixels: list[Floats] = []
        self.tallest = 0
        self._next = 0

    def __call__(self, bounds: Bounds, pixels: Floats) -> None:
        assert bounds.y == self._next and bounds.height == len(pixels) > 0
        self._next = bounds.bottom
        self.tallest = max(self.tallest, bounds.height)
        self.pixels.append(pixels.copy())

    def whole(self) -> Floats:
        return np.concatenate(self.pixels)


@pytest.mark.parametrize("name", ["two_wide", "grid2x2", "split130x100"])
def test_stitched_tiles_are_the_references_to_the_bit(name: str) -> None:
    with np.load(GOLDEN) as golden:
        boxes, tiles, out = (golden[f"{name}/{item}"] for item in ("boxes", "tiles_u8", "out"))
    bands = Bands()
    stitcher = Stitcher(out.shape[2], bands)
    for (x, y, _right, _bottom), tile in zip(boxes.tolist(), tiles, strict=True):
        stitcher.add(x, y, tile.astype(np.float32) / np.float32(255))
    stitcher.finish()
    np.testing.assert_array_equal(bands.whole(), out[0])
    assert bands.tallest <= tiles.shape[1]


@given(st.integers(8, 700), st.integers(8, 700), st.sampled_from([16, 64, 100]))
def test_tiles_of_one_picture_give_it_back_whatever_its_size(width: int, height: int, tile: int) -> None:
    """Also where the reference crashes, or blends with black because tiles overlap by less than the feather."""
    picture = np.random.default_rng(1).random((height, width, 3), np.float32)
    bands = Bands()
    stitcher = Stitcher(width, bands)
    for box in work_boxes(Extent(width, height), tile):
        stitcher.add(box.x, box.y, picture[box.slices])
    stitcher.finish()
    np.testing.assert_allclose(bands.whole(), picture, atol=1e-6)
    assert bands.tallest <= tile


def test_where_the_overlap_is_narrower_than_the_feather_the_fade_is_as_narrow() -> None:
    bands = Bands()
    stitcher = Stitcher(62, bands, channels=1)
    stitcher.add(0, 0, np.zeros((32, 32, 1), np.float32))
    stitcher.add(30, 0, np.ones((32, 32, 1), np.float32))
    stitcher.finish()
    np.testing.assert_allclose(bands.whole()[5, 28:34, 0], [0, 0, 0.5, 1, 1, 1])


def test_tiles_that_only_touch_are_laid_side_by_side() -> None:
    bands = Bands()
    stitcher = Stitcher(16, bands, channels=1)
    for y in (0, 8):
        for x in (0, 8):
            stitcher.add(x, y, np.full((8, 8, 1), x + y, np.float32))
    stitcher.finish()
    assert np.unique(bands.whole()).tolist() == [0, 8, 16]
    assert (bands.whole()[8:, 8:] == 16).all()


def test_a_row_above_the_last_one_is_refused() -> None:
    stitcher = Stitcher(8, Bands())
    stitcher.add(0, 8, np.zeros((8, 8, 3), np.float32))
    with pytest.raises(ValueError, match="can't follow"):
        stitcher.add(0, 0, np.zeros((8, 8, 3), np.float32))
