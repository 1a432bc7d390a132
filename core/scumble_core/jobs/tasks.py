"""The tasks of all jobs, as the journal's table has them: what was done, by its key, and what that took.

The file with its checksum is the truth of the pixels; a row says to other jobs where to look for it, and to people how
a job fared. So rows may be a moment late: they are written in batches.
"""

import asyncio
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from scumble_core.events import HOWS, TaskFinished
from scumble_core.picture.geometry import Bounds

BATCH_SECONDS = 1.0
MOST_IN_BATCH = 256
# Of a task that is only known by its file: the journal was lost, or older than its tasks.
UNKNOWN_STAGE = "unknown"


@dataclass(frozen=True)
class Task:
    """One row. `bounds` in output pixels; `seconds`: what it took when it was done, 0 where that isn't known.

    `source`: how the job's last run came by it ("done", "kept" or "taken over").
    """

    job: str
    stage: str
    key: str
    bounds: Bounds
    seconds: float
    source: str

    @classmethod
    def of(cls, job: str, event: TaskFinished) -> "Task":
        return cls(job, event.stage, event.key, event.bounds, event.seconds, event.how)

    @classmethod
    def found(cls, job: str, key: str) -> "Task":
        """One that lies in the job's folder, of which nothing else is known."""
        return cls(job, UNKNOWN_STAGE, key, Bounds(0, 0, 0, 0), 0.0, "kept")


class Batches:
    """Gathers tasks and writes many at once: after a second at the latest, or when `flush` is called."""

    def __init__(self, write: Callable[[Sequence[Task]], None]) -> None:
        self._write = write
        self._waiting: list[Task] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, task: Task) -> None:
        self._waiting.append(task)
        if len(self._waiting) >= MOST_IN_BATCH:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write(waiting)


def fared(tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
    """By stage: how many tasks were done, kept and taken over, and the median of what they took, in seconds."""
    stages: dict[str, list[Task]] = {}
    for task in tasks:
        stages.setdefault(task.stage, []).append(task)
    told = {}
    for stage, those in stages.items():
        counts = Counter(task.source for task in those)
        seconds = [task.seconds for task in those if task.seconds > 0]
        median = round(statistics.median(seconds), 3) if seconds else None
        told[stage] = {**{how.replace(" ", "_"): counts[how] for how in HOWS}, "median_seconds": median}
    return told
