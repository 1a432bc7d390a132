"""One run, from the button to the layers: its own life, through whatever happens to the line and to the core.

Theory of operation: everything happens in slots, in the GUI thread; nothing waits. `state` says where it stands, and
each change of it is one signal. All ways out go through `_end`, which lets go of what it held. A run knows nothing of
other runs: runner.py tells it what the core says, and that the line is there or gone.
"""

import random
import time
import uuid
from collections.abc import Callable

from scumble.core.link import Core
from scumble.guard import guarded
from scumble.host.contract import Delivery, Host, Placed, Snapshot
from scumble.qt import QtCore, QtGui
from scumble.runs.fetching import Fetching
from scumble.runs.grid import Grid
from scumble.runs.order import Asked, Order
from scumble.runs.preview import Growing
from scumble.runs.shrink import shrunk
from scumble.runs.source import Part, Source
from scumble.runs.state import AT_CORE, RunState
from scumble.runs.steps import Drive
from scumble.runs.tidings import Tidings, done_sentence
from scumble.words import tr
from scumble_bridge import messages as wire
from scumble_bridge.errors import MisuseError
from scumble_bridge.fields import Upload

THUMBNAIL = 160
SHOWN = 480


class Run(QtCore.QObject):
    """Make it, then `take` (or `go_on`, for one whose picture is known). See runner.py."""

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

    # Its beginnings.

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

    @guarded
    def close(self) -> None:
        """Krita ends. What the core has goes on there, and is remembered (runner.py)."""
        self._let_go()

    def hand_over(self) -> "Source | None":
        """The source, which the taker releases."""
        source, self.source = self.source, None
        return source

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self._release()
        self._fail(sentence)

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
        if self.state.phase == "lost" and self._was_accepted:
            self._offer(reason)
        elif self.state.phase in ("connecting", "lost"):
            if self.finished is not None or (self._was_accepted and self.source is None):
                self._offer(reason)
            else:
                self._fail(reason)

    def _submit(self, order: Order) -> None:
        ask = wire.Submit(
            order.job, order.request, order.header, order.mask_header, 0, self.client_name,
            self.asked.settings.title, len(order.profile),
        )  # fmt: skip
        self._core.client.send(ask)
        self._set(RunState("sending" if self.source is not None else "waiting", total=order.header.total_bytes))

    # What the core says.

    @guarded
    def hear(self, message: wire.Message) -> None:
        """News of this run's job."""
        if isinstance(message, wire.Estimated):
            if message.ask == self._ask:
                self._learn(message)
            return
        if self.order is None or self.state.is_over or self.state.phase == "offered":
            return
        try:
            self._hear(self.order, message)
        except MisuseError:
            return  # the line broke in this very moment: on_lost comes next

    def _hear(self, order: Order, message: wire.Message) -> None:
        if isinstance(message, wire.Accepted):
            self._upload(order, message.streams)
        elif isinstance(message, wire.Progress):
            self._progress(message)
        elif isinstance(message, wire.Preview):
            if self.growing.image.isNull():  # the plan has not come
                scale = self.asked.settings.scale
                self.growing.begin(round(order.box.width * scale), round(order.box.height * scale), self.before)
            self.growing.add(message)
            self.previewed.emit()
            self.tile.emit(message)
        elif isinstance(message, wire.Finished):
            self._was_accepted = True
            self._fetch(message)
        elif isinstance(message, wire.Pixels):
            self._receive(message)
        elif isinstance(message, wire.Cancelled):
            self._cancelled()
        elif isinstance(message, wire.Failed):
            self._failed(order, message)

    def _upload(self, order: Order, streams: "tuple[Upload, ...]") -> None:
        self._core.client.send(wire.Estimate(self._ask, order.request, order.header, order.bounds))
        source = self.source
        if not streams:
            self._was_accepted = True
            self._set(RunState("waiting"))
        elif source is None:
            self._release()
            self._fail(tr("The core doesn't have this picture any more: run it again."))
        for stream in streams if source is not None else ():
            assert source is not None
            if stream == "source":
                self._core.client.upload(order.job, stream, order.header.total_bytes, source.read)
            else:
                whole = source.profile if stream == "profile" else source.selection or b""
                self._core.client.upload(order.job, stream, len(whole), _reader(whole))

    @guarded
    def on_uploaded(self, stream: str, count: int, total: int) -> None:
        """So much has gone out."""
        if self.state.phase != "sending" or stream != "source":
            return
        if count < total:
            self._set(RunState("sending", done=count, total=total))
        else:
            self._was_accepted = True
            self._set(RunState("waiting"))

    def _progress(self, news: wire.Progress) -> None:
        self._was_accepted = True
        if news.stage in ("first_pass", "upscale", "merge", "tiles"):
            self._tiles = max(self._tiles, news.tile)
        if self.state.phase == "stopping":
            return
        if news.stage == "paused":
            last = self.state if self.state.phase == "running" and self.state.stage != "queued" else RunState("paused")
            self._set(RunState("paused", done=last.done, total=last.total))
        else:
            self._set(RunState("running", news.stage, news.tile, news.tiles, news.seconds_left))

    def _learn(self, message: wire.Estimated) -> None:
        self.grid = Grid.of(message.plan)
        if self.grid is not None and self.growing.image.isNull():
            self.growing.begin(*self.grid.extent, self.before)
            self.previewed.emit()

    def _cancelled(self) -> None:
        if self._tiles:
            self._offer("")
        else:
            self._release()
            self._end(RunState("stopped"))

    def _failed(self, order: Order, message: wire.Failed) -> None:
        if message.code == "unknown_job":
            if self.state.phase == "stopping":
                self._end(RunState("stopped"))
            elif self.source is not None:
                self._was_accepted = False
                self._submit(order)
            else:
                self._fail(tr("The core doesn't have this run any more: run it again."))
        elif message.code == "bad_request" and self.state.phase in ("paused", "stopping"):
            return  # it only refused an order
        elif self._tiles and message.code in ("worker_died", "out_of_memory", "disk_full", "internal"):
            self._offer(message.message)
        else:
            self._release()
            self._fail(message.message)

    # The results.

    def _fetch(self, message: wire.Finished) -> None:
        self.finished = message
        grid = Grid.of(message.summary)
        self.grid = grid or self.grid
        self._close_fetching()
        if self._shows_first and self.asked.manner == "place":
            self._set(RunState("ready"))  # Krita was closed meanwhile: the artist is asked
            return
        self._fetching = Fetching(self._core.client, message)
        self._set(RunState("fetching", total=self._fetching.total))
        if self._fetching.is_whole:
            self._arrived()

    def _receive(self, piece: wire.Pixels) -> None:
        fetching = self._fetching
        if fetching is None or self.state.phase != "fetching":
            return
        fetching.take(piece)
        self._set(RunState("fetching", done=fetching.received, total=fetching.total))
        if fetching.is_whole:
            self._arrived()

    def _arrived(self) -> None:
        """First the small picture: of a trial, to be shown; of any other, for the history."""
        fetching, order = self._fetching, self.order
        assert fetching is not None
        assert order is not None
        side = SHOWN if self.asked.manner == "show" else THUMBNAIL
        refined = fetching.spools["refined"]
        self._set(RunState("placing" if self.asked.manner == "place" else "fetching"))
        self._drive = Drive(shrunk(refined, side, order.profile), self._seen_after, lambda _: self._met())

    def _seen_after(self, image: QtGui.QImage) -> None:
        self.after = image
        self.previewed.emit()
        self._met()

    def _met(self) -> None:
        if self.asked.manner == "show":
            self._set(RunState("ready"))
        else:
            self._place()

    def _place(self) -> None:
        fetching, order = self._fetching, self.order
        assert fetching is not None
        assert order is not None
        self._set(RunState("placing"))
        there, spools = fetching.finished, fetching.spools
        delivery = Delivery(
            placement=order.placement,
            x=there.x,
            y=there.y,
            scale=order.scale,
            title=self.asked.settings.title,
            note=order.note,
            profile=order.profile,
            upscaled=spools["upscaled"],
            refined=spools["refined"],
        )
        self._drive = Drive(self._host.place(order.target, delivery), self._have_placed, self._not_placed)

    def _have_placed(self, placed: Placed) -> None:
        assert self.finished is not None
        self.placed.emit(placed)
        self._end(RunState("done", message=placed.said or done_sentence(Tidings.of(self.finished.summary))))

    def _not_placed(self, sentence: str) -> None:
        """The results are still there: the artist may make room, or unlock what is locked, and place them again."""
        self._set(RunState("ready", message=sentence))

    # The ways out.

    def _offer(self, reason: str) -> None:
        self._close_fetching()
        self._set(RunState("offered", message=reason))

    @guarded
    def on_unreadable(self, reason: str) -> None:
        """The source could not be read; the core has been told."""
        self._release()
        self._fail(reason)

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


def _reader(whole: bytes) -> "Callable[[int, int], bytes]":
    return lambda offset, size: whole[offset : offset + size]
