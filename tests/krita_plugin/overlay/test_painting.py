"""What is drawn, pixel by pixel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.geometry import Box
from scumble.overlay.grid import Grid
from scumble.overlay.mosaic import Mosaic
from scumble.overlay.painting import CHOSEN, LIGHT, paint_grid, paint_previews, paint_tile
from scumble.qt import QtCore, QtGui

GRID = Grid(0, 0, 184, 100, (0.0, 84.0), (0.0,), 100.0, 100.0)


def drawn(paint, background=0xFF808080, size=(400, 300)):
    image = QtGui.QImage(*size, QtGui.QImage.Format.Format_RGB32)
    image.fill(background)
    painter = QtGui.QPainter(image)
    paint(painter, QtCore.QRectF(image.rect()))
    painter.end()
    return image


def grid_at(transform, grid=GRID, **given):
    return drawn(lambda painter, exposed: paint_grid(painter, transform, grid, exposed), **given)


def is_light(image, x, y):
    return QtGui.QColor(image.pixel(x, y)) == LIGHT


@pytest.mark.parametrize("background", [0xFF000000, 0xFFFFFFFF, 0xFF808080])
def test_lines_are_seen_on_every_background(qapp, background):
    image = grid_at(QtGui.QTransform.fromTranslate(30, 40), background=background)
    seen = [image.pixel(x, 90) for x in (114, 115)]  # the second tile's left edge
    assert any(abs((pixel & 255) - (background & 255)) > 100 for pixel in seen)


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([0.5, 1.0, 2.0]))
def test_every_edge_of_a_tile_lies_on_its_own_pixel(qapp, x, y, zoom):
    image = grid_at(QtGui.QTransform(zoom, 0, 0, zoom, x, y))
    middle = y + int(50 * zoom)
    for edge in (0, 84, 100, 184):
        at = x + int(edge * zoom)
        if 0 <= at < image.width() - 1 and 0 <= middle < image.height():
            assert is_light(image, at, middle)
            assert not is_light(image, at + 1, middle)


def test_overlaps_are_shaded_faintly_and_the_rest_is_not(qapp):
    image = grid_at(QtGui.QTransform.fromTranslate(30, 40))
    inside, overlap = QtGui.QColor(image.pixel(80, 90)), QtGui.QColor(image.pixel(122, 90))
    assert inside.getRgb() == (128, 128, 128, 255)
    assert 10 < overlap.blue() - inside.blue() < 40


def test_nothing_is_drawn_beside_the_grid(qapp):
    image = grid_at(QtGui.QTransform.fromTranslate(30, 40))
    assert {image.pixel(x, y) for x in range(400) for y in (10, 38, 143, 299)} == {0xFF808080}


def test_tiles_too_small_to_tell_apart_are_drawn_as_one_outline(qapp):
    many = tuple(float(index * 4) for index in range(50))
    image = grid_at(QtGui.QTransform(), Grid(0, 0, 200, 200, many, many, 4.0, 4.0))
    assert not any(is_light(image, x, 100) for x in range(1, 200))
    assert is_light(image, 200, 100)


def test_the_frame_of_a_turned_tile_goes_through_its_corners(qapp):
    turned = QtGui.QTransform().translate(200, 50).rotate(30)
    image = drawn(lambda painter, _: paint_tile(painter, turned, GRID.box(0)))
    for corner in ((0, 0), (100, 0), (100, 100), (0, 100)):
        at = turned.map(QtCore.QPointF(*corner)).toPoint()
        near = [image.pixelColor(at.x() + dx, at.y() + dy) for dx in range(-2, 3) for dy in range(-2, 3)]
        assert CHOSEN in near


def test_previews_lie_on_their_part_of_the_document_and_leave_the_rest(qapp):
    mosaic = Mosaic(Box(50, 40, 100, 80), 2.0)
    mosaic.image.fill(0xFFC81E3C)
    image = drawn(lambda painter, _: paint_previews(painter, QtGui.QTransform(2, 0, 0, 2, 0, 0), mosaic))
    assert image.pixel(102, 82) == image.pixel(297, 237) == 0xFFC81E3C
    assert image.pixel(97, 82) == image.pixel(302, 237) == 0xFF808080


def test_a_transform_without_a_way_back_draws_nothing(qapp):
    flat = QtGui.QTransform(0, 0, 0, 0, 10, 10)
    image = grid_at(flat)
    assert image == drawn(lambda painter, _: None)
