"""Noticing which canvas is active, and when it moves."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from scumble.overlay.guard import quietly
from scumble.overlay.views import CanvasView, find_canvas, find_documents_area
from scumble.qt import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    from krita import Window

# What PyQt raises for a widget that is gone, and for a tie that went with it.
GONE = (RuntimeError, TypeError)
_Type = QtCore.QEvent.Type
_POINTER = frozenset({_Type.MouseMove, _Type.MouseButtonPress, _Type.HoverMove, _Type.TabletMove, _Type.TabletPress})
# Krita's input manager puts its filter before all others then, and lets no movement of the pointer through.
_OVERTAKES = frozenset({_Type.FocusIn, _Type.Enter})
_CHANGES = frozenset({_Type.ChildAdded, _Type.ChildRemoved})


class CanvasFollower(QtCore.QObject):
    """Follows the active view of a window.

    `switched`: another canvas is active, or none. `moved`: the document lies elsewhere on it, or it has another size.
    `pointed`: the pointer moved over it, to this place on the widget. `left`: the pointer left it.
    """

    switched = QtCore.pyqtSignal()
    moved = QtCore.pyqtSignal()
    pointed = QtCore.pyqtSignal(QtCore.QPointF)
    left = QtCore.pyqtSignal()

    def __init__(self, window: "Callable[[], Window | None]", reserve: "Callable[[], float]") -> None:
        """`window`: Krita's window, when there is one; `reserve`: see CanvasState."""
        super().__init__()
        self._window = window
        self._reserve = reserve
        self._area: QtWidgets.QMdiArea | None = None
        self._frame: QtCore.QObject | None = None
        self._view: CanvasView | None = None
        self._placed: QtGui.QTransform | None = None
        self._closed = False
        # Whether every painting of the canvas is a reason to look whether the document moved.
        self.watching = False

    @property
    def view(self) -> "CanvasView | None":
        """The active view's canvas, as last looked for."""
        return self._view

    @property
    def placed(self) -> "QtGui.QTransform | None":
        """From document pixels to the canvas, as last looked at."""
        return self._placed

    @quietly
    def look(self) -> None:
        """Which canvas is active, and how it lies. Some 30 microseconds while it is the same one."""
        if self._closed:
            return
        window = self._window()
        area = self._find_area(window)
        frame = None if area is None else area.currentSubWindow()
        if frame is not self._frame or (frame is not None and (self._view is None or not self._view.is_alive)):
            self._leave()
            self._frame = frame
            if window is not None and area is not None and frame is not None:
                self._enter(find_canvas(window, area, self._reserve()))
            self.switched.emit()
        self._compare()

    def close(self) -> None:
        """Let go of everything; nothing is told any more."""
        self._closed = True
        self._leave()
        if self._area is not None:
            with suppress(*GONE):
                self._area.subWindowActivated.disconnect(self._activated)
        self._area = self._frame = None

    def eventFilter(self, watched: "QtCore.QObject | None", event: "QtCore.QEvent | None") -> bool:
        """Never takes an event away."""
        if event is not None and not self._closed:
            self._notice(watched, event)
        return False

    @quietly
    def _notice(self, watched: "QtCore.QObject | None", event: QtCore.QEvent) -> None:
        kind, view = event.type(), self._view
        if view is None:
            return
        if watched is view.widget:
            if kind in _POINTER:
                self.pointed.emit(_place_in(event))
            elif kind == _Type.Leave:
                self.left.emit()
            elif kind in _OVERTAKES:
                QtCore.QTimer.singleShot(0, self._to_the_front)
            elif kind == _Type.Resize:
                self._placed = view.transform()
                self.moved.emit()
            elif kind == _Type.Paint and self.watching:
                self._compare()
        elif kind in _CHANGES:  # another renderer brings another canvas widget
            QtCore.QTimer.singleShot(0, self.look)

    @quietly
    def _to_the_front(self) -> None:
        view = self._view
        if view is not None and view.is_alive and not self._closed:
            view.widget.installEventFilter(self)  # a filter that is there already is moved

    @quietly
    def _compare(self, *_values: int) -> None:
        placed = None if self._view is None else self._view.transform()
        if placed != self._placed:
            self._placed = placed
            self.moved.emit()

    @quietly
    def _activated(self, _frame: object = None) -> None:
        self.look()
        # Krita's own slot may come after this one, and with it the view that libkis calls active.
        QtCore.QTimer.singleShot(0, self._again)

    @quietly
    def _again(self) -> None:
        self._frame = None
        self.look()

    def _find_area(self, window: "Window | None") -> "QtWidgets.QMdiArea | None":
        if window is None:
            return None
        try:
            if self._area is not None and self._area.window() is not None:
                return self._area
        except RuntimeError:
            self._area = None
        self._area = find_documents_area(window)
        if self._area is not None:
            self._area.subWindowActivated.connect(self._activated)
        return self._area

    def _enter(self, view: "CanvasView | None") -> None:
        self._view = view
        if view is None:
            return
        for widget in (view.widget, view.viewport):
            widget.installEventFilter(self)
        for bar in view.bars:
            bar.valueChanged.connect(self._compare)
            bar.rangeChanged.connect(self._compare)

    def _leave(self) -> None:
        view, self._view, self._placed = self._view, None, None
        if view is None:
            return
        for widget in (view.widget, view.viewport):
            with suppress(*GONE):
                widget.removeEventFilter(self)
        for bar in view.bars:
            with suppress(*GONE):
                bar.valueChanged.disconnect(self._compare)
                bar.rangeChanged.disconnect(self._compare)


def _place_in(event: QtCore.QEvent) -> QtCore.QPointF:
    """Mouse, hover and tablet events of both PyQts name their place differently."""
    for name in ("position", "posF", "localPos"):
        place = getattr(event, name, None)
        if place is not None:
            return QtCore.QPointF(place())
    raise TypeError(f"{event} has no place")
