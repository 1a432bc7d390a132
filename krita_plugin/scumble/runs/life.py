"""What every run has, whatever goes on: its state, what it holds, and its ways out.

Theory of operation: `state` says where it stands, and each change of it is one signal. All ends go through `_end`,
which lets go of what was held.
"""

import random

from scumble.core.link import Core
from scumble.guard import guarded
from scumble.host.contract import Host, Placed, Snapshot
from scumble.qt import QtCore, QtGui
from scumble.runs.fetching import Fetching
from scumble.runs.grid import Grid
from scumble.runs.order import Asked, Order
from scumble.runs.preview import Growing
from scumble.runs.source import Source
from scumble.runs.state import RunState
from scumble.runs.steps import Drive
from scumble_bridge import messages as wire


class Life(QtCore.QObject):
    """`before`, `after`: small pictures, null while there are none; `grid`: None until the core has told its plan."""

    changed = QtCore.pyqtSignal(object)  # RunState
    ordered = QtCore.pyqtSignal()  # `order` is known, or a new one
    previewed = QtCore.pyqtSignal()  # `growing`, `before` or `after` has changed
    tile = QtCore.pyqtSignal(object)  # wire.Preview: for the canvas
    placed = QtCore.pyqtSignal(object)  # Placed; `hand_over` gives the source, if it is wanted on
    unwanted = QtCore.pyqtSignal(str)  # the core may forget this job

    def __init__(self, core: Core, host: Host, asked: Asked, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.asked = asked
        self.document = host.active_document()
        self.state = RunState("taking")
        self.order: Order | None = None
        self.source: Source | None = None
        self.finished: wire.Finished | None = None
        self.grid: Grid | None = None
        self.growing = Growing()
        self.before, self.after = QtGui.QImage(), QtGui.QImage()
        self.client_name = ""
        self._core = core
        self._host = host
        self._drive: Drive[Snapshot] | Drive[Placed] | Drive[QtGui.QImage] | None = None
        self._looking: Drive[QtGui.QImage] | None = None
        self._fetching: Fetching | None = None
        self._ask = random.SystemRandom().randrange(2**31)
        self._tiles = 0  # finished ones, of any stage that keeps them
        self._was_accepted = False
        self._wants_to_end = False
        self._is_remembered = False
        self._shows_first = asked.manner == "show"

    def hand_over(self) -> "Source | None":
        """The source, which the taker releases."""
        source, self.source = self.source, None
        return source

    @guarded
    def close(self) -> None:
        """Krita ends. What the core has goes on there, and is remembered (runner.py)."""
        self._let_go()

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self._release()
        self._fail(sentence)

    def _offer(self, reason: str) -> None:
        self._close_fetching()
        self._set(RunState("offered", message=reason))

    def _fail(self, reason: str) -> None:
        if not self.state.is_over:
            self._end(RunState("failed", message=reason))

    def _release(self) -> None:
        if self.order is not None:
            self.unwanted.emit(self.order.job)

    def _end(self, state: RunState) -> None:
        """The one way out."""
        self._let_go()
        self._set(state)

    def _let_go(self) -> None:
        for drive in (self._drive, self._looking):
            if drive is not None:
                drive.close()
        self._drive = self._looking = None
        self._close_fetching()
        if self.source is not None:
            self.source.release()
            self.source = None

    def _close_fetching(self) -> None:
        if self._fetching is not None:
            self._fetching.close()
            self._fetching = None

    def _set(self, state: RunState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
