"""Finding the canvas of the active view among Krita's widgets, and reading how it lies.

Krita's widgets: QMdiArea, in it a QMdiSubWindow with a KisView for each view; in that a KisCanvasController (a
QAbstractScrollArea, whose scroll bars tell the pan), and in its viewport the canvas widget (KisQPainterCanvas or
KisOpenGLCanvas2). Any of them may be gone at any time; then PyQt raises RuntimeError.
"""

from typing import TYPE_CHECKING

from scumble.overlay.transform import CanvasState, document_to_widget
from scumble.qt import QtGui, QtWidgets

if TYPE_CHECKING:
    from krita import View, Window

OURS = "scumble_overlay"
CONTROLLER = "KoCanvasControllerWidget"


class CanvasView:
    """One view's canvas. The libkis view is safe to keep: it knows when Krita's own view is gone; its canvas isn't."""

    def __init__(
        self,
        view: "View",
        widget: QtWidgets.QWidget,
        viewport: QtWidgets.QWidget,
        bars: tuple[QtWidgets.QScrollBar, QtWidgets.QScrollBar],
        reserve: float,
    ) -> None:
        """`bars`: the one across, then the one down; `reserve`: see CanvasState."""
        self.widget = widget
        self.viewport = viewport
        self.bars = bars
        self._view = view
        self._reserve = reserve

    @property
    def is_alive(self) -> bool:
        """Its widgets are still there, and the canvas is still in its place (another renderer makes another one)."""
        try:
            return self.widget.parent() is self.viewport
        except RuntimeError:
            return False

    def transform(self) -> "QtGui.QTransform | None":
        """From document pixels to the canvas widget's pixels, as it is now; None when there is nothing to see."""
        try:
            if hasattr(self._view, "flakeToCanvasTransform"):
                back, possible = self._view.flakeToImageTransform().inverted()
                return back * self._view.flakeToCanvasTransform() if possible else None
            state = self._state()
            return None if state is None else document_to_widget(state)
        except RuntimeError:
            return None

    def _state(self) -> "CanvasState | None":
        canvas, document = self._view.canvas(), self._view.document()
        if canvas is None or document is None:
            return None
        return CanvasState(
            width=document.width(),
            height=document.height(),
            zoom=canvas.zoomLevel(),
            x_resolution=document.xRes(),
            y_resolution=document.yRes(),
            rotation=canvas.rotation(),
            mirrored=canvas.mirror(),
            scroll_x=self.bars[0].value(),
            scroll_y=self.bars[1].value(),
            widget_width=self.widget.width(),
            widget_height=self.widget.height(),
            reserve=self._reserve,
        )


def find_documents_area(window: "Window") -> "QtWidgets.QMdiArea | None":
    """Where the window has its views. A detached canvas is a window of its own below the main window."""
    try:
        main = window.qwindow()
        return None if main is None else main.findChild(QtWidgets.QMdiArea)
    except RuntimeError:
        return None


def find_canvas(window: "Window", area: QtWidgets.QMdiArea, reserve: float) -> "CanvasView | None":
    """The canvas of the view that is active; None when there is none."""
    try:
        frame, view = area.currentSubWindow(), window.activeView()
        inside = None if frame is None else frame.widget()
        if inside is None or view is None:
            return None
        for scrolled in inside.findChildren(QtWidgets.QAbstractScrollArea):
            if scrolled.inherits(CONTROLLER):
                return _view_in(view, scrolled, reserve)
    except RuntimeError:
        pass
    return None


def _view_in(view: "View", area: QtWidgets.QAbstractScrollArea, reserve: float) -> "CanvasView | None":
    viewport, across, down = area.viewport(), area.horizontalScrollBar(), area.verticalScrollBar()
    if viewport is None or across is None or down is None:
        return None
    for widget in viewport.children():
        kind = widget.metaObject()
        if isinstance(widget, QtWidgets.QWidget) and kind is not None and "Canvas" in (kind.className() or ""):
            return CanvasView(view, widget, viewport, (across, down), reserve)
    return None
