"""The docker that Krita shows, one in each window."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from krita import DockWidget, Krita

from scumble.panel.panel import ScumblePanel
from scumble.qt import QtCore
from scumble.words import tr

if TYPE_CHECKING:
    from krita import Window

# Selections, layers and names change without a signal.
LOOK_MS = 700

MakePanel = Callable[["Callable[[], Window | None]"], ScumblePanel]


class ScumbleDocker(DockWidget):
    """Holds the panel, and tells it when to look."""

    def __init__(self, make: MakePanel) -> None:
        super().__init__()
        self.setWindowTitle(tr("Scumble"))
        self.panel = make(self._window)
        self.setWidget(self.panel)
        self._look = QtCore.QTimer(self)
        self._look.timeout.connect(self._refresh)
        self._look.start(LOOK_MS)

    def canvasChanged(self, _canvas: object) -> None:
        """Called by Krita, with None when the last view closes."""
        self.panel.look_again()

    def _refresh(self) -> None:
        if self.isVisible():
            self.panel.refresh()

    def _window(self) -> "Window | None":
        """The one that this docker is in; None while it is being built."""
        for window in Krita.instance().windows():
            if window.qwindow() == self.window():
                return window
        return Krita.instance().activeWindow()
