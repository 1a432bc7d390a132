"""The front door: takes jobs from clients, has them run in their turn, and hands the results out.

Theory of operation: one asyncio loop, no torch. The register keeps the jobs (memory, journal, folders), the runner runs
those that are queued; here is what clients wish of them. What a job has to tell goes to the clients that watch it; a
client that vanishes leaves its jobs running, except for a job whose pictures were still coming from it. Pixels go
straight from the socket to the file and back, a piece at a time, under credit: the memory stays as it is.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, listen
from scumble_bridge.places import Address
from scumble_core.errors import ScumbleError
from scumble_core.jobs.answers import Answers
from scumble_core.jobs.client import Client
from scumble_core.jobs.estimates import warm_up
from scumble_core.jobs.eviction import Limits
from scumble_core.jobs.job import Job
from scumble_core.jobs.register import Register
from scumble_core.jobs.runner import Runner
from scumble_core.jobs.standing import catch_up, not_ready, show_again, unknown
from scumble_core.jobs.states import RESUMABLE, State
from scumble_core.jobs.supervisor import JobError, Supervisor
from scumble_core.jobs.uploads import Uploads
from scumble_core.jobs.watchers import Watchers

EVICTION_SECONDS = 600.0
PACES = "pace.json"

_log = logging.getLogger("scumble.front_door")


class FrontDoor:
    """All clients and all jobs of one core."""

    def __init__(
        self,
        jobs: Path,
        worker: Supervisor,
        describe: Callable[[str], wire.Described],
        idle_seconds: float | None,
        limits: Limits | None = None,
    ) -> None:
        """`jobs`: the folder of the job folders; the journal lies beside it."""
        self._register = Register(jobs, limits or Limits())
        self._worker = worker
        self._runner = Runner(self._register, worker, self._ran)
        self._uploads = Uploads(self._register, self._runner)
        self._answers = Answers(lambda: self._runner.workers, describe, jobs.parent / PACES)
        self._watchers = Watchers(self._register)
        self._idle_seconds = idle_seconds
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
            wire.Estimate: self._on_estimate,
            wire.Watch: self._on_watch,
            wire.Prioritise: self._on_prioritise,
            wire.Quit: self._on_quit,
        }

    async def run(self, address: Address, token: bytes, server: str) -> None:
        """Serve until `stop`, or until nobody has needed us for long enough."""
        self._register.open()
        listener = await listen(address, token, server, self._welcome)
        for task in (
            self._runner.work(), self._watchers.work(), self._watch_idle(), self._warm_up(), self._tidy()
        ):  # fmt: skip
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
            for job in self._register:
                job.previews.save()
            self._register.close()

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
        self._watchers.discard(client)
        for job in self._register:
            job.watchers.discard(client)
            if job.uploader is client:
                self._forget(job)

    # What clients wish.

    async def _on_describe(self, client: Client, _message: wire.Describe) -> None:
        self._keep(self._answers.describe(client))

    async def _on_estimate(self, client: Client, message: wire.Estimate) -> None:
        self._keep(self._answers.estimate(client, message))

    async def _on_watch(self, client: Client, _message: wire.Watch) -> None:
        self._watchers.add(client)

    async def _on_quit(self, _client: Client, _message: wire.Quit) -> None:
        _log.info("A client has asked this core to end.")
        self.stop()

    async def _on_submit(self, client: Client, message: wire.Submit) -> None:
        known = self._register.get(message.job)
        if known is not None and known.uploader not in (None, client):
            self._forget(known)  # its connection broke amid the pictures, and this is the news of it
            known = None
        if known is not None:
            client.tell(wire.Accepted(known.id))
            if known.state in RESUMABLE:
                known.watchers.add(client)
                self._runner.enqueue(known)
                show_again(client, known)
            else:
                await self._on_attach(client, wire.Attach(known.id))
            return
        try:
            job = await self._uploads.admit(client, message)
        except (ScumbleError, JobError) as error:
            client.tell(wire.Failed(message.job, error.code, error.message))
        else:
            client.tell(wire.Accepted(job.id, tuple(job.intakes)))
            self._uploads.ask(client, job)

    async def _on_pixels(self, client: Client, message: wire.Pixels) -> None:
        job = self._register.get(message.job)
        if job is None:
            return
        try:
            if self._uploads.take(client, job, message):
                self._keep(self._uploads.settle(job))
            client.channel.reuse(message.data)  # it is written
        except ScumbleError as error:
            job.tell(wire.Failed(job.id, error.code, error.message))
            self._forget(job)

    async def _on_credit(self, client: Client, _message: wire.Credit) -> None:
        client.credited()

    async def _on_fetch(self, client: Client, message: wire.Fetch) -> None:
        job = self._register.get(message.job)
        if job is None or job.state != "finished":
            client.tell(unknown(message.job) if job is None else not_ready(message.job))
            return
        try:
            reader = job.result(message.stream)
        except ScumbleError as error:
            client.tell(wire.Failed(job.id, error.code, error.message))
            return
        self._register.touch(job)
        client.deliver(job.id, message.stream, reader, lambda: self._register.touch(job, fetched=True))

    async def _on_release(self, client: Client, message: wire.Release) -> None:
        job = self._register.get(message.job)
        if job is not None and job.state == "running":
            job.released = True
            await self._on_cancel(client, wire.Cancel(message.job))
        elif job is not None:
            if job.is_active:
                job.tell(wire.Cancelled(job.id))
            self._forget(job)

    async def _on_cancel(self, client: Client, message: wire.Cancel) -> None:
        job = self._register.get(message.job)
        if job is None:
            client.tell(unknown(message.job))
            return
        job.watchers.add(client)
        wish: State = "paused" if message.mode == "pause" else "cancelled"
        if job.state == "running":
            await self._runner.stop(job, wish)
        elif wish == "paused":
            await self._pause(client, job)
        elif job.state in ("uploading", "finished"):
            job.tell(wire.Cancelled(job.id))
            self._forget(job)
        else:
            self._register.move(job, wish)
            job.tell(wire.Cancelled(job.id))
            self._runner.tell_places()

    async def _on_prioritise(self, client: Client, message: wire.Prioritise) -> None:
        job = self._register.get(message.job)
        if job is None:
            client.tell(unknown(message.job))
            return
        job.entry = replace(job.entry, priority=message.priority)
        if job.state == "queued":
            self._register.move(job, "queued")  # its folder must know as well
            self._runner.tell_places()
        else:
            self._register.touch(job)

    async def _pause(self, client: Client, job: Job) -> None:
        if job.state == "queued":
            self._runner.hold(job)
        elif job.state == "uploading":
            job.wish = "paused"
        else:
            catch_up(client, job)

    async def _on_attach(self, client: Client, message: wire.Attach) -> None:
        job = self._register.get(message.job)
        if job is None:
            client.tell(unknown(message.job))
            return
        job.watchers.add(client)
        self._register.touch(job)
        catch_up(client, job)

    # What goes on by itself.

    def _ran(self, job: Job) -> None:
        if job.released:
            self._forget(job)
        elif job.state == "finished":
            job.previews.drop()
            self._answers.note(job)
        else:
            self._keep(job.put_previews_aside())
        self._keep(self._register.evict())

    def _forget(self, job: Job) -> None:
        for client in self._clients:
            client.stop_job(job.id)
        self._register.forget(job)

    async def _tidy(self) -> None:
        while True:
            await self._register.evict()
            await asyncio.sleep(EVICTION_SECONDS)

    async def _warm_up(self) -> None:
        """What estimates need is loaded in moments; then the worker loads torch, while the artist still chooses."""
        await asyncio.to_thread(warm_up)
        _log.info("The worker computes on %s.", await self._answers.device())

    async def _watch_idle(self) -> None:
        if self._idle_seconds is None:
            return
        since = time.monotonic()
        while time.monotonic() - since < self._idle_seconds:
            await asyncio.sleep(min(1.0, self._idle_seconds / 4))
            if self._clients or any(job.is_active for job in self._register):
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
