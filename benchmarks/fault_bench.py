"""A real core on a folder of its own, and a client that sees a job through whatever happens to either."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.errors import MisuseError, PlaceError, ProtocolError
from scumble_bridge.fields import PictureHeader
from scumble_core.jobs.journal import read_entries

TROUBLE = (PlaceError, ProtocolError, MisuseError, OSError, EOFError)
SIDE = 256
REQUEST: dict[str, object] = {"scale": 1.0, "steps": 4, "tile_size": 128, "overlap": 16}
DISK = "64m"
Stamp = tuple[int, int]


def source(seed: int) -> NDArray[np.uint8]:
    """A picture of soft blobs, 256 x 256 RGBA: large enough for six tiles."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (9, 9, 3)).astype(np.float64)
    places = np.linspace(0, 8, SIDE)
    rows = np.stack([np.interp(places, range(9), coarse[:, x, c]) for x in range(9) for c in range(3)], axis=1)
    rows = rows.reshape(SIDE, 9, 3)
    pixels = np.stack([[np.interp(places, range(9), rows[y, :, c]) for c in range(3)] for y in range(SIDE)]).transpose(
        0, 2, 1
    )
    return np.dstack([pixels.astype(np.uint8), np.full((SIDE, SIDE), 255, np.uint8)])


@dataclass
class Bench:
    """The folders, and the core that runs on them now."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    data: Path = field(init=False)
    runtime: Path = field(init=False)

    def __post_init__(self) -> None:
        self.data, self.runtime = self.folder / "data", self.folder / "run"

    def start(self) -> None:
        """A core as `scumble serve` starts it."""
        places = {"SCUMBLE_DATA_DIR": str(self.data), "SCUMBLE_RUNTIME_DIR": str(self.runtime)}
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "core.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scumble_core", "serve"],
                env={**os.environ, **places, "OMP_NUM_THREADS": "1"}, stderr=log,
            )  # fmt: skip

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the core and wait until it and its worker are gone."""
        if self.process is None:
            return
        workers = self.workers()
        self.process.send_signal(number)
        self.process.wait(60)
        self.process = None
        for worker in workers:
            _wait_gone(worker)

    def kill_worker(self) -> None:
        for worker in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            _wait_gone(worker)

    def workers(self) -> list[int]:
        """The core's processes that compute (Linux)."""
        if self.process is None:
            return []
        pid, found = self.process.pid, []
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                with contextlib.suppress(OSError):
                    if b"jobs.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                        found.append(int(child))
        return found

    def tiles(self, job: str) -> dict[str, Stamp]:
        """The finished tiles, with what changes when one is written anew."""
        folder = self.data / "jobs" / job / "tiles"
        stamps = {}
        for path in folder.glob("*.npy") if folder.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                stamps[path.name] = (status.st_ino, status.st_mtime_ns)
        return stamps

    def inconsistency(self) -> str:
        """What is wrong with the journal, which job has no folder, which folder no job; nothing when all is well."""
        path = self.data / "jobs.sqlite"
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as journal:
            damage = [row[0] for row in journal.execute("PRAGMA integrity_check") if row != ("ok",)]
        entries = {entry.id for entry in read_entries(path)}
        folders = {each.name for each in (self.data / "jobs").iterdir()}
        found = {"journal": damage, "no folder": sorted(entries - folders), "no entry": sorted(folders - entries)}
        return "; ".join(f"{name}: {', '.join(map(str, what))}" for name, what in found.items() if what)


@dataclass
class Outcome:
    """How a job ended: its pixels, or what was said instead."""

    pixels: bytes = b""
    failure: str = ""
    reconnects: int = 0


class Client:
    """Wants one job done, and comes back until it is. `cut` breaks its connection as the death of its process would."""

    def __init__(self, bench: Bench, job: str, seed: int) -> None:
        self._bench, self._job, self._seed = bench, job, seed
        self._channel: Channel | None = None

    def cut(self) -> None:
        if self._channel is not None:
            self._channel.abort()

    async def see_through(self, patience: float = 120.0) -> Outcome:
        """Until it has finished or failed."""
        outcome = Outcome()
        async with asyncio.timeout(patience):
            while not outcome.pixels and not outcome.failure:
                try:
                    self._channel = await connect(self._bench.runtime)
                    await self._talk(self._channel, outcome)
                except TROUBLE:
                    outcome.reconnects += 1
                    await asyncio.sleep(0.05)
                finally:
                    if self._channel is not None:
                        await self._channel.close()
        return outcome

    async def answered(self) -> None:
        """The core is up."""
        await (await self._connected()).close()

    async def release(self) -> None:
        """All is fetched."""
        channel = await self._connected()
        await channel.send(wire.Release(self._job))
        await channel.send(wire.Attach(self._job))  # its answer says that the folder is gone
        async for event in channel.events():
            if isinstance(event, wire.Failed):
                break
        await channel.close()

    async def pause(self) -> None:
        """Hold the job, and wait until it is held."""
        channel = await self._connected()
        await channel.send(wire.Cancel(self._job, "pause"))
        async for event in channel.events():
            if isinstance(event, wire.Finished) or (isinstance(event, wire.Progress) and event.stage == "paused"):
                break
        await channel.close()

    async def _connected(self, patience: float = 60.0) -> Channel:
        """A channel of its own, as soon as there is a core."""
        async with asyncio.timeout(patience):
            while True:
                try:
                    return await connect(self._bench.runtime)
                except TROUBLE:
                    await asyncio.sleep(0.05)

    async def _talk(self, channel: Channel, outcome: Outcome) -> None:
        data, sent = source(self._seed).tobytes(), 0
        header = PictureHeader(SIDE, SIDE, "u8", "rgba")
        await channel.send(wire.Submit(self._job, {**REQUEST, "seed": self._seed}, header, client="faults"))
        parts: list[bytes] = []
        async for event in channel.events():
            if isinstance(event, wire.Credit):
                piece = data[sent : sent + channel.sendable(self._job, "source")]
                if piece:
                    await channel.send(wire.Pixels(self._job, "source", sent, piece))
                    sent += len(piece)
            elif isinstance(event, wire.Finished):
                await channel.send(wire.Fetch(self._job, "refined"))
                await channel.send(wire.Credit(self._job, "refined", event.refined.total_bytes))
            elif isinstance(event, wire.Pixels):
                parts.append(bytes(event.data))
                if sum(map(len, parts)) == len(data):
                    outcome.pixels = b"".join(parts)
                    return
            elif isinstance(event, wire.Failed | wire.Cancelled):
                outcome.failure = str(event)
                return
        raise EOFError


@contextlib.contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A core that runs, and is gone afterwards."""
    made = Bench(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A tmpfs; False where this user may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def _wait_gone(pid: int, seconds: float = 120.0) -> None:
    """Until the process is dead (it may still be there as a zombie)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ") Z" in Path(f"/proc/{pid}/stat").read_text():
                return
        except OSError:
            return
        time.sleep(0.005)
    raise TimeoutError(f"process {pid} lives on")
