"""The docker that Krita shows."""

from krita import DockWidget

from scumble.host.krita_host import KritaHost
from scumble.panel.panel import RefinePanel
from scumble.qt import QtCore, QtWidgets

# Selections change without a signal.
LOOK_MS = 700


class RefineDocker(DockWidget):
    """Holds the panel, and tells it when the document changes."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Scumble")
        self._panel = RefinePanel(KritaHost())
        self.setWidget(self._panel)
        self._look = QtCore.QTimer(self)
        self._look.timeout.connect(self._refresh)
        self._look.start(LOOK_MS)
        application = QtWidgets.QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._panel.close_down)

    def canvasChanged(self, _canvas: object) -> None:
        """Called by Krita, with None when the last view closes."""
        self._panel.refresh()

    def _refresh(self) -> None:
        if self.isVisible():
            self._panel.refresh()
