"""The overlay over a canvas of fake views: Krita's nesting of widgets, with Qt's real events."""

import logging

import pytest
from PyQt6 import QtTest
from tests.krita_plugin.overlay.fake_view import FakeWindow

from scumble.geometry import Box
from scumble.overlay.canvas import CanvasOverlay
from scumble.overlay.grid import Grid
from scumble.overlay.painting import CHOSEN, LIGHT
from scumble.overlay.surface import Surface
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble_bridge.messages import Preview

GREY = 0xFF808080
# Edges at 100 and 200, without overlaps.
GRID = Grid(0, 0, 400, 300, (0.0, 100.0, 200.0, 300.0), (0.0, 100.0, 200.0), 100.0, 100.0)


@pytest.fixture
def window(qapp):
    window = FakeWindow()
    move(qapp, window.button, 5, 5)
    window.open("one")
    qapp.processEvents()
    yield window
    window.main.close()
    window.main.deleteLater()


@pytest.fixture
def overlay(qapp, window, caplog):
    """Also: nothing was raised in a slot or a paint event, all through the test."""
    overlay = CanvasOverlay(lambda: window, window.key)
    yield overlay
    overlay.close()
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def shown(qapp, widget):
    """The widget with all that lies over it."""
    qapp.processEvents()
    return widget.grab().toImage()


def colour(image, x, y):
    return QtGui.QColor(image.pixel(x, y))


def surfaces(window):
    return [each for each in window.main.findChildren(Surface) if each.isVisible()]


def tile(x=0, y=0, width=100, height=100):
    return Preview("a" * 32, x, y, width, height, 4, 4, bytes((200, 30, 60)) * 16)


def move(qapp, canvas, x, y):
    QtTest.QTest.mouseMove(canvas, QtCore.QPoint(x, y))
    qapp.processEvents()


def test_the_grid_lies_over_the_canvas_and_goes_again(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    assert colour(shown(qapp, window.canvas), 100, 50) == LIGHT
    overlay.show_grid("one", None)
    assert shown(qapp, window.canvas).pixel(100, 50) == GREY
    assert surfaces(window) == []


def test_it_follows_the_scroll_bars_at_once(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    window.controllers["one"].horizontalScrollBar().setValue(-37)
    image = shown(qapp, window.canvas)
    assert colour(image, 137, 50) == LIGHT
    assert colour(image, 100, 50) != LIGHT


def test_it_follows_zoom_rotation_and_mirror_without_a_signal(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    shown(qapp, window.canvas)
    window.activeView().zoom = 0.5
    QtTest.QTest.qWait(150)
    assert colour(shown(qapp, window.canvas), 50, 30) == LIGHT
    window.activeView().mirrored = True
    window.canvas.update()  # as Krita does then
    qapp.processEvents()
    assert colour(shown(qapp, window.canvas), 150, 30) == LIGHT


def test_it_grows_with_the_canvas(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    window.main.resize(900, 700)
    qapp.processEvents()
    assert surfaces(window)[0].geometry() == window.canvas.rect()


def test_it_is_seen_over_its_own_document_alone(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    window.open("two")
    assert shown(qapp, window.canvas).pixel(100, 50) == GREY
    assert surfaces(window) == []
    window.activate("one")
    assert colour(shown(qapp, window.canvas), 100, 50) == LIGHT


def test_it_survives_another_canvas_widget_in_the_same_view(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    window.controllers["one"].replace_canvas()
    QtTest.QTest.qWait(10)
    assert colour(shown(qapp, window.canvas), 100, 50) == LIGHT


def test_it_takes_no_click_no_focus_and_no_pointer(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    qapp.processEvents()
    window.canvas.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
    at = window.canvas.mapTo(window.main, QtCore.QPoint(100, 50))
    assert window.main.childAt(at) is window.canvas
    QtTest.QTest.mouseClick(window.main.windowHandle(), QtCore.Qt.MouseButton.LeftButton, pos=at)
    assert len(window.canvas.pressed) == 1
    assert surfaces(window)[0].focusPolicy() == QtCore.Qt.FocusPolicy.NoFocus


def test_previews_fill_in_tile_by_tile(qapp, window, overlay):
    overlay.begin_previews("one", Box(10, 10, 200, 200), 2.0)
    assert shown(qapp, window.canvas).pixel(30, 30) == GREY
    overlay.add_preview(tile())
    image = shown(qapp, window.canvas)
    assert colour(image, 30, 30).getRgb() == (200, 30, 60, 255)
    assert image.pixel(80, 30) == GREY
    overlay.add_preview(tile(x=100))
    assert colour(shown(qapp, window.canvas), 80, 30).getRgb() == (200, 30, 60, 255)


def test_a_new_run_begins_without_the_last_ones_previews(qapp, window, overlay):
    overlay.begin_previews("one", Box(0, 0, 200, 200), 1.0)
    overlay.add_preview(tile())
    overlay.begin_previews("one", Box(0, 0, 200, 200), 1.0)
    assert shown(qapp, window.canvas).pixel(30, 30) == GREY


def test_previews_go_and_the_grid_stays(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    overlay.begin_previews("one", Box(0, 0, 200, 200), 1.0)
    overlay.add_preview(tile())
    overlay.end_previews()
    image = shown(qapp, window.canvas)
    assert image.pixel(30, 30) == GREY
    assert colour(image, 100, 50) == LIGHT


def test_the_tile_under_the_pointer_has_a_frame(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    move(qapp, window.canvas, 150, 50)
    QtTest.QTest.qWait(80)
    assert overlay.tile() == 1
    assert colour(shown(qapp, window.canvas), 200, 50) == CHOSEN
    move(qapp, window.canvas, 50, 250)
    QtTest.QTest.qWait(80)
    assert overlay.tile() == 8
    assert colour(shown(qapp, window.canvas), 200, 50) == LIGHT


def test_the_pointers_last_place_stays_when_it_leaves_for_a_docker_and_the_view_moves(qapp, window, overlay):
    assert overlay.cursor() is None
    window.activeView().zoom = 2.0
    move(qapp, window.canvas, 151, 50)
    assert overlay.cursor() == (75, 25)
    move(qapp, window.button, 5, 5)
    window.activeView().zoom = 1.0
    assert overlay.cursor() == (75, 25)


def test_while_the_pointer_rests_on_the_canvas_its_place_follows_the_view(qapp, window, overlay):
    move(qapp, window.canvas, 151, 50)
    window.activeView().zoom = 2.0
    assert overlay.cursor() == (75, 25)


def test_a_place_over_one_document_is_none_over_another(qapp, window, overlay):
    move(qapp, window.canvas, 151, 50)
    move(qapp, window.button, 5, 5)
    window.open("two")
    qapp.processEvents()
    assert overlay.cursor() is None
    window.activate("one")
    qapp.processEvents()
    assert overlay.cursor() == (151, 50)


def test_closing_the_view_takes_the_overlay_along(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    qapp.processEvents()
    window.close("one")
    QtTest.QTest.qWait(150)
    assert surfaces(window) == []
    assert overlay.cursor() is None
    overlay.add_preview(tile())
    overlay.clear()


def test_closing_the_window_is_safe(qapp, window, overlay):
    other = FakeWindow()
    other.open("three")
    qapp.processEvents()
    second = CanvasOverlay(lambda: other, lambda: "three")
    second.show_grid("three", GRID)
    qapp.processEvents()
    other.main.deleteLater()
    QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    QtTest.QTest.qWait(150)
    second.show_grid("three", GRID)
    second.clear()
    second.close()


def test_after_close_nothing_is_left_and_nothing_comes_back(qapp, window, overlay):
    overlay.show_grid("one", GRID)
    qapp.processEvents()
    overlay.close()
    overlay.show_grid("one", GRID)
    overlay.begin_previews("one", Box(0, 0, 200, 200), 1.0)
    overlay.add_preview(tile())
    overlay.close()
    QtTest.QTest.qWait(150)
    QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    assert window.main.findChildren(Surface) == []
    assert shown(qapp, window.canvas).pixel(100, 50) == GREY


def test_without_a_window_nothing_happens(qapp, caplog):
    overlay = CanvasOverlay(lambda: None, lambda: "")
    overlay.show_grid("one", GRID)
    overlay.follow()
    assert overlay.cursor() is None
    assert overlay.tile() is None
    overlay.close()
    assert caplog.records == []


def test_a_view_that_knows_its_own_transform_is_believed(qapp, window, overlay):
    """As Krita has it since its views tell: from the view's inner pixels to the picture's and to the widget's."""
    view = window.activeView()
    view.flakeToImageTransform = lambda: QtGui.QTransform.fromScale(2, 2)
    view.flakeToCanvasTransform = lambda: QtGui.QTransform.fromTranslate(17, 0)
    overlay.show_grid("one", GRID)
    assert colour(shown(qapp, window.canvas), 17 + 50, 30) == LIGHT


def test_an_exception_of_the_host_stays_inside(qapp, window, caplog):
    def fails():
        raise ValueError("no key today")

    overlay = CanvasOverlay(lambda: window, fails)
    overlay.show_grid("one", GRID)
    qapp.processEvents()
    overlay.close()
    assert "not foreseen" in caplog.text
