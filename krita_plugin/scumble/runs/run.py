"""One run, from the button to the layers: its own life, through whatever happens to the line and to the core.

Theory of operation: everything happens in slots, in the GUI thread; nothing waits. A run knows nothing of other runs:
runner.py tells it what the core says, and that the line is there or gone. life.py has what it holds and how it ends,
talk.py what the core says; here is how it begins, what the artist wishes, and what becomes of the line.
"""

import time
import uuid

from scumble.guard import guarded
from scumble.host.contract import Snapshot
from scumble.qt import QtGui
from scumble.runs.order import Order
from scumble.runs.shrink import shrunk
from scumble.runs.source import Part, Source
from scumble.runs.state import AT_CORE, RunState
from scumble.runs.steps import Drive
from scumble.runs.talk import SHOWN, Talk
from scumble.words import tr
from scumble_bridge import messages as wire


class Run(Talk):
    """Make it, then `take`, or `go_on` with a picture that is known, or `take_up` what was under way. See runner.py."""

    @guarded
    def take(self) -> None:
        """Read what the settings say, now."""
        self._drive = Drive(self._host.take(self.asked.settings.wanted), self._taken, self._fail)

    def go_on(self, order: Order, source: Source) -> None:
        """With a picture that was read before."""
        self.order, self.source = order, source
        self.document = order.target.document
        self._set(RunState("connecting"))
        self.ordered.emit()
        self._look(source)
        self._core.ensure()

    def take_up(self, order: Order) -> None:
        """What was under way when Krita was closed: only the core has the picture, if anybody has."""
        self.order, self.document = order, order.target.document
        self._was_accepted = self._shows_first = self._is_remembered = True
        self._tiles = 1  # nobody knows: rather offer what is there than throw it away
        self._set(
            RunState("offered", message=tr("A run was under way when Krita was closed: continue, or discard it."))
        )
        if self._core.is_open:
            self.on_ready()

    def _taken(self, snapshot: Snapshot) -> None:
        box = self.asked.tile
        source = self.source = Source(snapshot if box is None else Part(snapshot, box))
        settings, target = self.asked.settings, source.target
        self.document = target.document
        self.order = Order(
            job=uuid.uuid4().hex,
            asked=self.asked,
            box=target.box,
            header=source.header,
            masked=source.selection is not None,
            selected=None if target.selected is None else target.selected.moved(-target.box.x, -target.box.y),
            profile=source.profile,
            target=target,
            placement=self.asked.placement,
            scale=1.0 if settings.keeps_size else settings.scale,
            began=time.time(),
        )
        self._set(RunState("connecting"))
        self.ordered.emit()
        self._look(source)
        self._core.ensure()

    def _look(self, source: Source) -> None:
        self._looking = Drive(shrunk(source, SHOWN, source.profile), self._seen_before, self._not_seen)

    def _seen_before(self, image: QtGui.QImage) -> None:
        self.before = image
        self.previewed.emit()

    def _not_seen(self, _sentence: str) -> None:
        """A run may do without its small pictures."""

    # What the artist wishes.

    @guarded
    def pause(self) -> None:
        """The core stops after the tile that it is at."""
        if self.order is not None and self.state.can_pause:
            self._core.send(wire.Cancel(self.order.job, "pause"))

    @guarded
    def resume(self) -> None:
        """Go on after a pause, or with what was kept after an end."""
        if self.state.phase in ("paused", "offered"):
            self._wants_to_end = False
            self._set(RunState("connecting"))
            self._core.ensure()

    @guarded
    def cancel(self) -> None:
        """End it; finished tiles are kept and offered, where there are some."""
        if not self.state.can_cancel:
            return
        order = self.order
        if order is None or not self._tiles or self.state.phase in ("sending", "fetching"):
            self._release()
            self._end(RunState("stopped"))
            return
        self._wants_to_end = not self._core.send(wire.Cancel(order.job))
        if self.state.phase in ("connecting", "paused") or self._wants_to_end:
            self._offer("")
        else:
            self._set(RunState("stopping"))

    @guarded
    def discard(self) -> None:
        """Nobody wants what was kept."""
        if self.state.phase in ("offered", "ready", "paused"):
            self._release()
            self._end(RunState("stopped"))

    @guarded
    def place(self) -> None:
        """The result that was shown first."""
        if self.state.phase != "ready":
            return
        if self._fetching is not None:
            self._place()
        elif self.finished is not None:
            self._shows_first = False
            self._set(RunState("connecting"))
            self._core.ensure()

    # The line.

    @guarded
    def on_ready(self) -> None:
        """There is a line."""
        order = self.order
        if order is None:
            return
        if self._wants_to_end:
            self._wants_to_end = not self._core.send(wire.Cancel(order.job))
        if self._is_remembered and self.state.phase == "offered":
            self._is_remembered = False
            self._core.send(wire.Attach(order.job))
            self._set(RunState("waiting"))
        if self.state.phase not in ("connecting", "lost"):
            return
        if self.state.phase == "lost" and self._was_accepted:
            self._core.send(wire.Attach(order.job))
            self._set(RunState("waiting"))
        elif self.finished is not None and self._was_accepted:
            self._fetch(self.finished)
        else:
            self._submit(order)

    @guarded
    def on_lost(self) -> None:
        """The line is gone."""
        if self.state.phase == "stopping":
            self._wants_to_end = True
            self._offer("")
        elif self.state.phase in AT_CORE:
            self._close_fetching()
            self._set(RunState("lost"))

    @guarded
    def on_failed(self, reason: str) -> None:
        """There will be no line."""
        if self.state.phase in ("connecting", "lost") and self._was_accepted:
            self._offer(reason)  # the core has it, wherever it is
        elif self.state.phase in ("connecting", "lost"):
            self._fail(reason)
