"""Changes to jobs from outside of the core: through the core where one runs, else in the journal itself.

Whoever holds the lock in the data folder may write the journal and the job folders. A running core holds it all the
time, so that nobody writes beside it: it is asked over the wire.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.errors import PlaceError, ProtocolError
from scumble_core.errors import ScumbleError
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.eviction import Limits
from scumble_core.jobs.job import Job
from scumble_core.jobs.locks import held, is_held
from scumble_core.jobs.register import Register

DATA_LOCK = "jobs.lock"
ANSWER_SECONDS = 10.0


class Desk(Protocol):
    """What may be done to a job that doesn't run. All raise ScumbleError."""

    has_core: bool

    def resume(self, entry: Entry) -> None:
        """Let it go on from its finished tiles, when its turn comes."""

    def remove(self, entry: Entry) -> None:
        """Its folder goes, and so does all knowledge of it."""


@contextlib.contextmanager
def open_desk(data: Path, runtime: Path) -> Iterator[Desk]:
    """The way that is open now."""
    if not data.is_dir():
        raise ScumbleError("bad_request", f"There is no job: {data} does not exist.")
    with held(data / DATA_LOCK) as ours:
        if not ours:
            yield _ThroughCore(runtime)
            return
        register = Register(data / "jobs", Limits())
        register.open()
        try:
            yield _InJournal(register)
        finally:
            register.close()


class _InJournal:
    has_core = False

    def __init__(self, register: Register) -> None:
        self._register = register

    def resume(self, entry: Entry) -> None:
        self._register.move(self._job(entry), "queued")

    def remove(self, entry: Entry) -> None:
        self._register.forget(self._job(entry))

    def _job(self, entry: Entry) -> Job:
        job = self._register.get(entry.id)
        if job is None:
            raise ScumbleError("bad_request", f"Job {entry.id} has just gone: there is nothing to do.")
        if is_held(job.folder / "lock"):  # of a core that was killed: its worker ends within moments
            raise ScumbleError("bad_request", f"A process still computes job {entry.id}: try again in a moment.")
        return job


class _ThroughCore:
    has_core = True

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime

    def resume(self, entry: Entry) -> None:
        asyncio.run(self._ask(wire.Submit(entry.id, dict(entry.request), entry.source), entry.id))

    def remove(self, entry: Entry) -> None:
        asyncio.run(self._ask(wire.Release(entry.id), entry.id))

    async def _ask(self, order: wire.Message, job: str) -> None:
        """Send the order, then ask where the job stands: the core follows in order, so that it has been done."""
        try:
            channel = await connect(self._runtime)
            try:
                await channel.send(order)
                await channel.send(wire.Attach(job))
                await asyncio.wait_for(_news_of(channel, job), ANSWER_SECONDS)
            finally:
                await channel.close()
        except (TimeoutError, PlaceError, ProtocolError, OSError) as error:
            raise ScumbleError(
                "internal", f"The core that holds the jobs does not answer ({error}): stop it, and try again."
            ) from error


async def _news_of(channel: Channel, job: str) -> None:
    async for event in channel.events():
        if not isinstance(event, wire.Accepted) and getattr(event, "job", None) == job:
            return
    raise ConnectionResetError("it closed the connection")
