"""Keeps one worker process: starts it when needed, listens to it, and replaces it when it dies."""

import asyncio
import contextlib
import json
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from scumble_core.errors import Cancelled
from scumble_core.events import Event, Finished, JobResult
from scumble_core.jobs.lines import DEVICE_LOST, LONGEST_LINE, DeviceKnown, JobCancelled, JobFailed, Said, from_line

CANCEL_PATIENCE = 5.0
LEAVE_PATIENCE = 5.0

WorkerState = Literal["off", "starting", "ready", "busy"]

_log = logging.getLogger("scumble.worker")


class JobError(Exception):
    """A job that failed, with the code and the sentence for the artist."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class DeadWorkerError(JobError):
    """The worker ended in the middle of a job, without a word. `how` goes on from "The process that computes"."""

    def __init__(self, how: str) -> None:
        super().__init__("worker_died", f"The process that computes {how}: run the job again.")
        self.how = how


class Supervisor:
    """One job at a time goes to the worker; `describe` may be asked at any time."""

    def __init__(
        self, command: Sequence[str], cancel_patience: float = CANCEL_PATIENCE, idle_seconds: float | None = None
    ) -> None:
        """`idle_seconds`: a worker that nobody has needed for so long leaves, and gives its memory back."""
        self._command = command
        self._patience = cancel_patience
        self._idle_seconds = idle_seconds
        self._leaving: asyncio.TimerHandle | None = None
        self._process: Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._said: asyncio.Queue[Said | None] = asyncio.Queue()
        self._running = False
        self._cancelled = False
        self._known: DeviceKnown | None = None
        self._answer: asyncio.Future[None] | None = None
        self._watching: list[Callable[[], None]] = []
        self._killing: asyncio.TimerHandle | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid if self._process else None

    @property
    def state(self) -> WorkerState:
        """What the worker does: no process, one that still loads torch, one that waits, one that runs a job."""
        if self._process is None or self._process.returncode is not None:
            return "off"
        if self._answer is None or not self._answer.done():
            return "starting"
        return "busy" if self._running else "ready"

    @property
    def known(self) -> DeviceKnown | None:
        """What the worker said last of its device; of one that has gone, what stays true."""
        return self._known

    def watch(self, listener: Callable[[], None]) -> None:
        """Have this called whenever more is known of the device."""
        self._watching.append(listener)

    def beside(self, device: str) -> "Supervisor":
        """One for another device of this machine, by torch's name; otherwise the same."""
        return Supervisor((*self._command, "--device", device), self._patience, self._idle_seconds)

    async def run(self, folder: Path, listen: Callable[[Event], None]) -> JobResult:
        """The job in this folder. Raises Cancelled, or JobError (DeadWorkerError: another worker may fare better)."""
        self._running, self._cancelled = True, False
        self._stay()
        try:
            used = self._process
            process = await self._started()
            if self._cancelled:
                raise Cancelled
            await self._order(process, {"run": str(folder)})
            while True:
                said = await self._said.get()
                if said is None and process is used and not self._cancelled:
                    # It had died already, unnoticed, or before it began: this job is not to blame.
                    process = await self._started()
                    if self._cancelled:
                        raise Cancelled
                    await self._order(process, {"run": str(folder)})
                    continue
                used = None
                if isinstance(said, Finished):
                    return said.result
                if said is None:
                    raise self._obituary(process)
                if isinstance(said, JobCancelled):
                    raise Cancelled
                if isinstance(said, JobFailed):
                    raise JobError(said.code, said.message)
                if not isinstance(said, DeviceKnown):
                    listen(said)
        finally:
            self._running = False
            if self._killing is not None:
                self._killing.cancel()  # the worker has answered, and the next job is not to blame
            self._leave_later()

    async def cancel(self) -> None:
        """Ask the job that runs to end; when it doesn't in time, the worker is killed."""
        if not self._running or self._cancelled:
            return
        self._cancelled = True
        process = self._process
        if process is None:
            return
        self._killing = asyncio.get_running_loop().call_later(self._patience, _kill, process)
        await self._order(process, {"cancel": True})

    async def describe(self) -> str:
        """What the worker computes on; asked once."""
        if self._known is None:
            await self._started()
            if not self._running:
                self._leave_later()
            if self._answer is not None:
                await asyncio.shield(self._answer)
        return "unknown" if self._known is None else self._known.device

    async def close(self) -> None:
        """End the worker, which may finish what it writes; one that still starts has nothing to finish."""
        self._stay()
        starting = self.state == "starting"
        process, self._process = self._process, None
        if process is not None:
            if not starting:
                await _dismiss(process)
            _kill(process)
            await process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _leave_later(self) -> None:
        self._stay()
        if self._idle_seconds is not None:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(self._idle_seconds, lambda: self._keep(self._leave()))

    async def _leave(self) -> None:
        """The worker ends when its orders do."""
        async with self._starting:
            process = self._process
            if self._running or process is None:
                return
            self._process = None
        _log.info("Nobody has needed the worker for %s seconds: it leaves.", self._idle_seconds)
        await _dismiss(process)
        _kill(process)

    async def _started(self) -> Process:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await self._start()
            return self._process

    async def _start(self) -> Process:
        self._said = asyncio.Queue()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE
            )
        except OSError as error:
            raise JobError("worker_died", f"{self._command[0]} can't be started ({error.strerror}).") from error
        self._answer = asyncio.get_running_loop().create_future()
        self._keep(self._hear(process, self._said, self._answer))
        self._keep(self._log_errors(process))
        await self._order(process, {"describe": True})
        return process

    async def _hear(self, process: Process, said: "asyncio.Queue[Said | None]", answer: "asyncio.Future[None]") -> None:
        """Every line of the worker, then None."""
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                event = from_line(line)
                if isinstance(event, DeviceKnown):
                    self._learn(event)
                    _settle(answer)
                else:
                    said.put_nowait(event)
        except ValueError as error:
            _log.error("The worker said something unheard of and is ended: %s", error)
        _kill(process)
        await process.wait()
        if self._known is not None and self._process in (None, process):
            self._learn(replace(self._known, free=0, loaded=()))
        _settle(answer)
        said.put_nowait(None)

    def _learn(self, known: DeviceKnown) -> None:
        self._known = known
        for listener in self._watching:
            listener()

    async def _log_errors(self, process: Process) -> None:
        assert process.stderr is not None
        while data := await process.stderr.read(16 * 1024):
            for line in data.decode("utf-8", "replace").splitlines():
                _log.info("%s", line)

    def _obituary(self, process: Process) -> Exception:
        """Why a job ended whose worker died."""
        if self._cancelled:
            return Cancelled()
        return DeadWorkerError(_end_of(process.returncode or 0))

    async def _order(self, process: Process, order: dict[str, object]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # a worker that is dead is noticed where it is listened to
            process.stdin.write(json.dumps(order).encode("ascii") + b"\n")
            await process.stdin.drain()

    def _keep(self, task: "asyncio._CoroutineLike[None]") -> None:
        kept = asyncio.get_running_loop().create_task(task)
        self._tasks.add(kept)
        kept.add_done_callback(self._tasks.discard)


def _settle(answer: "asyncio.Future[None]") -> None:
    if not answer.done():
        answer.set_result(None)


def _end_of(code: int) -> str:
    if code == DEVICE_LOST:
        return "lost its graphics card"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


async def _dismiss(process: Process) -> None:
    """A worker ends when its orders do; until then, or until that takes too long."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), LEAVE_PATIENCE)


def _kill(process: Process) -> None:
    """Not by Popen.kill, which would reap a child that is dead already: asyncio then never learns how it ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
