"""The result as it grows, tile by tile; the picture as it was for as long as it is pressed."""

from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.runs.run import Run
from scumble.words import tr

TALLEST = 240


class GrowingView(QtWidgets.QWidget):
    """Hidden while there is nothing to be seen. Mouse or space, held down, show what was sent."""

    def __init__(self, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self.setObjectName("scumble_preview")
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setToolTip(
            tr("The result as far as it is there. Hold the mouse button or the space bar to see it before.")
        )
        self.setAccessibleName(tr("Preview of the result"))
        self._after, self._before = QtGui.QImage(), QtGui.QImage()
        self.shows_before = False
        self.hide()

    @property
    def image(self) -> QtGui.QImage:
        """What is seen now."""
        shown = self._before if self.shows_before and not self._before.isNull() else self._after
        return self._before if shown.isNull() else shown

    def show_run(self, run: "Run | None") -> None:
        """What there is of this run."""
        if run is None:
            self._after = self._before = QtGui.QImage()
        else:
            self._before = run.before
            shown_first = run.asked.manner == "show" or run.growing.image.isNull()
            self._after = run.after if shown_first and not run.after.isNull() else run.growing.image
        self.setVisible(not self.image.isNull())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QtCore.QSize:
        size = self.image.size()
        if size.isEmpty():
            return QtCore.QSize(0, 0)
        width = max(1, min(self.width() or size.width(), TALLEST * 2))
        height = min(TALLEST, max(24, round(size.height() * min(1.0, width / size.width()))))
        return QtCore.QSize(min(size.width(), width), height)

    def minimumSizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(0, self.sizeHint().height())

    def paintEvent(self, _event: "QtGui.QPaintEvent | None") -> None:
        image = self.image
        if image.isNull():
            return
        size = image.size().scaled(self.size(), QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        place = QtCore.QRect(QtCore.QPoint(0, 0), size)
        place.moveCenter(self.rect().center())
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, image)
        if self.hasFocus():
            painter.setPen(self.palette().color(QtGui.QPalette.ColorRole.Highlight))
            painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.end()

    def mousePressEvent(self, _event: "QtGui.QMouseEvent | None") -> None:
        self._turn(True)

    def mouseReleaseEvent(self, _event: "QtGui.QMouseEvent | None") -> None:
        self._turn(False)

    def keyPressEvent(self, event: "QtGui.QKeyEvent | None") -> None:
        if event is not None and event.key() == QtCore.Qt.Key.Key_Space:
            self._turn(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: "QtGui.QKeyEvent | None") -> None:
        if event is not None and event.key() == QtCore.Qt.Key.Key_Space and not event.isAutoRepeat():
            self._turn(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: "QtGui.QFocusEvent | None") -> None:
        self._turn(False)
        super().focusOutEvent(event)

    def _turn(self, before: bool) -> None:
        if before != self.shows_before:
            self.shows_before = before
            self.update()
