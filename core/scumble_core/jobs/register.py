"""All jobs of one core: in memory, in the journal, and their folders on the disk, kept in step.

Theory of operation: the journal is the truth between two lives of the core, the folders hold the pictures. A job
enters the journal when its pictures have come in whole, so that a row means a job that can run. Where they disagree
after a crash, what can't run is dropped, and what only the folder knows of (the journal was lost) is taken up again.
"""

import asyncio
import json
import logging
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scumble_bridge import messages as wire
from scumble_core.errors import ScumbleError
from scumble_core.jobs.client import Client
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.eviction import Kept, Limits, soon_too_old, to_evict
from scumble_core.jobs.job import ENTRY, Job
from scumble_core.jobs.journal import Journal
from scumble_core.jobs.recovery import finished_keys, finished_tiles
from scumble_core.jobs.states import ACTIVE, AT_START, State
from scumble_core.jobs.tasks import Task
from scumble_core.stages.elsewhere import Elsewhere

JOURNAL = "jobs.sqlite"

_log = logging.getLogger("scumble.jobs")


class Register:
    """Open it, and close it at the end. Not for two processes at once: `scumble serve` sees to that with a lock."""

    def __init__(self, folder: Path, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        """`folder`: of the job folders; the journal lies beside it."""
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._journal: Journal | None = None
        self._jobs: dict[str, Job] = {}
        self._warned: set[str] = set()
        self._number = 0

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def get(self, job: str) -> Job | None:
        return self._jobs.get(job)

    def open(self) -> None:
        """Take up all that the last core left. Raises ScumbleError when there can be no journal at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._journal = Journal.open(self._folder.parent / JOURNAL)
        for entry in self._journal.entries():
            self._take_up(entry)
        for folder in sorted(self._folder.iterdir()):
            if folder.is_dir() and folder.name not in self._jobs:
                self._take_in(folder)
        self._number = max((job.entry.number for job in self), default=0)
        known = self._journal.jobs_with_tasks()
        for job in self:
            if job.id not in known:  # the journal was lost, or older than its table of tasks
                self.note([Task.found(job.id, key) for key in finished_keys(job.folder)])

    def close(self) -> None:
        """What runs is the next core's to run."""
        for job in self:
            if job.state in AT_START:
                self.move(job, AT_START[job.state])
        if self._journal is not None:
            self._journal.close()

    def new(self, message: wire.Submit, request: dict[str, Any], client: Client) -> Job:
        """A job whose pictures are about to come. Not yet in the journal."""
        self._number += 1
        now, owner = self._clock(), message.client or client.name
        entry = Entry(
            message.job, "uploading", request, message.source, owner, message.priority, self._number, now, now, now,
            title=getattr(message, "title", ""),
        )  # fmt: skip
        job = Job(entry, self._folder / entry.id, client, watchers={client})
        self._jobs[job.id] = job
        return job

    def move(self, job: Job, state: State, **changed: Any) -> None:
        """Into another state: first on the disk, then for all who ask."""
        job.entry = replace(job.entry.moved(state, self._clock()), **changed)
        try:
            if state in ("queued", "finished"):
                job.want()
            elif state in ("paused", "failed", "cancelled"):
                job.unwant()
        except OSError as error:
            _log.error("%s can't be written: %s", job.folder / ENTRY, error)
        self._save(job)

    def elsewhere(self) -> Elsewhere:
        """Where workers find what other jobs have finished."""
        return Elsewhere(self._folder.parent / JOURNAL, self._folder)

    def note(self, tasks: Sequence[Task]) -> None:
        """Write down what jobs have finished."""
        try:
            if self._journal is not None:
                self._journal.note([task for task in tasks if task.job in self._jobs])
        except ScumbleError as error:
            _log.error("%s", error)

    def touch(self, job: Job, fetched: bool = False) -> None:
        """Somebody cares for it."""
        job.entry = replace(job.entry, used=self._clock(), fetched=job.entry.fetched or fetched)
        if job.state != "uploading":
            self._save(job)

    def forget(self, job: Job) -> None:
        """Remove it with its folder."""
        self._jobs.pop(job.id, None)
        try:
            if self._journal is not None:
                self._journal.remove(job.id)
        except ScumbleError as error:
            _log.error("%s", error)
        job.delete()

    async def evict(self) -> None:
        """Drop what is too old or too much, with a warning where nobody has fetched it."""
        entries = {job.id: job.entry for job in self}
        kept, now = await asyncio.to_thread(measure, self._folder, entries), self._clock()
        for each in soon_too_old(kept, self._limits, now):
            if each.id not in self._warned:
                self._warned.add(each.id)
                _log.warning("The results of job %s will be dropped within a day: nobody has fetched them.", each.id)
        for each in to_evict(kept, self._limits, now):
            job = self._jobs.get(each.id)
            if job is not None and (job.is_active or job.entry.used > each.used):
                continue  # taken up since it was measured
            if each.unfetched:
                _log.warning("The results of job %s are dropped to make room; nobody has fetched them.", each.id)
            if job is not None:
                self.forget(job)
            await asyncio.to_thread(shutil.rmtree, self._folder / each.id, True)

    def _save(self, job: Job) -> None:
        """A journal that can't be written (a full disk) is no reason to stop: the folder knows enough."""
        try:
            if self._journal is not None:
                self._journal.put(job.entry)
        except ScumbleError as error:
            _log.error("%s", error)

    def _take_up(self, entry: Entry) -> None:
        job = Job(entry, self._folder / entry.id)
        try:
            if entry.state == "uploading" or not (job.folder / "source.npy").exists():
                raise ScumbleError("internal", "its pictures are not there")
            self._jobs[job.id] = job
            if entry.state in AT_START:
                self.move(job, AT_START[entry.state])
            job.news = job.standing()
        except (ScumbleError, KeyError, ValueError, TypeError) as error:
            _log.warning("Job %s is dropped: %s", entry.id, error)
            self.forget(job)

    def _take_in(self, folder: Path) -> None:
        """A folder that the journal doesn't know: of a lost journal, or of an upload that never ended."""
        try:
            entry = Entry.from_dict(json.loads((folder / ENTRY).read_text(encoding="utf-8")))
            finished = entry.state == "finished"
        except (OSError, ValueError, ScumbleError, AttributeError):
            if not finished_tiles(folder):
                shutil.rmtree(folder, ignore_errors=True)
            return
        _log.warning("The journal doesn't know job %s, but its folder does: it is taken up again.", folder.name)
        self._take_up(replace(entry, id=folder.name, state="finished" if finished else "queued"))
        job = self._jobs.get(folder.name)
        if job is not None:
            self._save(job)


def measure(folder: Path, entries: Mapping[str, Entry]) -> list[Kept]:
    """What the job folders take on the disk; those that no entry knows count as well."""
    return [_kept(each, entries.get(each.name)) for each in folder.iterdir() if each.is_dir()]


def _kept(folder: Path, entry: Entry | None) -> Kept:
    size = folder_size(folder)
    if entry is None:
        return Kept(folder.name, size, modified(folder))
    return Kept(entry.id, size, entry.used, entry.state in ACTIVE, entry.state == "finished" and not entry.fetched)


def folder_size(folder: Path) -> int:
    """Bytes of all files in it that don't go away meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            status = path.lstat()
            # A tile that several jobs share counts once in all.
            total += status.st_size // max(1, status.st_nlink) if stat.S_ISREG(status.st_mode) else 0
        except OSError:
            continue
    return total


def modified(folder: Path) -> float:
    """When the folder was last changed; now, when it has just gone."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()
