"""Runs the jobs that wait, as many at once as there are devices, through whatever happens to their workers."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from scumble_bridge import messages as wire
from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import Event, JobResult, TaskFinished, TilePreview
from scumble_core.jobs.job import Job, sync
from scumble_core.jobs.order import Waiting, in_order
from scumble_core.jobs.recovery import Deaths, finished_tiles, hopeless
from scumble_core.jobs.register import Register
from scumble_core.jobs.states import State
from scumble_core.jobs.supervisor import DeadWorkerError, JobError, Supervisor
from scumble_core.jobs.tasks import Batches, Task
from scumble_core.jobs.workers import Workers
from scumble_core.stages.elsewhere import look_up
from scumble_core.stages.store import taken_over

MOST_WORDS = 8000

_log = logging.getLogger("scumble.queue")


@dataclass(frozen=True)
class _Ending:
    """What became of a run."""

    state: State
    result: JobResult | None = None
    error: tuple[str, str] | None = None

    def news(self, job: Job) -> wire.Message:
        """For the clients. Raises PictureError when the results are not there."""
        if self.result is not None:
            return job.finished(self.result)
        if self.error is not None:
            return wire.Failed(job.id, *self.error)
        return wire.Cancelled(job.id) if self.state == "cancelled" else wire.Progress(job.id, self.state, 0, 0)


class Runner:
    """The queue before all workers."""

    def __init__(self, register: Register, worker: Supervisor, ended: Callable[[Job], None]) -> None:
        """`worker`: the first one, which says what others there can be. `ended` is called after each run."""
        self._register = register
        self._workers = Workers(worker)
        self._running: dict[str, Supervisor] = {}
        self._runs: set[asyncio.Task[None]] = set()
        worker.watch(self._look_again)
        self._batches = Batches(register.note)
        self._ended = ended
        self._turns: dict[str, int] = {}
        self._wake = asyncio.Event()

    async def work(self) -> None:
        """For ever; the workers end with it."""
        try:
            while True:
                self._wake.clear()
                while (order := self._order()) and self._begin(order[0]):
                    pass
                await self._wake.wait()
        finally:
            for run in self._runs:
                run.cancel()
            await asyncio.gather(*self._runs, return_exceptions=True)
            await self._workers.close()
            self._batches.flush()

    @property
    def workers(self) -> tuple[Supervisor, ...]:
        """All of them, the first one first."""
        return tuple(self._workers)

    def enqueue(self, job: Job) -> None:
        """Let it run when its turn comes."""
        job.wish = None
        self._register.move(job, "queued")
        self.tell_places()
        self._look_again()

    def hold(self, job: Job) -> None:
        """Not before somebody resumes it."""
        job.wish = None
        self._register.move(job, "paused")
        job.tell(wire.Progress(job.id, "paused", 0, 0))
        self.tell_places()

    async def stop(self, job: Job, wish: State) -> None:
        """The job that runs becomes what is wished, between two model calls or by force."""
        job.wish = wish
        worker = self._running.get(job.id)
        if worker is not None:
            await worker.cancel()

    def tell_places(self) -> None:
        """How many jobs are before each one that waits."""
        running = sum(job.state == "running" for job in self._register)
        for place, job in enumerate(self._order(), start=running):
            news = wire.Progress(job.id, "queued", place, 0)
            if job.news != news:
                job.tell(news)

    def _look_again(self) -> None:
        self._wake.set()

    def _begin(self, job: Job) -> bool:
        """Whether there is a worker for it."""
        worker = self._workers.take(str(job.entry.request.get("base", "")))
        if worker is None:
            return False
        self._turns[job.entry.owner] = max(self._turns.values(), default=0) + 1
        self._register.move(job, "running")
        self.tell_places()
        self._running[job.id] = worker
        run = asyncio.get_running_loop().create_task(self._see_through(job, worker))
        self._runs.add(run)
        run.add_done_callback(self._ran)
        return True

    def _ran(self, run: "asyncio.Task[None]") -> None:
        self._runs.discard(run)
        if not run.cancelled() and run.exception() is not None:
            _log.error("A job's end was not noted", exc_info=run.exception())

    async def _see_through(self, job: Job, worker: Supervisor) -> None:
        try:
            ending = await self._run(job, worker)
        finally:
            del self._running[job.id]
            self._workers.give_back(worker)
            self._batches.flush()
            self._look_again()
        self._end(job, ending)

    def _order(self) -> list[Job]:
        waiting = {job.id: job for job in self._register if job.state == "queued"}
        entries = [job.entry for job in waiting.values()]
        order = in_order((Waiting(each.id, each.owner, each.priority, each.number) for each in entries), self._turns)
        return [waiting[job] for job in order]

    def _end(self, job: Job, ending: _Ending) -> None:
        try:
            news = ending.news(job)
        except ScumbleError as error:
            ending = _Ending("failed", error=(error.code, error.message))
            news = ending.news(job)
        result = None if ending.result is None else ending.result.to_dict()
        self._register.move(job, ending.state, result=result, error=ending.error)
        job.tell(news)
        self._ended(job)

    async def _run(self, job: Job, worker: Supervisor) -> _Ending:
        stages: dict[str, str] = {}
        try:
            with contextlib.suppress(OSError):  # without it the job does all by itself
                await asyncio.to_thread(look_up, job.folder / "tiles", self._register.elsewhere())
            result = await self._run_through_deaths(job, worker, stages)
            for name in ("upscaled.npy", "refined.npy"):
                await asyncio.to_thread(sync, job.folder / name)
        except Cancelled:
            return _Ending(job.wish or "cancelled")
        except (ScumbleError, JobError) as error:
            return _Ending("failed", error=(error.code, error.message[:MOST_WORDS]))
        except Exception as error:  # the next job must run, whatever this one met
            _log.exception("Job %s met what was not foreseen", job.id)
            return _Ending("failed", error=("internal", f"The core failed ({error!r}): see its log."[:MOST_WORDS]))
        saved = await asyncio.to_thread(taken_over, job.folder / "tiles")
        result = replace(result, summary={**result.summary, **_saved(stages[key] for key in saved if key in stages)})
        return _Ending("cancelled") if job.wish == "cancelled" else _Ending("finished", result=result)

    async def _run_through_deaths(self, job: Job, worker: Supervisor, stages: dict[str, str]) -> JobResult:
        """`stages` is told of the stage of each finished task, by its key."""

        def listen(event: Event) -> None:
            if isinstance(event, TaskFinished):
                stages[event.key] = event.stage
                self._batches.add(Task.of(job.id, event))
            news = job.news_of(event)
            if news is not None:
                job.tell(news, passing=isinstance(event, TilePreview) and not event.finished)

        deaths = Deaths()
        while job.wish is None:
            try:
                return await worker.run(job.folder, listen)
            except DeadWorkerError as died:
                deaths = deaths.another(await asyncio.to_thread(finished_tiles, job.folder))
                _log.warning("The process that computes %s in job %s: death %d", died.how, job.id, deaths.count)
                if deaths.are_hopeless:
                    raise JobError(died.code, hopeless(job.id, died.how, deaths)) from died
                job.tell(wire.Progress(job.id, "restarting", deaths.count, 0))
        raise Cancelled


def _saved(stages: Iterable[str]) -> dict[str, int]:
    """How many tasks of each kind other jobs had done already; nothing where they had done none."""
    counts = Counter("upscaled_taken_over" if stage == "upscale" else "tiles_taken_over" for stage in stages)
    return dict(counts)
