"""Previews of finished tiles, put together in one picture of bounded size."""

import math
from typing import Protocol

from scumble.geometry import Box
from scumble.qt import QtCore, QtGui

# 16 MB.
LONGEST_SIDE = 2048


class Tile(Protocol):
    """A finished tile. The box is in output pixels; the data is RGB, 8 bits a channel (bridge: Preview)."""

    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def pixel_width(self) -> int: ...
    @property
    def pixel_height(self) -> int: ...
    @property
    def data(self) -> bytes: ...


class Mosaic:
    """What is not there yet is transparent, so that the document shows through."""

    def __init__(self, box: Box, scale: float) -> None:
        """`box`: the part of the document that is refined; `scale`: output pixels a document pixel, above 0."""
        self.box = box
        width, height = max(1.0, box.width * scale), max(1.0, box.height * scale)
        self._share = min(1.0, LONGEST_SIDE / max(width, height))
        self._scale = scale
        size = QtCore.QSize(max(1, math.floor(width * self._share)), max(1, math.floor(height * self._share)))
        self.image = QtGui.QImage(size, QtGui.QImage.Format.Format_ARGB32_Premultiplied)
        self.image.fill(0)

    @property
    def place(self) -> QtCore.QRectF:
        """Where the picture lies, in document pixels."""
        return QtCore.QRectF(self.box.x, self.box.y, self.box.width, self.box.height)

    def add(self, tile: Tile) -> "QtCore.QRectF | None":
        """Paint it; which part of the document it covers. None, when there are fewer pixels than it says."""
        wide, high = tile.pixel_width, tile.pixel_height
        if min(wide, high, tile.width, tile.height) <= 0 or len(tile.data) < wide * high * 3:
            return None
        pixels = QtGui.QImage(tile.data, wide, high, wide * 3, QtGui.QImage.Format.Format_RGB888)
        share = self._share
        # Whole pixels, outwards: edges between two would let the document through as a seam.
        left, top = math.floor(tile.x * share), math.floor(tile.y * share)
        right, bottom = math.ceil((tile.x + tile.width) * share), math.ceil((tile.y + tile.height) * share)
        painter = QtGui.QPainter(self.image)
        try:
            painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QtCore.QRect(left, top, right - left, bottom - top), pixels)
        finally:
            painter.end()
        scale = self._scale
        return QtCore.QRectF(
            self.box.x + tile.x / scale, self.box.y + tile.y / scale, tile.width / scale, tile.height / scale
        )
