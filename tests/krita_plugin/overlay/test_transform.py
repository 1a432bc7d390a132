"""Where document pixels lie on the canvas, for any zoom, pan, rotation and mirror."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.overlay.transform import RESERVE, CanvasState, document_pixel, document_to_widget, scroll_reserve
from scumble.qt import QtCore

states = st.builds(
    CanvasState,
    width=st.integers(1, 30_000),
    height=st.integers(1, 30_000),
    zoom=st.floats(0.01, 1000),
    x_resolution=st.floats(1, 1200),
    y_resolution=st.floats(1, 1200),
    rotation=st.floats(-360, 360),
    mirrored=st.booleans(),
    scroll_x=st.integers(-100_000, 100_000),
    scroll_y=st.integers(-100_000, 100_000),
    widget_width=st.integers(1, 8000),
    widget_height=st.integers(1, 8000),
)


def upright(**changes):
    """800 x 600 pixels at 300 an inch, one widget pixel each, its corner at the widget's."""
    state = CanvasState(800, 600, 300 / 72, 300.0, 300.0, 0.0, False, 0, 0, 1246, 864)
    return replace(state, **changes)


def placed(x, y, **changes):
    point = document_to_widget(upright(**changes)).map(QtCore.QPointF(x, y))
    return point.x(), point.y()


@given(states, st.floats(0, 1), st.floats(0, 1))
def test_the_middle_of_every_document_pixel_leads_back_to_that_pixel(state, across, down):
    x, y = min(state.width - 1, int(across * state.width)), min(state.height - 1, int(down * state.height))
    transform = document_to_widget(state)
    assert document_pixel(transform, transform.map(QtCore.QPointF(x + 0.5, y + 0.5))) == (x, y)


@given(states)
def test_the_scroll_bars_tell_where_the_corner_of_the_pictures_bounding_box_is(state):
    bounds = document_to_widget(state).mapRect(QtCore.QRectF(0, 0, state.width, state.height))
    assert bounds.x() == pytest.approx(-state.scroll_x, abs=1e-3)
    assert bounds.y() == pytest.approx(-state.scroll_y, abs=1e-3)


@given(states, st.integers(-500, 500), st.integers(-500, 500))
def test_scrolling_shifts_the_picture_the_other_way(state, dx, dy):
    moved = CanvasState(**{**vars(state), "scroll_x": state.scroll_x + dx, "scroll_y": state.scroll_y + dy})
    before, after = (
        document_to_widget(state).map(QtCore.QPointF(3, 5)),
        document_to_widget(moved).map(QtCore.QPointF(3, 5)),
    )
    assert after.x() - before.x() == pytest.approx(-dx, abs=1e-3)
    assert after.y() - before.y() == pytest.approx(-dy, abs=1e-3)


@given(states)
def test_a_document_pixel_has_the_size_that_zoom_and_resolution_say(state):
    transform = document_to_widget(state)
    across, down = transform.map(QtCore.QLineF(0, 0, 1, 0)), transform.map(QtCore.QLineF(0, 0, 0, 1))
    assert across.length() == pytest.approx(state.zoom * 72 / state.x_resolution, rel=1e-3, abs=1e-9)
    assert down.length() == pytest.approx(state.zoom * 72 / state.y_resolution, rel=1e-3, abs=1e-9)


def test_at_full_size_a_document_pixel_is_a_widget_pixel():
    assert placed(100, 80, scroll_x=-223, scroll_y=-388) == pytest.approx((323, 468))


def test_a_mirrored_picture_begins_at_the_right():
    assert placed(0, 0, mirrored=True) == pytest.approx((800, 0))
    assert placed(800, 600, mirrored=True) == pytest.approx((0, 600))


def test_a_quarter_turn_leads_the_top_edge_to_the_right():
    assert placed(0, 0, rotation=90.0) == pytest.approx((600, 0))
    assert placed(800, 0, rotation=90.0) == pytest.approx((600, 800))


def test_the_picture_is_mirrored_before_it_is_turned():
    root = math.sqrt(0.5)
    corner = placed(0, 0, mirrored=True, rotation=45.0)
    beside = placed(10, 0, mirrored=True, rotation=45.0)
    assert (beside[0] - corner[0], beside[1] - corner[1]) == pytest.approx((-10 * root, -10 * root))


def test_where_nothing_can_be_scrolled_the_picture_is_in_the_middle():
    assert placed(400, 300, reserve=0.0) == pytest.approx((623, 432))


@pytest.mark.parametrize("changes", [{"width": 0}, {"height": 0}, {"x_resolution": 0.0}, {"zoom": 0.0}])
def test_a_closed_or_broken_document_lies_nowhere(changes):
    assert document_to_widget(upright(**changes)) is None


@pytest.mark.parametrize(
    ("said", "reserve"),
    [("0.1", 0.1), ("0", 0.0), ("1", 1.0), ("", RESERVE), ("0,5", RESERVE), ("nan", RESERVE), ("7", RESERVE)],
)
def test_a_setting_of_no_use_leaves_kritas_own_reserve(said, reserve):
    assert scroll_reserve(said) == reserve
