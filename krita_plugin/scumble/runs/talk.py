"""A run and the core: what it says of the job, and the results that come from it and go to the host."""

from scumble.guard import guarded
from scumble.host.contract import Delivery, HostError, Placed
from scumble.qt import QtGui
from scumble.runs.fetching import Fetching
from scumble.runs.grid import Grid
from scumble.runs.life import Life
from scumble.runs.order import Order
from scumble.runs.shrink import shrunk
from scumble.runs.state import RunState
from scumble.runs.steps import Drive
from scumble.runs.tidings import Tidings, done_sentence
from scumble.words import tr
from scumble_bridge import messages as wire
from scumble_bridge.errors import MisuseError
from scumble_bridge.fields import Upload

THUMBNAIL = 160
SHOWN = 480


class Talk(Life):
    """From the first message to the placed layers."""

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

    def _submit(self, order: Order) -> None:
        ask = wire.Submit(
            order.job, order.request, order.header, order.mask_header, 0, self.client_name,
            self.asked.settings.title, len(order.profile), order.strength_header, order.region_headers,
        )  # fmt: skip
        self._core.client.send(ask)
        self._set(RunState("sending" if self.source is not None else "waiting", total=order.header.total_bytes))

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
            self._core.client.upload(order.job, stream, *source.stream(stream))

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

    @guarded
    def on_unreadable(self, reason: str) -> None:
        """The source could not be read; the core has been told."""
        self._release()
        self._fail(reason)

    def _progress(self, news: wire.Progress) -> None:
        self._was_accepted = True
        if news.stage in ("restore", "first_pass", "upscale", "merge", "tiles"):
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
        try:
            self._fetching = Fetching(self._core.client, message)
        except HostError as error:
            self._not_fetched(str(error))
            return
        self._set(RunState("fetching", total=self._fetching.total))
        if self._fetching.is_whole:
            self._arrived()

    def _receive(self, piece: wire.Pixels) -> None:
        fetching = self._fetching
        if fetching is None or self.state.phase != "fetching":
            return
        try:
            fetching.take(piece)
        except HostError as error:
            self._not_fetched(str(error))
            return
        self._set(RunState("fetching", done=fetching.received, total=fetching.total))
        if fetching.is_whole:
            self._arrived()

    def _not_fetched(self, sentence: str) -> None:
        """There is no room for the results here: the core keeps them, until the artist has made some."""
        self._close_fetching()
        self._set(RunState("ready", message=sentence))

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
