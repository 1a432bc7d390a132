"""Drawing over the canvas. Painters are in the widget's pixels; `placed` leads there from document pixels."""

from itertools import pairwise

from scumble.overlay.grid import Grid
from scumble.overlay.mosaic import Mosaic
from scumble.qt import QtCore, QtGui

# A light line beside a dark one is seen on every picture. Opaque and not smoothed: 180 lines take half a millisecond,
# and ten to fifty times as long with wide, smooth or see-through pens.
LIGHT, DARK, CHOSEN = QtGui.QColor(255, 255, 255), QtGui.QColor(45, 45, 45), QtGui.QColor(255, 170, 0)
OVERLAP = QtGui.QColor(70, 160, 255, 28)
# Sides of a tile in widget pixels. Below the first, lines would be a grey veil, so that only the outline is drawn;
# below the second, overlaps are not shaded.
LEAST_TILE, LEAST_SHADED = 8.0, 40.0


def paint_previews(painter: QtGui.QPainter, placed: QtGui.QTransform, mosaic: Mosaic) -> None:
    painter.save()
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
    painter.setTransform(placed, True)
    painter.drawImage(mosaic.place, mosaic.image, QtCore.QRectF(mosaic.image.rect()))
    painter.restore()


def paint_grid(painter: QtGui.QPainter, placed: QtGui.QTransform, grid: Grid, exposed: QtCore.QRectF) -> None:
    """Overlaps faintly, then the tiles' edges. Tiles of one row line up, so lines go from one end to the other."""
    visible = _document_part(placed, exposed).intersected(grid.covered)
    if visible.isEmpty():
        return
    area = grid.covered
    side = _length(placed, min(grid.tile_width, grid.tile_height))
    if side < LEAST_TILE:
        columns, rows = [area.left(), area.right()], [area.top(), area.bottom()]
    else:
        if side >= LEAST_SHADED:
            _paint_overlaps(painter, placed, grid, visible)
        columns = _edges(grid.columns, grid.tile_width, area.left(), area.right())
        rows = _edges(grid.rows, grid.tile_height, area.top(), area.bottom())
    lines = [
        QtCore.QLineF(x, visible.top(), x, visible.bottom()) for x in columns if visible.left() <= x <= visible.right()
    ] + [QtCore.QLineF(visible.left(), y, visible.right(), y) for y in rows if visible.top() <= y <= visible.bottom()]
    _stroke(painter, [_snapped(placed.map(line)) for line in lines], LIGHT)


def paint_tile(painter: QtGui.QPainter, placed: QtGui.QTransform, box: QtCore.QRectF) -> None:
    """The frame of one tile, three lines thick."""
    corners = placed.map(QtGui.QPolygonF(box))
    lines = [_snapped(QtCore.QLineF(corners[index], corners[index + 1])) for index in range(4)]
    _stroke(painter, [_beside(line, -1) for line in lines], CHOSEN)
    _stroke(painter, lines, CHOSEN)


def _paint_overlaps(painter: QtGui.QPainter, placed: QtGui.QTransform, grid: Grid, visible: QtCore.QRectF) -> None:
    """Where two tiles lie on each other; where four do, it is twice as strong."""
    bands = [
        QtCore.QRectF(right, visible.top(), left + grid.tile_width - right, visible.height())
        for left, right in pairwise(grid.columns)
        if right < left + grid.tile_width
    ] + [
        QtCore.QRectF(visible.left(), lower, visible.width(), upper + grid.tile_height - lower)
        for upper, lower in pairwise(grid.rows)
        if lower < upper + grid.tile_height
    ]
    painter.save()
    painter.setTransform(placed, True)
    for band in bands:
        painter.fillRect(band.intersected(visible), OVERLAP)
    painter.restore()


def _edges(starts: tuple[float, ...], length: float, first: float, last: float) -> "list[float]":
    edges = {edge for start in starts for edge in (start, start + length)}
    return sorted({min(max(edge, first), last) for edge in edges})


def _stroke(painter: QtGui.QPainter, lines: "list[QtCore.QLineF]", colour: QtGui.QColor) -> None:
    if not lines:
        return
    painter.setPen(QtGui.QPen(DARK, 1))
    painter.drawLines([_beside(line, 1) for line in lines])  # type: ignore[call-overload]  # takes lists, quickly
    painter.setPen(QtGui.QPen(colour, 1))
    painter.drawLines(lines)  # type: ignore[call-overload]


def _beside(line: QtCore.QLineF, pixels: int) -> QtCore.QLineF:
    """A pixel further right or down, whichever leads off the line."""
    steep = abs(line.dy()) > abs(line.dx())
    return line.translated(pixels if steep else 0, 0 if steep else pixels)


def _snapped(line: QtCore.QLineF) -> QtCore.QLineF:
    """Upright and level lines on the middle of a pixel: crisp, and on the pixel where the edge is."""
    if abs(line.x1() - line.x2()) < 1e-3:
        x = float(int(line.x1() // 1)) + 0.5
        return QtCore.QLineF(x, line.y1(), x, line.y2())
    if abs(line.y1() - line.y2()) < 1e-3:
        y = float(int(line.y1() // 1)) + 0.5
        return QtCore.QLineF(line.x1(), y, line.x2(), y)
    return line


def _document_part(placed: QtGui.QTransform, exposed: QtCore.QRectF) -> QtCore.QRectF:
    back, possible = placed.inverted()
    return back.mapRect(exposed.adjusted(-2, -2, 2, 2)) if possible else QtCore.QRectF()


def _length(placed: QtGui.QTransform, length: float) -> float:
    return QtCore.QLineF(placed.map(QtCore.QPointF(0, 0)), placed.map(QtCore.QPointF(length, 0))).length()
