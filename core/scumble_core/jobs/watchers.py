"""The list of jobs, for those who watch it: sent anew when it has changed, at most twice a second."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from scumble_bridge import messages as wire
from scumble_bridge.fields import MOST_ROWS, JobRow
from scumble_core.jobs.client import Client
from scumble_core.jobs.job import Job
from scumble_core.jobs.states import State

SECONDS = 0.5
# Ended jobs stay in the list for so long.
RECENT_SECONDS = 3600.0
LONGEST_NAME = 120
# What fits into a message's header beside the rest.
MOST_BYTES = 60 * 1024
_PLACES: dict[State, int] = {"running": 0, "queued": 1, "uploading": 2, "paused": 3, "finished": 4, "failed": 4}


class Watchers:
    """Clients that have asked for the list, and what each was told last."""

    def __init__(self, jobs: Iterable[Job], clock: Callable[[], float] = time.time) -> None:
        """`jobs`: those there are at the time, each time it is gone through."""
        self._jobs = jobs
        self._clock = clock
        self._told: dict[Client, wire.Queue | None] = {}
        self._any = asyncio.Event()

    def add(self, client: Client) -> None:
        """It is told now, also when it was told before."""
        self._told[client] = None
        self._any.set()
        self._tell(client, queue_of(self._jobs, self._clock()))

    def discard(self, client: Client) -> None:
        """It has gone."""
        self._told.pop(client, None)
        if not self._told:
            self._any.clear()

    async def work(self) -> None:
        """For ever: look whether the list has changed, as long as anybody watches."""
        while True:
            await self._any.wait()
            await asyncio.sleep(SECONDS)
            self.look()

    def look(self) -> None:
        """Tell those who were told something else."""
        queue = queue_of(self._jobs, self._clock())
        for client in list(self._told):
            self._tell(client, queue)

    def _tell(self, client: Client, queue: wire.Queue) -> None:
        """One that doesn't read now is told later what holds then."""
        if self._told[client] != queue and client.keeps_up:
            self._told[client] = queue
            client.tell(queue)


def queue_of(jobs: Iterable[Job], now: float) -> wire.Queue:
    """The jobs that wait, run, are paused or have just ended, in the order in which they run, then as they ended."""
    listed = [job for job in jobs if _is_listed(job, now)]
    listed.sort(key=_place)
    return wire.Queue(_fitting([_row(job) for job in listed[:MOST_ROWS]]))


def _is_listed(job: Job, now: float) -> bool:
    ended = job.state in ("finished", "failed")
    return not job.released and (job.is_active or job.state == "paused" or (ended and _age(job, now) < RECENT_SECONDS))


def _age(job: Job, now: float) -> float:
    return now - job.entry.updated


def _place(job: Job) -> tuple[float, ...]:
    """Ended ones: the latest first. Those that wait: as the runner has told them their places."""
    news = job.news
    waits = news.tile if isinstance(news, wire.Progress) and news.stage == "queued" else 0
    ended = -job.entry.updated if job.state in ("finished", "failed") else 0.0
    return (_PLACES.get(job.state, 5), waits, ended, job.entry.number)


def _row(job: Job) -> JobRow:
    news = job.news
    entry = job.entry
    tells = isinstance(news, wire.Progress) and (job.is_active or news.stage == job.state)
    stage, tile, tiles, left = job.state, 0, 0, None
    if tells and isinstance(news, wire.Progress):
        stage, tile, tiles, left = news.stage, news.tile, news.tiles, news.seconds_left  # type: ignore[assignment]
    title, client = entry.title[:LONGEST_NAME], entry.owner[:LONGEST_NAME]
    return JobRow(job.id, title, client, job.state, stage, tile, tiles, left, entry.priority)


def _fitting(rows: list[JobRow]) -> tuple[JobRow, ...]:
    """With ever shorter names, until they fit into a header."""
    longest = LONGEST_NAME
    while longest and sum(len(json.dumps(vars(row))) for row in rows) > MOST_BYTES:
        longest //= 2
        rows = [replace(row, title=row.title[:longest], client=row.client[:longest]) for row in rows]
    return tuple(rows)
