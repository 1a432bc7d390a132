"""Where a document's pixels lie on the canvas widget.

Krita's rule (measured in 5.1.5, markers found in screenshots to half a pixel): scale, mirror, turn, then shift so that
the bounding box of the turned picture has its top left corner at minus the scroll bars' values. Where the scrollable
area is smaller than the widget, the picture is centred in it instead.
"""

import math
from dataclasses import dataclass

from scumble.qt import QtCore, QtGui

POINTS_PER_INCH = 72.0
# Krita's own, where its setting "vastScrolling" was never touched.
RESERVE = 0.9


@dataclass(frozen=True)
class CanvasState:
    """All that decides it.

    `width`, `height`: of the document, in pixels; `zoom`: libkis' zoomLevel, in widget pixels a point (1/72 inch);
    `x_resolution`, `y_resolution`: of the document, in pixels an inch; `rotation`: in degrees, clockwise; `scroll_x`,
    `scroll_y`: values of the scroll bars; `widget_width`, `widget_height`: of the canvas widget; `reserve`: how far
    beyond the picture one may scroll, as a share of the widget (Krita's setting "vastScrolling").
    """

    width: int
    height: int
    zoom: float
    x_resolution: float
    y_resolution: float
    rotation: float
    mirrored: bool
    scroll_x: int
    scroll_y: int
    widget_width: int
    widget_height: int
    reserve: float = RESERVE


def document_to_widget(state: CanvasState) -> "QtGui.QTransform | None":
    """From document pixels to the canvas widget's pixels; None while there is no picture to see."""
    if min(state.width, state.height) <= 0 or min(state.x_resolution, state.y_resolution) <= 0:
        return None
    across = state.zoom * POINTS_PER_INCH / state.x_resolution
    down = state.zoom * POINTS_PER_INCH / state.y_resolution
    if not (math.isfinite(across) and math.isfinite(down) and across > 0 and down > 0):
        return None
    placed = QtGui.QTransform.fromScale(-across if state.mirrored else across, down)
    turn = QtGui.QTransform()
    turn.rotate(state.rotation)
    placed = placed * turn
    bounds = placed.mapRect(QtCore.QRectF(0, 0, state.width, state.height))
    x = _centring(bounds.width(), state.widget_width, state.reserve) - state.scroll_x - bounds.x()
    y = _centring(bounds.height(), state.widget_height, state.reserve) - state.scroll_y - bounds.y()
    return placed * QtGui.QTransform.fromTranslate(x, y)


def _centring(picture: float, widget: int, reserve: float) -> float:
    """Half of what is missing to a scrollable length of nothing."""
    return max(0.0, (widget - math.ceil(picture) - 2 * reserve * widget) / 2)


def scroll_reserve(said: str) -> float:
    """From what Krita keeps as its setting "vastScrolling"; its own, where it says nothing of use."""
    try:
        reserve = float(said)
    except ValueError:
        return RESERVE
    return reserve if 0 <= reserve <= 1 else RESERVE


def document_pixel(placed: QtGui.QTransform, point: QtCore.QPointF) -> "tuple[int, int] | None":
    """The document pixel below a point of the widget, within the document or not; None where there is no way back."""
    back, possible = placed.inverted()
    if not possible:
        return None
    there = back.map(point)
    return math.floor(there.x()), math.floor(there.y())
