"""What is drawn over the real Krita's canvas: seen in screenshots, and not there for the document."""

from __future__ import annotations

import re
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tests.krita.session import KritaSession

from scumble_core.krita.package import build_zip

pytestmark = pytest.mark.krita

SHOTS = Path(__file__).parents[2] / "build" / "overlay"

# A document of nine blocks in colours of their own, 800 x 600 at 300 an inch, and an overlay of our own over it, whose
# tiles end where the blocks do. The document's name is its key.
OPEN = """
from PyQt5.QtCore import QByteArray
for d in K.documents():
    d.setModified(False); d.close()
def open_blocks(name):
    d = K.createDocument(800, 600, name, 'RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc', 300.0)
    d.setName(name)
    n = d.topLevelNodes()[0]
    for column, (x, w) in enumerate(((0, 300), (300, 200), (500, 300))):
        for row, (y, h) in enumerate(((0, 200), (200, 200), (400, 200))):
            colour = bytes((40 + 70 * column, 40 + 70 * row, 20 + 60 * ((column + row) % 3), 255))
            n.setPixelData(QByteArray(colour * (w * h)), x, y, w, h)
    K.activeWindow().addView(d); d.refreshProjection(); d.waitForDone(); d.setModified(False)
    return d
open_blocks('blocks')
"""
OVERLAY = """
from collections import namedtuple
from scumble.geometry import Box
from scumble.overlay.canvas import CanvasOverlay
from scumble.overlay.grid import Grid
def active():
    d = K.activeDocument()
    return d.name() if d is not None else ''
overlay = CanvasOverlay(K.activeWindow, active, lambda: K.readSetting('', 'vastScrolling', ''))
tiles = Grid(0, 0, 800, 600, (0.0, 300.0), (0.0, 200.0), 500.0, 400.0)
Tile = namedtuple('Tile', 'x y width height pixel_width pixel_height data')
"""
CANVAS = """
from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QMdiArea, QWidget
inside = K.activeWindow().qwindow().findChild(QMdiArea).currentSubWindow().widget()
kinds = ('KisQPainterCanvas', 'KisOpenGLCanvas2')
canvas = next(w for w in inside.findChildren(QWidget) if w.metaObject().className() in kinds)
corner = canvas.mapToGlobal(QPoint(0, 0))
result = [corner.x(), corner.y(), canvas.width(), canvas.height()]
"""
LAY = "c = K.activeWindow().activeView().canvas(); c.setZoomLevel({0}); c.setRotation({1}); c.setMirror({2})"
PAN = """
area = canvas.parentWidget().parentWidget()
area.horizontalScrollBar().setValue(area.horizontalScrollBar().value() + 83)
area.verticalScrollBar().setValue(area.verticalScrollBar().value() - 59)
"""
PIXELS = """
import hashlib
d = K.activeDocument(); d.waitForDone()
result = hashlib.sha256(d.pixelData(0, 0, d.width(), d.height()).data()).hexdigest()
"""
UNDO = "[K.action('edit_undo').text(), K.action('edit_undo').isEnabled(), K.action('edit_redo').isEnabled()]"
LEFT = "len([w for w in K.activeWindow().qwindow().findChildren(QWidget) if w.objectName() == 'scumble_overlay'])"


class Screen:
    """A Krita with an overlay over a fresh document, and eyes."""

    def __init__(self, krita: KritaSession, name: str) -> None:
        self.krita = krita
        self._name = name
        krita.run(OPEN)
        krita.wait("K.activeDocument() is not None")
        krita.run(OVERLAY)
        self.park()

    def park(self):
        """The pointer off the canvas, so that no outline of a brush lies on it."""
        self.pointer(1500, 150)

    def pointer(self, x, y, *then):
        self.krita._xdotool("mousemove", str(round(x)), str(round(y)), *then)
        time.sleep(0.3)

    def canvas(self):
        return self.krita.run(CANVAS)

    def look(self, what):
        """What is on the canvas now: height x width x 3."""
        time.sleep(0.6)
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{self._name}-{what}.png"
        self.krita.screenshot(path)
        x, y, width, height = self.canvas()
        return np.asarray(Image.open(path).convert("RGB")).astype(int)[y : y + height, x : x + width]

    def close(self):
        self.krita.run("overlay.close()")


@pytest.fixture
def screen(krita, request):
    screen = Screen(krita, re.sub(r"\W+", "-", request.node.name).strip("-"))
    yield screen
    screen.close()


@pytest.fixture(scope="module")
def opengl(tmp_path_factory):
    """Another Krita, whose canvas is a QOpenGLWidget."""
    session = KritaSession(tmp_path_factory.mktemp("opengl"))
    (session.home / ".config/kritadisplayrc").write_text("OpenGLRenderer=desktop\n")
    build_zip(session.home / "scumble.zip")
    with zipfile.ZipFile(session.home / "scumble.zip") as archive:
        archive.extractall(session.home / ".local/share/krita/pykrita")
    try:
        session.start()
        yield session
    finally:
        session.close()


def white(picture):
    return (picture == 255).all(axis=2)


def orange(picture):
    return (picture == (255, 170, 0)).all(axis=2)


def borders(picture):
    """Where a block ends: pixels that differ from the next one right or below."""
    found = np.zeros(picture.shape[:2], bool)
    found[:, 1:] |= np.abs(np.diff(picture, axis=1)).max(axis=2) > 25
    found[1:] |= np.abs(np.diff(picture, axis=0)).max(axis=2) > 25
    return found


def assert_lines_lie_on_borders(with_grid, without):
    """Every pixel of a line is on the border of a block, or beside it, and along every border there is a line."""
    lines, ends = white(with_grid) | orange(with_grid), borders(without)
    assert not white(without).any()
    assert ends.sum() > 500
    away = ndimage.distance_transform_edt(~ends)[lines]
    assert (away <= 1.5).mean() > 0.99
    assert away.max() <= 2
    missing = ndimage.distance_transform_edt(~lines)[ends]
    assert (missing <= 2).mean() > 0.98


LAYS = {
    "half": (0.5, 0, False),
    "whole": (1, 0, False),
    "double": (2, 0, False),
    "turned": (1, 30, False),
    "mirrored": (1, 0, True),
    "small-turned-and-mirrored": (0.5, 30, True),
    "odd": (0.77, -101, False),
}


def lines_follow(screen, lay, name="lines"):
    krita = screen.krita
    krita.run("overlay.show_grid('blocks', tiles)")
    krita.run(LAY.format(*lay))
    screen.canvas()
    krita.run(PAN)
    with_grid = screen.look(f"{name}-grid")
    krita.run("overlay.clear()")
    assert_lines_lie_on_borders(with_grid, screen.look(f"{name}-plain"))


@pytest.mark.parametrize("lay", LAYS.values(), ids=LAYS)
def test_grid_lines_follow_zoom_pan_rotation_and_mirror(screen, lay):
    lines_follow(screen, lay)


def test_grid_lines_lie_right_where_krita_centres_the_picture(screen, krita):
    """With little room to scroll beyond the picture, scroll bars have no say where it lies."""
    krita.run("K.writeSetting('', 'vastScrolling', '0.1'); overlay.close()")
    try:
        krita.run(OVERLAY)
        lines_follow(screen, LAYS["half"])
    finally:
        krita.run("K.writeSetting('', 'vastScrolling', '0.9')")


@pytest.mark.all
def test_grid_lines_follow_over_a_canvas_of_opengl(opengl):
    """In one document: this Krita crashes by itself when one closes and another opens, with OpenGL in software."""
    screen = Screen(opengl, "opengl")
    screen.canvas()
    assert opengl.run("canvas.metaObject().className()") == "KisOpenGLCanvas2"
    for name in ("half", "turned", "mirrored"):
        lines_follow(screen, LAYS[name], name)
    screen.close()


def test_the_document_its_undo_and_its_file_know_nothing_of_it(screen, krita):
    pixels, undo = krita.run(PIXELS), krita.run(UNDO)
    krita.run("overlay.show_grid('blocks', tiles); overlay.begin_previews('blocks', Box(100, 100, 400, 300), 2.0)")
    krita.run("overlay.add_preview(Tile(0, 0, 800, 600, 2, 2, bytes((200, 30, 60)) * 4))")
    screen.look("everything")
    assert krita.run(PIXELS) == pixels
    assert krita.run("K.activeDocument().modified()") is False
    assert krita.run(UNDO) == undo
    assert krita.run("len(K.activeDocument().topLevelNodes())") == 1


def test_painting_goes_through_it_and_is_undone_as_ever(screen, krita):
    krita.run("overlay.show_grid('blocks', tiles); overlay.begin_previews('blocks', Box(0, 0, 800, 600), 1.0)")
    krita.run(LAY.format(1, 0, False) + "; K.action('KritaShape/KisToolBrush').trigger()")
    pixels = krita.run(PIXELS)
    x, y, width, height = screen.canvas()
    screen.pointer(x + width / 2 - 60, y + height / 2)
    krita._xdotool("mousedown", "1")
    for step in range(1, 13):
        screen.pointer(x + width / 2 - 60 + 10 * step, y + height / 2 + 5 * step)
    krita._xdotool("mouseup", "1")
    krita.wait("K.activeDocument().modified()")
    screen.park()
    assert white(screen.look("painted")).any()  # the grid is still there
    assert krita.run(PIXELS) != pixels
    krita.press("ctrl+z")
    krita.wait(f"exec({PIXELS!r}, globals()) or result == {pixels!r}", 10)


def test_previews_fill_in_place_tile_by_tile(screen, krita):
    krita.run(LAY.format(1, 0, False) + "; overlay.begin_previews('blocks', Box(300, 200, 200, 200), 2.0)")
    plain = screen.look("none")
    krita.run("overlay.add_preview(Tile(0, 0, 200, 400, 2, 2, bytes((255, 255, 255)) * 4))")
    half = white(screen.look("half"))
    krita.run("overlay.add_preview(Tile(200, 0, 200, 400, 2, 2, bytes((255, 255, 255)) * 4))")
    full = white(screen.look("full"))
    middle = (plain == plain[plain.shape[0] // 2, plain.shape[1] // 2]).all(axis=2)  # the block in the middle
    assert middle.sum() == 200 * 200
    assert (full == middle).all()
    assert half.sum() == 100 * 200
    assert np.nonzero(half)[1].min() == np.nonzero(middle)[1].min()


def test_the_tile_under_the_pointer_is_framed_and_the_place_stays_when_the_pointer_goes(screen, krita):
    krita.run(LAY.format(1, 0, False))
    plain = screen.look("plain")
    rows, columns = np.nonzero((plain == plain[plain.shape[0] // 2, plain.shape[1] // 2]).all(axis=2))
    krita.run(
        "overlay.show_grid('blocks', Grid(0, 0, 800, 600, (0.0, 300.0, 500.0), (0.0, 200.0, 400.0), 300.0, 200.0))"
    )
    x, y, _, _ = screen.canvas()
    screen.pointer(x + columns.min() + 150, y + rows.min() + 37)
    screen.park()
    assert krita.run("overlay.cursor()") == [450, 237]
    assert krita.run("overlay.tile()") == 4
    framed_rows, framed_columns = np.nonzero(orange(screen.look("framed")))
    assert abs(framed_rows.min() - rows.min()) <= 1
    assert abs(framed_columns.min() - columns.min()) <= 1


def test_it_stays_with_its_document_and_goes_with_its_view(screen, krita):
    krita.run("overlay.show_grid('blocks', tiles)")
    assert white(screen.look("own")).any()
    krita.run("other = open_blocks('other')")
    krita.wait("active() == 'other'")
    assert not white(screen.look("other")).any()
    krita.run("other.close()")
    krita.wait("active() == 'blocks'")
    assert white(screen.look("own-again")).any()
    krita.run("d = K.activeDocument(); d.setModified(False); d.close()")
    krita.wait("K.activeDocument() is None")
    time.sleep(0.3)
    assert krita.run(LEFT) == 0
    krita.run(
        "overlay.show_grid('blocks', tiles); overlay.add_preview(Tile(0, 0, 1, 1, 1, 1, b'abc')); overlay.cursor()"
    )
    krita.check()


def test_it_follows_into_sub_windows_and_a_detached_canvas(screen, krita):
    krita.run("overlay.show_grid('blocks', tiles)")
    krita.run(
        CANVAS + "K.activeWindow().qwindow().findChild(QMdiArea).setViewMode(QMdiArea.SubWindowView)\n"
        "K.activeWindow().qwindow().findChild(QMdiArea).currentSubWindow().showNormal()"
    )
    try:
        assert white(screen.look("sub-window")).any()
    finally:
        krita.run(
            "K.activeWindow().qwindow().findChild(QMdiArea).setViewMode(QMdiArea.TabbedView)\n"
            "K.activeWindow().qwindow().findChild(QMdiArea).currentSubWindow().showMaximized()"
        )
    krita.run("K.action('view_detached_canvas').trigger()")
    try:
        assert white(screen.look("detached")).any()
    finally:
        krita.run("K.action('view_detached_canvas').trigger()")


def test_after_close_nothing_is_left(screen, krita):
    krita.run("overlay.show_grid('blocks', tiles)")
    screen.look("open")
    krita.run("overlay.close()")
    assert not white(screen.look("closed")).any()
    assert krita.run(LEFT) == 0
