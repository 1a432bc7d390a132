"""The list of all jobs of the core, as the panel shows it."""

from dataclasses import dataclass

from scumble.core.link import Core
from scumble.guard import guarded
from scumble.qt import QtCore
from scumble.runs.state import RunState
from scumble.words import tr
from scumble_bridge import messages as wire
from scumble_bridge.fields import JobRow

UNDER_WAY = frozenset({"uploading", "queued", "running", "paused"})
MOST_PRIORITY = 100


@dataclass(frozen=True)
class Entry:
    """A row. `is_own`: this Krita sent it; `place`: among those that wait, 1 for the next, else 0."""

    row: JobRow
    is_own: bool
    place: int = 0

    @property
    def title(self) -> str:
        return self.row.title or tr("Untitled")

    @property
    def is_under_way(self) -> bool:
        return self.row.state in UNDER_WAY

    @property
    def can_pause(self) -> bool:
        return self.row.state in ("queued", "running")

    @property
    def can_resume(self) -> bool:
        """Only who sent a job knows what it would have to send again: others are resumed where they came from."""
        return self.row.state == "paused" and self.is_own

    @property
    def can_cancel(self) -> bool:
        return self.is_under_way

    @property
    def can_run_next(self) -> bool:
        return self.row.state == "queued" and self.place > 1

    @property
    def share(self) -> "float | None":
        if self.row.state not in ("running", "paused") or not self.row.tiles:
            return None
        return min(1.0, self.row.tile / self.row.tiles)

    @property
    def sentence(self) -> str:
        """Where it stands, for people."""
        row = self.row
        if row.state == "running":
            return RunState("running", row.stage, row.tile, row.tiles, row.seconds_left).sentence
        if row.state == "queued":
            return RunState("running", "queued", max(0, self.place - 1)).sentence
        return {
            "uploading": tr("Sending the picture…"),
            "paused": tr("Paused."),
            "finished": tr("Done."),
            "failed": tr("It failed."),
            "cancelled": tr("Cancelled."),
        }.get(row.state, row.state)


def entries(rows: "tuple[JobRow, ...]", own_client: str, own_jobs: "frozenset[str]") -> "tuple[Entry, ...]":
    """In the core's order: what runs, then what waits as it will run, and what is over last."""
    made, place = [], sum(row.state == "running" for row in rows)
    for row in rows:
        waits = row.state == "queued"
        place += waits
        made.append(Entry(row, row.client == own_client or row.job in own_jobs, place if waits else 0))
    return tuple(sorted(made, key=lambda entry: (not entry.is_under_way, not entry.is_own and not entry.is_under_way)))


class Queue(QtCore.QObject):
    """Keeps the list, and passes on what the artist wishes for its jobs."""

    changed = QtCore.pyqtSignal(object)  # tuple[Entry, ...]

    def __init__(self, core: Core, client_name: str, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.entries: tuple[Entry, ...] = ()
        self._core = core
        self._client_name = client_name
        core.message.connect(self._hear)
        core.lost.connect(self._empty)

    @guarded
    def pause(self, job: str) -> None:
        self._core.send(wire.Cancel(job, "pause"))

    @guarded
    def cancel(self, job: str) -> None:
        self._core.send(wire.Cancel(job))

    @guarded
    def run_next(self, job: str) -> None:
        """Before all others that wait."""
        others = [entry.row.priority for entry in self.entries if entry.row.state == "queued" and entry.row.job != job]
        self._core.send(wire.Prioritise(job, min(MOST_PRIORITY, max(others, default=0) + 1)))

    def surprised(self, _sentence: str) -> None:
        """See `guarded`: the list is a courtesy."""
        self._set(())

    @guarded
    def _hear(self, message: wire.Message) -> None:
        if isinstance(message, wire.Queue):
            self._set(entries(message.jobs, self._client_name, frozenset()))

    @guarded
    def _empty(self) -> None:
        self._set(())

    def _set(self, found: "tuple[Entry, ...]") -> None:
        if found != self.entries:
            self.entries = found
            self.changed.emit(found)
