"""Previews put together in one picture of bounded size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.geometry import Box
from scumble.overlay.mosaic import LONGEST_SIDE, Mosaic
from scumble.qt import QtGui
from scumble_bridge.messages import Preview


def tile(x, y, width, height, colour=(200, 30, 60), pixels=(8, 8)):
    return Preview("a" * 32, x, y, width, height, *pixels, bytes(colour) * (pixels[0] * pixels[1]))


def colour(mosaic, x, y):
    """At a share of the picture's width and height: red, green, blue, alpha."""
    image = mosaic.image
    at = QtGui.QColor.fromRgba(image.pixel(int(x * image.width()), int(y * image.height())))
    return at.getRgb()


@given(st.integers(1, 30_000), st.integers(1, 30_000), st.floats(0.25, 8))
def test_its_size_is_bounded_and_keeps_the_proportions(width, height, scale):
    size = Mosaic(Box(0, 0, width, height), scale).image.size()
    assert 1 <= min(size.width(), size.height()) <= max(size.width(), size.height()) <= LONGEST_SIDE
    if min(size.width(), size.height()) > 50:
        assert size.width() / size.height() == pytest.approx(width / height, rel=0.05)


def test_it_is_transparent_until_tiles_come():
    assert colour(Mosaic(Box(0, 0, 100, 100), 2.0), 0.5, 0.5)[3] == 0


def test_a_tile_lies_where_it_lies_in_the_result():
    mosaic = Mosaic(Box(40, 20, 100, 100), 2.0)
    covered = mosaic.add(tile(100, 0, 100, 100))
    assert covered.getRect() == (90, 20, 50, 50)
    assert colour(mosaic, 0.75, 0.25) == (200, 30, 60, 255)
    assert [colour(mosaic, *place)[3] for place in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.75))] == [0, 0, 0]


@given(st.integers(2, 40), st.integers(300, 9000))
def test_between_neighbours_the_document_does_not_show_through(count, side):
    mosaic = Mosaic(Box(0, 0, side, 64), 1.0)
    edges = [round(index * side / count) for index in range(count + 1)]
    for left, right in pairwise(edges):
        mosaic.add(tile(left, 0, right - left, 64))
    row = [mosaic.image.pixel(x, 0) >> 24 for x in range(mosaic.image.width())]
    assert set(row) == {255}


@pytest.mark.parametrize("changes", [{"pixel_width": 9}, {"data": b""}, {"width": 0}, {"pixel_height": 0}])
def test_a_tile_with_too_few_pixels_changes_nothing(changes):
    mosaic = Mosaic(Box(0, 0, 100, 100), 1.0)
    before = mosaic.image.copy()
    broken = Preview(**{**vars(tile(0, 0, 50, 50)), **changes})
    assert mosaic.add(broken) is None
    assert mosaic.image == before


def test_a_tile_beyond_the_picture_is_cut():
    mosaic = Mosaic(Box(0, 0, 100, 100), 1.0)
    mosaic.add(tile(90, 90, 500, 500))
    assert colour(mosaic, 0.95, 0.95)[3] == 255
    assert colour(mosaic, 0.5, 0.5)[3] == 0
