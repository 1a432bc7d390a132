"""A small picture of the result, which fills tile by tile."""

from scumble.qt import QtCore, QtGui, QtWidgets
from scumble_bridge.messages import Preview

SIDE = 240


class PreviewView(QtWidgets.QLabel):
    """Hidden until the first tile comes."""

    def __init__(self, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self.setObjectName("scumble_preview")
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._image = QtGui.QImage()
        self._share = 1.0
        self.hide()

    def begin(self, width: int, height: int) -> None:
        """A new job, whose result has this size in output pixels."""
        self._share = min(1.0, SIDE / max(width, height, 1))
        size = QtCore.QSize(max(1, round(width * self._share)), max(1, round(height * self._share)))
        self._image = QtGui.QImage(size, QtGui.QImage.Format.Format_RGB32)
        self._image.fill(self.palette().color(QtGui.QPalette.ColorRole.Base))
        self.hide()

    def add(self, tile: Preview) -> None:
        """Paint a finished tile."""
        if self._image.isNull():
            return
        pixels = QtGui.QImage(
            tile.data, tile.pixel_width, tile.pixel_height, tile.pixel_width * 3, QtGui.QImage.Format.Format_RGB888
        )
        place = QtCore.QRectF(tile.x, tile.y, tile.width, tile.height)
        share = self._share
        painter = QtGui.QPainter(self._image)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(
            QtCore.QRectF(place.x() * share, place.y() * share, place.width() * share, place.height() * share), pixels
        )
        painter.end()
        self.setPixmap(QtGui.QPixmap.fromImage(self._image))
        self.show()
