"""Where the pointer last was over the canvas."""

from collections.abc import Callable

from scumble.overlay.follow import CanvasFollower
from scumble.overlay.guard import quietly
from scumble.overlay.transform import document_pixel
from scumble.qt import QtCore, QtGui


class CanvasCursor(QtCore.QObject):
    """Stays where it was when the pointer goes off to a docker, in document pixels, even if the view moves then."""

    def __init__(self, follower: CanvasFollower, document: "Callable[[], str]") -> None:
        """`document`: the key of the active document; "" for none."""
        super().__init__()
        self._follower = follower
        self._document = document
        self._over: QtCore.QPointF | None = None
        self._last: tuple[str, int, int] | None = None
        follower.pointed.connect(self._point)
        follower.left.connect(self._leave)
        follower.switched.connect(self._switch)

    def place(self) -> "tuple[int, int] | None":
        """The document pixel, which may lie beside the document; None when the pointer never was over this document."""
        document = self._document()
        if not document:
            return None
        pixel = self._under_pointer()
        if pixel is not None:
            return pixel
        if self._last is not None and self._last[0] == document:
            return self._last[1], self._last[2]
        return None

    @quietly
    def _point(self, place: QtCore.QPointF) -> None:
        self._over = place

    @quietly
    def _leave(self) -> None:
        pixel = self._under_pointer()
        if pixel is not None:
            self._last = (self._document(), *pixel)
        self._over = None

    @quietly
    def _switch(self) -> None:
        """The pointer may be over the new canvas already, without an event."""
        self._over = None
        view = self._follower.view
        if view is not None and view.widget.underMouse():
            self._over = QtCore.QPointF(view.widget.mapFromGlobal(QtGui.QCursor.pos()))

    def _under_pointer(self) -> "tuple[int, int] | None":
        view = self._follower.view
        placed = None if view is None or self._over is None else view.transform()
        return None if placed is None or self._over is None else document_pixel(placed, self._over)
