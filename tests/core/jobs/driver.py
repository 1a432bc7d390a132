"""A core on a temporary folder, and a client that drives it, for tests."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.fields import ModelChoice, PictureHeader, Upload
from scumble_bridge.places import UnixAddress, create_token, make_private_folder, socket_path
from scumble_core.jobs.eviction import Limits
from scumble_core.jobs.front_door import FrontDoor
from scumble_core.jobs.supervisor import Supervisor
from scumble_core.picture.storage import Picture

TINY_WORKER = (sys.executable, str(Path(__file__).with_name("tiny_worker.py")))
PATIENCE = 30.0
M = TypeVar("M")


def new_job() -> str:
    return str(uuid.uuid4())


def described(device: str) -> wire.Described:
    return wire.Described(device, "1", (ModelChoice("a", "A"),), (), ())


@dataclass
class Core:
    """A running core."""

    folder: Path
    door: FrontDoor
    worker: Supervisor
    task: "asyncio.Task[None]"

    @property
    def jobs(self) -> set[str]:
        return {path.name for path in (self.folder / "jobs").glob("*")}

    @asynccontextmanager
    async def client(self) -> AsyncIterator["Driver"]:
        channel = await connect(self.folder / "run")
        try:
            yield Driver(channel)
        finally:
            await channel.close()


@asynccontextmanager
async def running_core(
    folder: Path,
    idle_seconds: float | None = None,
    command: tuple[str, ...] = TINY_WORKER,
    cancel_patience: float = 5.0,
    worker_idle_seconds: float | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[Core]:
    make_private_folder(folder / "run")
    worker = Supervisor(command, cancel_patience, worker_idle_seconds)
    door = FrontDoor(folder / "jobs", worker, described, idle_seconds, limits)
    path = socket_path(folder / "run")
    make_private_folder(path.parent)
    path.unlink(missing_ok=True)
    token = create_token(folder / "run")
    task = asyncio.create_task(door.run(UnixAddress(path), token, "test core"))
    await until(path.exists)
    try:
        yield Core(folder, door, worker, task)
    finally:
        door.stop()
        await asyncio.wait_for(task, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


class Driver:
    """A client that sends, and waits for what it is told."""

    def __init__(self, channel: Channel, patience: float = PATIENCE) -> None:
        self.channel = channel
        self._patience = patience
        self._events = channel.events()
        self.heard: list[Any] = []

    async def wait_for(self, kind: type[M] | tuple[type[M], ...]) -> M:
        """The next message of this kind; what comes before it is in `heard`."""
        async with asyncio.timeout(self._patience):
            async for event in self._events:
                self.heard.append(event)
                if isinstance(event, kind):
                    return event
        raise EOFError("the core closed the connection")

    async def submit(self, job: str, source: NDArray[Any], layout: str = "rgba", **request: object) -> None:
        await self.channel.send(wire.Submit(job, request, header_of(source, layout)))

    async def upload(self, job: str, data: bytes, piece: int = 100_003, stream: Upload = "source") -> None:
        """One stream, in pieces as credit allows."""
        sent = 0
        while sent < len(data):
            size = min(piece, len(data) - sent, self.channel.sendable(job, stream))
            if size:
                await self.channel.send(wire.Pixels(job, stream, sent, data[sent : sent + size]))
                sent += size
            else:
                await self.wait_for(wire.Credit)

    async def start(self, job: str, source: NDArray[Any], layout: str = "rgba", **request: object) -> None:
        await self.submit(job, source, layout, **request)
        await self.upload(job, source.tobytes())

    async def fetch(self, job: str, stream: str, total: int, credit: int = 70_001) -> bytes:
        """A result, with a little credit at a time."""
        await self.channel.send(wire.Fetch(job, stream))  # type: ignore[arg-type]
        data = b""
        while len(data) < total:
            allowed = min(credit, total - len(data))
            await self.channel.send(wire.Credit(job, stream, allowed))  # type: ignore[arg-type]
            goal = len(data) + allowed
            while len(data) < goal:
                piece = await self.wait_for(wire.Pixels)
                assert (piece.stream, piece.offset) == (stream, len(data))
                data += piece.data
        return data


def header_of(source: NDArray[Any], layout: str = "rgba") -> PictureHeader:
    depth = {"uint8": "u8", "uint16": "u16", "float16": "f16", "float32": "f32"}[source.dtype.name]
    return PictureHeader(source.shape[1], source.shape[0], depth, layout)  # type: ignore[arg-type]


def whole(path: Path) -> NDArray[Any]:
    """All pixels of a picture in a job's folder, RGBA."""
    picture = Picture.open(path)
    return picture.read_raw(picture.bounds)


def noise(height: int, width: int, dtype: str = "uint8") -> NDArray[Any]:
    values = np.random.default_rng(1).integers(0, 255, (height, width, 4))
    return values.astype(dtype)
