"""What all windows of one Krita share: host, core and runs; and the making of each window's panel."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from krita import Krita

from scumble.core.link import Core
from scumble.core.logbook import LogBook
from scumble.host.krita.host import KritaHost
from scumble.overlay.canvas import CanvasOverlay
from scumble.panel.look import Look
from scumble.panel.panel import Around, ScumblePanel
from scumble.qt import QtCore, QtWidgets
from scumble.runs.runner import Runner
from scumble_bridge.places import data_folder

if TYPE_CHECKING:
    from krita import Window

# Krita has started, and the artist still looks around.
CALM_MS = 4000


class Studio:
    """Made with the first docker; it lives as long as Krita does."""

    def __init__(self) -> None:
        self._panels: list[ScumblePanel] = []
        self._overlays: list[CanvasOverlay] = []
        self.log = LogBook()
        self.host = KritaHost(self._cursor)
        self.core = Core(own_version())
        self.runner = Runner(self.host, self.core)
        QtCore.QTimer.singleShot(CALM_MS, self.host.prepare)
        application = QtWidgets.QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)

    def panel(self, window: "Callable[[], Window | None]") -> ScumblePanel:
        """Of one window."""
        overlay = CanvasOverlay(window, self.host.active_document, _vast_scrolling)
        krita = Krita.instance()
        panel = ScumblePanel(
            Around(
                host=self.host,
                core=self.core,
                runner=self.runner,
                log=self.log,
                overlay=overlay,
                look=Look(krita.icon),
                presets=data_folder() / "presets",
                program=f"Krita {krita.version()}",
            )
        )
        self._overlays.append(overlay)
        self._panels.append(panel)
        panel.destroyed.connect(lambda: self._forget(panel, overlay))
        if len(self._panels) == 1:
            self.runner.restore()
            self.core.watch()
        return panel

    def close(self) -> None:
        """Krita ends: what the core has goes on there."""
        for panel in self._panels:
            with contextlib.suppress(RuntimeError):  # gone with its window
                panel.close_down()
        self.runner.close()
        self.core.close()
        self.log.close()

    def _cursor(self) -> "tuple[int, int] | None":
        """Where the pointer last was over a canvas that shows the active document."""
        places = (overlay.cursor() for overlay in self._overlays)
        return next((place for place in places if place is not None), None)

    def _forget(self, panel: ScumblePanel, overlay: CanvasOverlay) -> None:
        overlay.close()
        self._overlays = [each for each in self._overlays if each is not overlay]
        self._panels = [each for each in self._panels if each is not panel]


def own_version() -> str:
    """The packed plugin's version; "" in a checkout."""
    try:
        return (Path(__file__).parent / "version.txt").read_text("ascii").strip()
    except OSError:
        return ""


def _vast_scrolling() -> str:
    return Krita.instance().readSetting("", "vastScrolling", "")
