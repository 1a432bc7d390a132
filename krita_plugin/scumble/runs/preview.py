"""The result as far as it is there: small, and filled tile by tile."""

from scumble.qt import QtCore, QtGui
from scumble_bridge.messages import Preview

SIDE = 480


class Growing:
    """A picture that tiles are painted into. `image` is null until the first one came."""

    def __init__(self) -> None:
        self.image = QtGui.QImage()
        self._share = 1.0

    def begin(self, width: int, height: int, before: QtGui.QImage) -> None:
        """`width`, `height`: the size that the previews' boxes refer to; `before`: what is seen until they come."""
        self._share = min(1.0, SIDE / max(width, height, 1))
        size = QtCore.QSize(max(1, round(width * self._share)), max(1, round(height * self._share)))
        self.image = QtGui.QImage(size, QtGui.QImage.Format.Format_RGB32)
        self.image.fill(QtGui.QColor(128, 128, 128))
        if not before.isNull():
            self._paint(QtCore.QRectF(0, 0, size.width(), size.height()), before)

    def add(self, tile: Preview) -> None:
        """Paint a finished tile."""
        if self.image.isNull():
            return
        row = tile.pixel_width * 3
        pixels = QtGui.QImage(tile.data, tile.pixel_width, tile.pixel_height, row, QtGui.QImage.Format.Format_RGB888)
        share = self._share
        self._paint(QtCore.QRectF(tile.x * share, tile.y * share, tile.width * share, tile.height * share), pixels)

    def _paint(self, place: QtCore.QRectF, pixels: QtGui.QImage) -> None:
        painter = QtGui.QPainter(self.image)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, pixels)
        painter.end()
