"""Find the running core, or start one, and keep the line to it."""

import os
import subprocess
import sys
import time

from scumble.qt import QtCore
from scumble_bridge.errors import PlaceError
from scumble_bridge.places import data_folder, read_core_command
from scumble_bridge.qt_adapter import ScumbleClient

RETRY_MS = 250
# A cold start on a slow disk; the front door itself is up in a second.
START_SECONDS = 60.0
# The core's exit code when it finds another one running, or no place to listen.
ALREADY_RUNNING = 1
# What Krita sets for itself, and what breaks a Python that is not Krita's.
KRITAS_OWN = (
    "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "QT_PLUGIN_PATH", "QT_QPA_PLATFORM",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
)  # fmt: skip


class CoreLink(QtCore.QObject):
    """`ensure`, then wait for `ready` or `failed`; `lost` when a line that was open is gone."""

    ready = QtCore.pyqtSignal()
    failed = QtCore.pyqtSignal(str)
    lost = QtCore.pyqtSignal()

    def __init__(self, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.client = ScumbleClient(self)
        self.client.opened.connect(self._opened)
        self.client.failed.connect(self._no_answer)
        self.client.closed.connect(self.lost)
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self._may_start = False
        self._has_started = False
        self._retry = QtCore.QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(RETRY_MS)
        self._retry.timeout.connect(self.client.connect_to_core)

    def ensure(self, start: bool = True) -> None:
        """Connect; `start`: start a core when none answers."""
        if self.client.is_open:
            self.ready.emit()
            return
        self._may_start = start or (self._may_start and self._until > 0)
        if not self._until:
            self._has_started = False
            self._until = time.monotonic() + START_SECONDS
            self._retry.start(0)

    def close(self) -> None:
        """Hang up."""
        self._until = 0.0
        self._retry.stop()
        self.client.close()

    def _opened(self, _server: str) -> None:
        self._until = 0.0
        self.ready.emit()

    def _no_answer(self, reason: str) -> None:
        """Nobody there yet: start one, wait on, or give up."""
        if not self._until:
            return  # an open line has ended: `lost` says so
        if not self._may_start:
            self._give_up(reason)
            return
        if not self._has_started:
            self._has_started = True
            try:
                self._process = start_core()
            except (PlaceError, OSError) as error:
                self._give_up(f"The core could not be started: {error}")
                return
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self._process = None
            if code != ALREADY_RUNNING:
                self._give_up(f"The core ended with code {code} when it was started: see {data_folder() / 'logs'}.")
                return
            self._until = min(self._until, time.monotonic() + 5)  # the other one may be about to answer
        if time.monotonic() > self._until:
            self._give_up(f"The core did not answer in time ({reason}); see {data_folder() / 'logs'}.")
            return
        self._retry.start(RETRY_MS)

    def _give_up(self, reason: str) -> None:
        self._until = 0.0
        self._process = None
        self.failed.emit(reason)


def start_core() -> "subprocess.Popen[bytes]":
    """Start the core in a session of its own: it outlives Krita, so a running job is not lost with it."""
    command = read_core_command(data_folder())
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0
    return subprocess.Popen(
        command,
        env=clean_environment(dict(os.environ)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=flags,
    )


def clean_environment(environment: "dict[str, str]") -> "dict[str, str]":
    """The environment without what Krita set for itself (an AppImage adds its own folders to some paths, too)."""
    kept = {k: v for k, v in environment.items() if k not in KRITAS_OWN and not k.startswith("GST_PLUGIN_")}
    inside = environment.get("APPDIR", "")
    if inside:
        for name in ("PATH", "XDG_DATA_DIRS"):
            parts = [part for part in kept.get(name, "").split(os.pathsep) if part and not part.startswith(inside)]
            kept[name] = os.pathsep.join(parts)
    return kept
