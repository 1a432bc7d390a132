"""All runs of this Krita: started, told what the core says, remembered, and what the last one of a document left.

Theory of operation: runs don't know each other. The core's messages go to the run whose job they name; when the line
opens, breaks or can't be had, all are told, and as long as one of them is at the core a lost line is wanted back.
What nobody wants any more is released at once, or as soon as there is a line again.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from scumble.core.link import Core
from scumble.geometry import Box
from scumble.guard import guarded
from scumble.host.contract import Host, Placed
from scumble.qt import QtCore
from scumble.runs.grid import Grid
from scumble.runs.memory import Memory
from scumble.runs.order import Asked, Order, Reseeded, again_at
from scumble.runs.run import Run
from scumble.runs.seat import Seat
from scumble.runs.source import Source
from scumble.settings import Settings, fresh_seed
from scumble.words import tr
from scumble_bridge import messages as wire

# Sources of finished runs are kept on the disk for so many documents: each may have a gigabyte.
MOST_SOURCES = 3
# Runs that are over and still shown.
MOST_OVER = 5


@dataclass(frozen=True)
class Made:
    """A run whose results lie in a document. `source`: None when it isn't kept; `grid`: None when it isn't known."""

    order: Order
    placed: Placed
    finished: wire.Finished
    grid: "Grid | None"
    source: "Source | None"

    @property
    def again(self) -> Order:
        """The order of the same run, for the document as it is now."""
        size = self.finished.refined.width, self.finished.refined.height
        return again_at(self.order, self.placed.document, size)


class Runner(QtCore.QObject):
    """`runs`: the oldest first."""

    changed = QtCore.pyqtSignal(object)  # Run: a new one, or one whose state has changed
    previewed = QtCore.pyqtSignal(object)  # Run
    tile = QtCore.pyqtSignal(object, object)  # Run, wire.Preview
    made = QtCore.pyqtSignal(object, object)  # Run, Made

    def __init__(self, host: Host, core: Core, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.runs: tuple[Run, ...] = ()
        self._host = host
        self._core = core
        self._seat = Seat()
        self._memory = Memory(host, self._seat)
        self._made: tuple[Made, ...] = ()
        self._unwanted: set[str] = set()
        self._is_closed = False
        self.client_name = host.load("client") or f"Krita {secrets.token_hex(3)}"
        host.save("client", self.client_name)
        if self._seat.number > 1:  # another Krita is open, and its jobs aren't ours
            self.client_name = f"{self.client_name} ({self._seat.number})"
        core.ready.connect(self._ready)
        core.lost.connect(self._lost)
        core.failed.connect(self._failed)
        core.message.connect(self._hear)
        core.client.uploaded.connect(self._uploaded)
        core.client.upload_failed.connect(self._unreadable)

    def current(self, document: str) -> "Run | None":
        """The run that the panel shows beside this document: its latest, else the latest that is not over."""
        own = [run for run in self.runs if run.document == document]
        busy = [run for run in self.runs if not run.state.is_over]
        shown = own or busy
        return shown[-1] if shown else None

    def last(self, document: str) -> "Made | None":
        """What was made last in this document since Krita was started; trials of a tile don't count."""
        found = [made for made in self._whole() if made.placed.document == document]
        return found[-1] if found else None

    def last_of(self, document: str) -> "Made | None":
        """What was made last of this document or in it: its results may lie in another."""
        found = [made for made in self._whole() if document in (made.order.target.document, made.placed.document)]
        return found[-1] if found else None

    def resume(self, job: str) -> None:
        """One that was paused, by the name that the core's list has for it."""
        for run in self._of(job):
            run.resume()

    # Beginnings.

    def start(self, asked: Asked) -> Run:
        """Take the source now, and do the rest as the core answers."""
        run = self._new(asked)
        run.take()
        return run

    def restore(self) -> "tuple[Run, ...]":
        """Take up what was under way when Krita was closed."""
        found = []
        for order in self._memory.orders():
            run = self._new(order.asked)
            run.take_up(order)
            found.append(run)
        return tuple(found)

    def redo(self, made: Made, seed: "int | None" = None) -> Run:
        """The same run from another seed, of the picture as it was sent; that is taken anew when it isn't kept."""
        new = fresh_seed() if seed is None else seed
        return self._again(made, replace(made.order.asked, settings=replace(made.order.asked.settings, seed=new)))

    def redo_tile(self, document: str, x: int, y: int) -> "Run | str":
        """The tile under a place of the document from another seed; the others are kept. Or why that can't be done."""
        made = self.last(document)
        if made is None or made.grid is None or made.order.asked.tile is not None:
            return tr("There is no run in this document yet whose tiles could be made anew: press Refine first.")
        again = made.again
        tile = made.grid.tile_at(x, y, again.target.box)
        if tile is None:
            return tr("The last run had no tile there: point at a place that it refined.")
        others = tuple(each for each in made.order.asked.reseeded if (each.x, each.y) != tile)
        return self._again(made, replace(made.order.asked, reseeded=(*others, Reseeded(*tile, fresh_seed()))))

    def repeat(self, made: Made) -> Run:
        """The same once more, of what is in the document now: only what was painted over costs anything."""
        return self.start(made.order.asked)

    def _again(self, made: Made, asked: Asked) -> Run:
        source = made.source
        if source is None or not source.is_kept:
            return self.start(asked)
        run = self._new(asked)
        run.go_on(replace(made.again, job=secrets.token_hex(16), asked=asked), source.shared())
        return run

    def close(self) -> None:
        """Krita ends. What the core has goes on there."""
        self._is_closed = True
        for run in self.runs:
            run.close()
        for made in self._made:
            if made.source is not None:
                made.source.release()
        self._made = ()
        self._seat.leave()

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        for run in self.runs:
            if run.state.is_busy:
                run.surprised(sentence)

    def _new(self, asked: Asked) -> Run:
        run = Run(self._core, self._host, asked, self)
        run.client_name = self.client_name
        run.changed.connect(self._slot(run, self._changed))
        run.ordered.connect(self._slot(run, self._changed))
        run.previewed.connect(self._slot(run, self._previewed))
        run.tile.connect(lambda preview: self.tile.emit(run, preview))
        run.placed.connect(lambda placed: self._placed(run, placed))
        run.unwanted.connect(self._release)
        over = [each for each in self.runs if each.state.is_over][:-MOST_OVER]
        self.runs = (*(each for each in self.runs if each not in over), run)
        for each in over:
            each.deleteLater()
        return run

    def _whole(self) -> "list[Made]":
        return [made for made in self._made if made.order.asked.tile is None]

    @staticmethod
    def _slot(run: Run, call: "Callable[[Run], None]") -> "Callable[..., None]":
        return lambda *_: call(run)

    # What runs say.

    @guarded
    def _changed(self, run: Run) -> None:
        if self._is_closed:
            return
        self._memory.remember(each.order for each in self.runs if each.order is not None and not each.state.is_over)
        self.changed.emit(run)

    @guarded
    def _previewed(self, run: Run) -> None:
        self.previewed.emit(run)

    @guarded
    def _placed(self, run: Run, placed: Placed) -> None:
        assert run.order is not None
        assert run.finished is not None
        source = run.hand_over()
        made = Made(run.order, placed, run.finished, run.grid, source)
        is_trial = made.order.asked.tile is not None
        if not is_trial:
            same = (each for each in self._made if each.placed.document == placed.document)
            self._drop([each for each in same if each.order.asked.tile is None])
        self._made = (*self._made, made)
        self._drop(list(self._made[:-MOST_SOURCES]))
        if not is_trial:
            for job in self._memory.keep(placed.document, made.order.job):
                self._release(job)
        else:
            self._release(made.order.job)
        self.made.emit(run, made)

    def _drop(self, gone: "list[Made]") -> None:
        for made in gone:
            if made.source is not None:
                made.source.release()
        self._made = tuple(each for each in self._made if all(each is not other for other in gone))

    @guarded
    def _release(self, job: str) -> None:
        if not self._core.send(wire.Release(job)):
            self._unwanted.add(job)

    # What the core says.

    @guarded
    def _ready(self) -> None:
        unwanted, self._unwanted = self._unwanted, set()
        for job in unwanted:
            self._release(job)
        for run in self.runs:
            run.on_ready()

    @guarded
    def _lost(self) -> None:
        for run in self.runs:
            run.on_lost()
        if not self._is_closed and any(run.state.phase in ("lost", "connecting") for run in self.runs):
            self._core.ensure()

    @guarded
    def _failed(self, reason: str) -> None:
        for run in self.runs:
            run.on_failed(reason)

    @guarded
    def _hear(self, message: wire.Message) -> None:
        job = getattr(message, "job", None)
        for run in self.runs:
            known = run.order is not None and run.order.job == job
            if (job is not None and known) or isinstance(message, wire.Estimated):
                run.hear(message)

    @guarded
    def _uploaded(self, job: str, stream: str, count: int, total: int) -> None:
        for run in self._of(job):
            run.on_uploaded(stream, count, total)

    @guarded
    def _unreadable(self, job: str, reason: str) -> None:
        for run in self._of(job):
            run.on_unreadable(reason)

    def _of(self, job: str) -> "list[Run]":
        return [run for run in self.runs if run.order is not None and run.order.job == job]


def trial(settings: Settings, grid: "Grid | None", sent: Box, place: "tuple[int, int] | None") -> "Asked | str":
    """A run of the tile under a place on the canvas, of which the box `sent` would be sent; or why there is none."""
    if grid is None:
        return tr("The tiles are not known yet: wait for the estimate.")
    if place is None:
        place = sent.x + sent.width // 2, sent.y + sent.height // 2
    tile = grid.tile_at(*place, sent)
    if tile is None:
        return tr("Nothing would be sent of that place: point at a part that is refined.")
    return Asked(settings, grid.box_of(tile, sent))


def here_again(settings: Settings) -> Asked:
    """The selection once more, from another seed."""
    return Asked(replace(settings, source="selection", seed=fresh_seed()))
