"""From Submit to the queue: a job is admitted, its pictures come in under credit, and the disk has them."""

import asyncio

from scumble_bridge import messages as wire
from scumble_core.errors import ScumbleError
from scumble_core.jobs.admission import admitted, check_models
from scumble_core.jobs.client import Client
from scumble_core.jobs.job import Job
from scumble_core.jobs.register import Register
from scumble_core.jobs.runner import Runner
from scumble_core.jobs.supervisor import JobError
from scumble_core.picture.storage import write_failed

WINDOW = 4 * 1024 * 1024  # credit under way for an upload
MOST_ACTIVE = 64


class Uploads:
    """All jobs whose pictures are under way."""

    def __init__(self, register: Register, runner: Runner) -> None:
        self._register = register
        self._runner = runner
        self._settling = asyncio.Lock()  # one at a time: jobs enter the queue as their pictures came

    async def admit(self, client: Client, message: wire.Submit) -> Job:
        """A new job, whose pictures may now come. Raises ScumbleError or JobError."""
        if sum(job.is_active for job in self._register) >= MOST_ACTIVE:
            raise JobError("busy", f"{MOST_ACTIVE} jobs are waiting already: let some finish, or cancel them.")
        request = admitted(message)
        job = self._register.new(message, request.to_dict(), client)
        try:
            await asyncio.to_thread(check_models, request)
            await asyncio.to_thread(job.create, message)
        except BaseException as error:
            self._register.forget(job)
            if isinstance(error, OSError):
                raise JobError("internal", f"{job.folder} can't be made ({error.strerror}): see to it.") from error
            raise
        return job

    def ask(self, client: Client, job: Job) -> None:
        """The first credit."""
        for stream, intake in job.intakes.items():
            client.tell(wire.Credit(job.id, stream, min(WINDOW, intake.missing)))

    def take(self, client: Client, job: Job, message: wire.Pixels) -> bool:
        """The next piece; whether that was the last. Raises ScumbleError."""
        if job.uploader is not client or message.stream not in job.intakes:
            return False
        intake, size = job.intakes[message.stream], len(message.data)
        intake.take(message.offset, message.data)
        # The bytes just taken are allowed anew, as far as there are so many beyond those already allowed.
        allowed = min(size, max(0, intake.missing - (WINDOW - size)))
        if allowed:
            client.tell(wire.Credit(job.id, message.stream, allowed))
        if job.missing:
            return False
        job.uploader = None  # from now on the job is ours, whoever vanishes
        return True

    async def settle(self, job: Job) -> None:
        """All has come: it is checked as a whole, then the disk has it, then the journal, then it may run."""
        trouble: ScumbleError | None = None
        async with self._settling:
            try:
                await asyncio.to_thread(job.settle)
            except ScumbleError as error:
                trouble = error
            except OSError as error:
                trouble = write_failed(job.folder / "request.json", error)
        if self._register.get(job.id) is not job:
            return  # cancelled meanwhile
        if trouble is not None:
            job.tell(wire.Failed(job.id, trouble.code, trouble.message))
            self._register.forget(job)
        elif job.wish == "paused":
            self._runner.hold(job)
        else:
            self._runner.enqueue(job)
