"""Find the running core, or start one, keep the line to it, and start it anew.

Theory of operation: `ensure` tries until a line is open, and starts a core once when it may and none answers. A
line that is lost is the owner's to want again. All of it is timers and slots; nothing waits.
"""

import subprocess
import time
from collections.abc import Callable

from scumble.core.process import ALREADY_RUNNING, start_core
from scumble.core.state import CoreState, Phase
from scumble.guard import guarded
from scumble.qt import QtCore
from scumble.words import tr
from scumble_bridge import messages as wire
from scumble_bridge.errors import MisuseError, PlaceError
from scumble_bridge.places import data_folder, read_core_command
from scumble_bridge.qt_adapter import ScumbleClient

RETRY_MS = 250
# A cold start on a slow disk; the front door itself is up in a second.
START_SECONDS = 60.0
# One that ends still holds its lock while its worker stops.
ENDING_SECONDS = 20.0
LOOK_MS = 3000
DESCRIBE_MS = 2000


class Core(QtCore.QObject):
    """`ensure`, then wait for `ready` or `failed`; `lost` when a line that was open is gone."""

    changed = QtCore.pyqtSignal(object)  # CoreState
    ready = QtCore.pyqtSignal()
    failed = QtCore.pyqtSignal(str)
    lost = QtCore.pyqtSignal()
    message = QtCore.pyqtSignal(object)  # wire.Message

    def __init__(self, own_version: str = "", parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.state = CoreState(own=own_version)
        self.client = ScumbleClient(self)
        self.client.opened.connect(self._opened)
        self.client.failed.connect(self._no_answer)
        self.client.closed.connect(self._closed)
        self.client.message.connect(self._hear)
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self._may_start = False
        self._has_started = False
        self._busy_until = 0.0
        self._again = False
        self._is_ending = False
        self._retry = self._timer(RETRY_MS, self._connect)
        self._look = self._timer(LOOK_MS, self._look_around)
        self._describe = self._timer(DESCRIBE_MS, self._ask)
        self._quit = self._timer(int(ENDING_SECONDS * 1000), self._force)

    @property
    def is_open(self) -> bool:
        return self.client.is_open

    @guarded
    def watch(self) -> None:
        """Look for a running core from time to time; starts none."""
        self._look.setSingleShot(False)
        self._look.start()
        self._look_around()

    @guarded
    def ensure(self, start: bool = True) -> None:
        """Connect; `start`: start a core when none answers."""
        if self.client.is_open:
            self.ready.emit()
            return
        self._may_start = start or (self._may_start and self._until > 0)
        if not self._until:
            self._has_started = False
            self._until = time.monotonic() + (START_SECONDS if start else 0)
            self._busy_until = 0.0
            self._retry.start(0)
        elif start:
            self._until = max(self._until, time.monotonic() + START_SECONDS)
        if start:
            self._set("lost" if self.state.phase == "lost" else "starting")

    @guarded
    def restart(self) -> None:
        """End the core, if one runs, and start it: what runs goes back into its queue, and on from there."""
        self._again = True
        if not self._end_core():
            self._again = False
            self.ensure()

    @guarded
    def stop(self) -> None:
        """End the core."""
        self._again = False
        self._end_core()

    def send(self, message: wire.Message) -> bool:
        """Whether there is a line to send it over."""
        if not self.client.is_open:
            return False
        try:
            self.client.send(message)
        except MisuseError:
            return False
        return True

    def close(self) -> None:
        """Hang up: Krita ends, the core stays."""
        self._until = 0.0
        for timer in (self._retry, self._look, self._describe, self._quit):
            timer.stop()
        self.client.close()

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self._give_up(sentence)

    @guarded
    def _connect(self) -> None:
        self.client.connect_to_core()

    @guarded
    def _opened(self, _server: str) -> None:
        self._until = 0.0
        self._is_ending = False
        self._set("connected")
        self._ask()
        self.send(wire.Watch())
        self.ready.emit()

    @guarded
    def _hear(self, message: wire.Message) -> None:
        if isinstance(message, wire.Described):
            self.state = CoreState("connected", "", message, self.state.own)
            self.changed.emit(self.state)
        elif isinstance(message, wire.Queue) and not self._describe.isActive():
            self._describe.start()  # a job began or ended: so may have memory and worker
        self.message.emit(message)

    @guarded
    def _ask(self) -> None:
        self.send(wire.Describe())

    @guarded
    def _closed(self) -> None:
        self._quit.stop()
        self._describe.stop()
        if self._again:
            self._again = False
            self._is_ending = False
            self._set("starting")
            self.lost.emit()
            self.ensure()
        elif self._is_ending:
            self._is_ending = False
            self._set("off")
            self.lost.emit()
        else:
            self._set("lost")
            self.lost.emit()
            if not self._until:
                self._set("off")  # nobody wants it back now

    @guarded
    def _no_answer(self, reason: str) -> None:
        """Nobody there yet: start one, wait on, or give up."""
        if not self._until:
            return  # an open line has ended: `lost` says so
        if not self._may_start:
            self._stay_off()
        elif self._has_begun():
            if time.monotonic() > self._until:
                self._give_up(self._no_line(reason))
            else:
                self._retry.start(RETRY_MS)

    def _has_begun(self) -> bool:
        """Start a core where none was started yet, and look how it does; False once that was given up."""
        if not self._has_started:
            self._has_started = True
            try:
                self._process = start_core()
            except PlaceError as error:
                self._give_up(str(error), "missing")
                return False
            except OSError as error:
                self._give_up(tr("The core could not be started: {reason}").format(reason=error))
                return False
        code = None if self._process is None else self._process.poll()
        if code is None:
            return True
        self._process = None
        if code != ALREADY_RUNNING:
            self._give_up(
                tr("The core ended with code {code} when it was started: see {folder}.").format(
                    code=code, folder=data_folder() / "logs"
                )
            )
            return False
        # Another one is about to answer, or about to end: then a new one is wanted.
        self._busy_until = self._busy_until or time.monotonic() + ENDING_SECONDS
        self._until = min(self._until, self._busy_until)
        self._has_started = False
        return True

    def _no_line(self, reason: str) -> str:
        if self._busy_until:
            return tr(
                "Another core is running that does not answer this panel ({reason}): it may be of another version. End "
                "it, and press Restart."
            ).format(reason=reason)
        return tr("The core did not answer in time ({reason}); see {folder}.").format(
            reason=reason, folder=data_folder() / "logs"
        )

    def _stay_off(self) -> None:
        self._until = 0.0
        try:
            read_core_command(data_folder())
        except PlaceError as error:
            self._set("missing", str(error))
        else:
            if self.state.phase != "failed":  # why it could not be started is worth reading
                self._set("off")

    def _give_up(self, reason: str, phase: Phase = "failed") -> None:
        self._until = 0.0
        self._process = None
        self._retry.stop()
        self._set(phase, reason)
        self.failed.emit(reason)

    @guarded
    def _look_around(self) -> None:
        if not self.client.is_open and not self._until:
            self.ensure(start=False)

    def _end_core(self) -> bool:
        """Whether there is a core to end."""
        if not self.send(wire.Quit()):
            return False
        self._is_ending = True
        self._set("stopping")
        self._quit.start()
        return True

    @guarded
    def _force(self) -> None:
        """It was asked to end, and has not: hang up, and end it by force where it is ours."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
        self.client.close()

    def _set(self, phase: Phase, message: str = "") -> None:
        described = self.state.described if phase in ("connected", "stopping") else None
        state = CoreState(phase, message, described, self.state.own)
        if state != self.state:
            self.state = state
            self.changed.emit(state)

    def _timer(self, milliseconds: int, call: Callable[[], None]) -> QtCore.QTimer:
        timer = QtCore.QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(call)
        return timer
