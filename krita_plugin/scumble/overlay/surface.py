"""The transparent widget over a canvas."""

from collections.abc import Callable

from scumble.overlay.guard import quietly
from scumble.overlay.views import OURS
from scumble.qt import QtCore, QtGui, QtWidgets

Paint = Callable[["QtGui.QPainter", "QtCore.QRectF"], None]


class Surface(QtWidgets.QWidget):
    """A child of the canvas widget: never takes a click, a stroke of the pen, a drop or the focus."""

    def __init__(self, canvas: QtWidgets.QWidget, paint: Paint) -> None:
        """`paint`: draws on a painter in the widget's pixels; the rectangle needs drawing."""
        super().__init__(canvas)
        self._paint = paint
        self.setObjectName(OURS)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        for attribute in (
            QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents,
            QtCore.Qt.WidgetAttribute.WA_NoSystemBackground,
        ):
            self.setAttribute(attribute)
        self.setGeometry(canvas.rect())

    def paintEvent(self, event: "QtGui.QPaintEvent | None") -> None:
        if event is not None:
            self._draw(event)

    @quietly
    def _draw(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        try:
            self._paint(painter, QtCore.QRectF(event.rect()))
        finally:
            painter.end()  # one left open takes Krita down
