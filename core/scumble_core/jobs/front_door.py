"""The front door: takes jobs from clients, keeps their folders, has the worker run them, hands the results out.

Theory of operation: one asyncio loop, no torch. A job goes through the states uploading, queued, running, ended;
only the methods named after a message (a client's wish) and `_run` (the worker's side) move it on. What a job has to
tell goes to the clients that watch it; a client that vanishes leaves its jobs running, except for a job whose
pictures were still coming from it. Pixels go straight from the socket to the file and back, a piece at a time,
under credit: the memory doesn't grow with the pictures.
"""

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, listen
from scumble_bridge.places import Address
from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import Event
from scumble_core.jobs.client import Client
from scumble_core.jobs.job import Job
from scumble_core.jobs.recovery import Deaths, finished_tiles, hopeless
from scumble_core.jobs.supervisor import DeadWorkerError, JobError, Supervisor
from scumble_core.jobs.transfer import check_pictures
from scumble_core.request import RefineRequest

WINDOW = 4 * 1024 * 1024  # credit under way for an upload
MOST_ACTIVE = 64
MOST_ENDED = 100
OLD_SECONDS = 7 * 24 * 3600.0

_log = logging.getLogger("scumble.front_door")


class FrontDoor:
    """All clients and all jobs of one core."""

    def __init__(
        self, jobs: Path, worker: Supervisor, describe: Callable[[str], wire.Described], idle_seconds: float | None
    ) -> None:
        self._folder = jobs
        self._worker = worker
        self._describe = describe
        self._idle_seconds = idle_seconds
        self._jobs: dict[str, Job] = {}
        self._queue: asyncio.Queue[Job] = asyncio.Queue()
        self._clients: set[Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._wishes: dict[type[Any], Callable[[Client, Any], Awaitable[None]]] = {
            wire.Describe: self._on_describe,
            wire.Submit: self._on_submit,
            wire.Pixels: self._on_pixels,
            wire.Credit: self._on_credit,
            wire.Fetch: self._on_fetch,
            wire.Release: self._on_release,
            wire.Cancel: self._on_cancel,
            wire.Attach: self._on_attach,
        }

    async def run(self, address: Address, token: bytes, server: str) -> None:
        """Serve until `stop`, or until nobody has needed us for long enough."""
        delete_old_folders(self._folder, time.time() - OLD_SECONDS)
        listener = await listen(address, token, server, self._welcome)
        for task in (self._work(), self._watch_idle(), self._warm_up()):
            self._keep(task)
        try:
            await self._stopped.wait()
        finally:
            listener.close()
            for client in list(self._clients):
                client.stop_all()
                await client.channel.close()
            for kept in list(self._tasks):
                kept.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._worker.close()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopped.set()

    async def _welcome(self, channel: Channel) -> None:
        client = Client(channel)
        self._clients.add(client)
        try:
            async for event in channel.events():
                wish = self._wishes.get(type(event))
                if wish is not None:
                    await wish(client, event)
        finally:
            self._clients.discard(client)
            self._farewell(client)

    def _farewell(self, client: Client) -> None:
        client.stop_all()
        for job in list(self._jobs.values()):
            job.watchers.discard(client)
            if job.owner is client and job.state == "uploading":
                self._forget(job)

    # What clients wish.

    async def _on_describe(self, client: Client, _message: wire.Describe) -> None:
        async def answer() -> None:
            client.tell(self._describe(await self._device()))

        self._keep(answer())

    async def _on_submit(self, client: Client, message: wire.Submit) -> None:
        if message.job in self._jobs:
            client.tell(wire.Accepted(message.job))
            await self._on_attach(client, wire.Attach(message.job))
            return
        try:
            job = await self._admitted(client, message)
        except (ScumbleError, JobError) as error:
            client.tell(wire.Failed(message.job, error.code, error.message))
        else:
            client.tell(wire.Accepted(job.id))
            for stream, intake in job.intakes.items():
                client.tell(wire.Credit(job.id, stream, min(WINDOW, intake.missing)))

    async def _admitted(self, client: Client, message: wire.Submit) -> Job:
        if sum(job.is_active for job in self._jobs.values()) >= MOST_ACTIVE:
            raise JobError("busy", f"{MOST_ACTIVE} jobs are waiting already: let some finish, or cancel them.")
        request = RefineRequest.from_dict(message.request)
        check_pictures(message.source, message.selection)
        job = Job(message.job, self._folder / message.job, request, message.source, client, watchers={client})
        self._jobs[job.id] = job
        try:
            await asyncio.to_thread(job.create, message.selection)
        except BaseException as error:
            self._forget(job)
            if isinstance(error, OSError):
                raise JobError("internal", f"{job.folder} can't be made ({error.strerror}): see to it.") from error
            raise
        return job

    async def _on_pixels(self, client: Client, message: wire.Pixels) -> None:
        job = self._jobs.get(message.job)
        if job is None or job.state != "uploading" or job.owner is not client or message.stream not in job.intakes:
            return
        intake = job.intakes[message.stream]
        try:
            intake.take(message.offset, message.data)
            if not any(each.missing for each in job.intakes.values()):
                job.write_request()
        except ScumbleError as error:
            self._end(job, wire.Failed(job.id, error.code, error.message))
            return
        except OSError as error:
            self._end(job, wire.Failed(job.id, "internal", f"{job.folder} can't be written ({error.strerror})."))
            return
        # The bytes just taken are allowed anew, as far as there are so many beyond those already allowed.
        allowed = min(len(message.data), max(0, intake.missing - (WINDOW - len(message.data))))
        if allowed:
            client.tell(wire.Credit(job.id, message.stream, allowed))
        if not any(each.missing for each in job.intakes.values()):
            job.state = "queued"
            self._queue.put_nowait(job)
            self._tell_places()

    async def _on_credit(self, client: Client, _message: wire.Credit) -> None:
        client.credited()

    async def _on_fetch(self, client: Client, message: wire.Fetch) -> None:
        job = self._jobs.get(message.job)
        if job is None or not job.is_finished:
            client.tell(_unknown(message.job) if job is None else _not_ready(message.job))
            return
        try:
            client.deliver(job.id, message.stream, job.result(message.stream))
        except ScumbleError as error:
            client.tell(wire.Failed(job.id, error.code, error.message))

    async def _on_release(self, client: Client, message: wire.Release) -> None:
        job = self._jobs.get(message.job)
        if job is None:
            return
        if job.is_active:
            await self._on_cancel(client, wire.Cancel(message.job))
        else:
            self._forget(job)

    async def _on_cancel(self, client: Client, message: wire.Cancel) -> None:
        job = self._jobs.get(message.job)
        if job is None:
            client.tell(_unknown(message.job))
            return
        job.watchers.add(client)
        job.cancelled = True
        if job.state == "running":
            await self._worker.cancel()
        else:
            self._end(job, wire.Cancelled(job.id))

    async def _on_attach(self, client: Client, message: wire.Attach) -> None:
        job = self._jobs.get(message.job)
        if job is None:
            client.tell(_unknown(message.job))
            return
        job.watchers.add(client)
        if job.news is not None:
            client.tell(job.news)

    # What the worker does.

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            if job.state == "queued":
                job.state = "running"
                self._end(job, await self._run(job))
                self._tell_places()

    async def _run(self, job: Job) -> wire.Message:
        def listen_to(event: Event) -> None:
            news = job.news_of(event)
            if news is not None:
                job.tell(news)

        deaths = Deaths()
        while not job.cancelled:
            try:
                result = await self._worker.run(job.folder, listen_to)
                return wire.Cancelled(job.id) if job.cancelled else job.finished(result)
            except Cancelled:
                break
            except DeadWorkerError as died:
                deaths = deaths.another(await asyncio.to_thread(finished_tiles, job.folder))
                _log.warning("The process that computes %s in job %s: death %d", died.how, job.id, deaths.count)
                if deaths.are_hopeless:
                    return wire.Failed(job.id, died.code, hopeless(job.id, died.how, deaths))
                job.tell(wire.Progress(job.id, "restarting", deaths.count, 0))
            except (ScumbleError, JobError) as error:
                return wire.Failed(job.id, error.code, error.message[:8000])
        return wire.Cancelled(job.id)

    def _end(self, job: Job, ending: wire.Message) -> None:
        job.state = "ended"
        job.tell(ending)
        died = isinstance(ending, wire.Failed) and ending.code == "worker_died"
        if not job.is_finished and not died:  # whoever takes smaller tiles or another machine goes on from those
            self._delete(job)
        ended = [each for each in self._jobs.values() if not each.is_active]
        for old in ended[:-MOST_ENDED]:
            self._forget(old)

    def _forget(self, job: Job) -> None:
        job.state = "ended"
        self._jobs.pop(job.id, None)
        self._delete(job)

    def _delete(self, job: Job) -> None:
        for client in self._clients:
            client.stop_job(job.id)
        job.delete()

    def _tell_places(self) -> None:
        """How many jobs are before each one that waits."""
        before = sum(job.state == "running" for job in self._jobs.values())
        for job in (job for job in self._jobs.values() if job.state == "queued"):
            job.tell(wire.Progress(job.id, "queued", before, 0))
            before += 1

    async def _device(self) -> str:
        try:
            return await self._worker.describe()
        except JobError as error:
            _log.error("%s", error)
            return "unknown"

    async def _warm_up(self) -> None:
        """The worker loads torch while the artist still chooses."""
        _log.info("The worker computes on %s.", await self._device())

    async def _watch_idle(self) -> None:
        if self._idle_seconds is None:
            return
        since = time.monotonic()
        while time.monotonic() - since < self._idle_seconds:
            await asyncio.sleep(min(1.0, self._idle_seconds / 4))
            if self._clients or any(job.is_active for job in self._jobs.values()):
                since = time.monotonic()
        _log.info("Nobody has needed this core for %g seconds: it ends.", self._idle_seconds)
        self.stop()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("A part of the core failed", exc_info=task.exception())


def delete_old_folders(jobs: Path, before: float) -> None:
    """Remove job folders that nobody came for."""
    for folder in jobs.iterdir() if jobs.is_dir() else ():
        with contextlib.suppress(OSError):
            if folder.is_dir() and folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def _unknown(job: str) -> wire.Failed:
    return wire.Failed(job, "unknown_job", "The core doesn't know this job (any more): submit it again.")


def _not_ready(job: str) -> wire.Failed:
    return wire.Failed(job, "bad_request", "The results of this job are not there yet: wait until it is finished.")
