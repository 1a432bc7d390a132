"""A slider with its value written inside, in Krita's manner: drag to set, double click or type to write a number."""

from scumble.panel.widgets import Number
from scumble.qt import QtCore, QtGui, QtWidgets

# With Shift a drag is that much finer.
FINE = 10
_TYPES = "0123456789.,-"


class SliderSpin(Number):
    """Arrow keys step, Page keys step by ten, Home and End go to the ends; Enter, F2 or a digit begin to write."""

    def __init__(
        self,
        name: str,
        tip: str,
        limits: "tuple[float, float]",
        *,
        step: float = 1,
        decimals: int = 0,
        factor: float = 1,
        suffix: str = "",
    ) -> None:
        super().__init__(name, tip, limits, step=step, decimals=decimals, factor=factor, suffix=suffix)
        self._face = _Face(self)
        self.setLineEdit(self._face)
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.editingFinished.connect(self._face.stop_writing)
        self.valueChanged.connect(lambda _value: self._face.update())

    @property
    def share(self) -> float:
        """How far along its range the value is, 0 to 1."""
        length = self.maximum() - self.minimum()
        return (self.value() - self.minimum()) / length if length else 0.0

    def slide_to(self, share: float) -> None:
        """To the nearest whole step."""
        step = self.singleStep()
        value = self.minimum() + min(max(share, 0.0), 1.0) * (self.maximum() - self.minimum())
        self.setValue(round(value / step) * step)

    def keyPressEvent(self, event: "QtGui.QKeyEvent | None") -> None:
        """As a slider's, until something is being written."""
        if event is None:
            return
        keys, key = QtCore.Qt.Key, event.key()
        if self._face.is_writing:
            if key == keys.Key_Escape:
                self._face.give_up()
                return
            super().keyPressEvent(event)
            if key in (keys.Key_Return, keys.Key_Enter):
                self._face.stop_writing()
        elif key in (keys.Key_Return, keys.Key_Enter, keys.Key_F2):
            self._face.start_writing()
        elif key in (keys.Key_Left, keys.Key_Right):
            self.stepBy(1 if key == keys.Key_Right else -1)
        elif key in (keys.Key_Home, keys.Key_End):
            self.setValue(self.maximum() if key == keys.Key_End else self.minimum())
        else:
            if event.text() and event.text() in _TYPES:
                self._face.start_writing()
            super().keyPressEvent(event)


class _Face(QtWidgets.QLineEdit):
    """Draws the slider, and is the line that is written in."""

    def __init__(self, owner: SliderSpin) -> None:
        super().__init__(owner)
        self._owner = owner
        self.is_writing = False
        self._before = 0.0
        self._dragged: tuple[float, float] | None = None
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.NoContextMenu)
        self.setCursor(QtCore.Qt.CursorShape.SizeHorCursor)

    def start_writing(self) -> None:
        self.is_writing = True
        self._before = self._owner.value()
        self.setCursor(QtCore.Qt.CursorShape.IBeamCursor)
        self._owner.setFocus()
        self._owner.selectAll()
        self.update()

    def stop_writing(self) -> None:
        if self.is_writing:
            self.is_writing = False
            self.setCursor(QtCore.Qt.CursorShape.SizeHorCursor)
            self.deselect()
            self.update()

    def give_up(self) -> None:
        """Escape: as it was."""
        self._owner.setValue(self._before)
        self.setText(self._owner.prefix() + self._owner.textFromValue(self._before) + self._owner.suffix())
        self.stop_writing()

    def mousePressEvent(self, event: "QtGui.QMouseEvent | None") -> None:
        if event is None or self.is_writing:
            super().mousePressEvent(event)
            return
        if event.button() == QtCore.Qt.MouseButton.RightButton:
            self.start_writing()
        elif event.button() == QtCore.Qt.MouseButton.LeftButton:
            self._before = self._owner.value()
            self._drag(event, is_new=True)

    def mouseMoveEvent(self, event: "QtGui.QMouseEvent | None") -> None:
        if event is None or self.is_writing:
            super().mouseMoveEvent(event)
        elif self._dragged is not None:
            self._drag(event, is_new=False)

    def mouseReleaseEvent(self, event: "QtGui.QMouseEvent | None") -> None:
        self._dragged = None
        if self.is_writing:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: "QtGui.QMouseEvent | None") -> None:
        """Write a number instead. What the first click has set is taken back."""
        if self.is_writing:
            super().mouseDoubleClickEvent(event)
            return
        self._dragged = None
        self._owner.setValue(self._before)
        self.start_writing()

    def paintEvent(self, event: "QtGui.QPaintEvent | None") -> None:
        """The part below the value in the colour of what is selected; the words read well on both sides."""
        if self.is_writing:
            super().paintEvent(event)
            return
        roles, whole = QtGui.QPalette.ColorRole, self.rect()
        edge = round(whole.width() * self._owner.share)
        filled = QtCore.QRect(whole.left(), whole.top(), edge, whole.height())
        empty = QtCore.QRect(whole.left() + edge, whole.top(), whole.width() - edge, whole.height())
        painter = QtGui.QPainter(self)
        if self.layoutDirection() == QtCore.Qt.LayoutDirection.RightToLeft:
            filled.moveRight(whole.right())
            empty.moveLeft(whole.left())
        # What can't be set now must not look like what can; grey words on a grey highlight could not be read.
        fill, word = (roles.Highlight, roles.HighlightedText) if self.isEnabled() else (roles.Window, roles.Text)
        for part, ground, ink in ((filled, fill, word), (empty, roles.Base, roles.Text)):
            painter.setClipRect(part)
            painter.fillRect(part, self.palette().color(ground))
            painter.setPen(self.palette().color(ink))
            painter.drawText(whole, QtCore.Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()

    def _drag(self, event: QtGui.QMouseEvent, is_new: bool) -> None:
        share = event.pos().x() / max(self.width() - 1, 1)
        if self.layoutDirection() == QtCore.Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        is_fine = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ShiftModifier)
        if is_new or self._dragged is None:
            self._dragged = (share, self._owner.share)
            if is_fine:
                return
        at, began = self._dragged
        self._owner.slide_to(began + (share - at) / FINE if is_fine else share)
