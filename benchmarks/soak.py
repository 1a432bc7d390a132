"""Many small jobs from four clients who cancel, pause and vanish: `python -m benchmarks.soak [--jobs 1000] [--json]`.

A real core with the tests' tiny worker, which only copies: what is tried is the front door, the queue and the journal.
Counts jobs that were lost (no ending ever came) or doubled (two worker runs finished one job), and how much memory and
how many file handles the core has at the first and at the last tenth. Linux only.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.errors import MisuseError, PlaceError, ProtocolError
from scumble_bridge.fields import PictureHeader
from scumble_core.jobs.journal import read_entries

CORE = Path(__file__).parents[1] / "tests" / "core" / "jobs" / "core_process.py"
SIDE = 24
CLIENTS = 4
PATIENCE = 60.0
TROUBLE = (PlaceError, ProtocolError, MisuseError, OSError, EOFError)


@dataclass
class Soak:
    """What came of it."""

    jobs: int = 0
    finished: int = 0
    cancelled: int = 0
    wrong: int = 0
    lost: int = 0
    doubled: int = 0
    left_over: int = 0
    disconnects: int = 0
    first_kib: int = 0
    last_kib: int = 0
    first_handles: int = 0
    last_handles: int = 0
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        nothing = not (self.wrong or self.lost or self.doubled or self.left_over)
        flat = self.last_kib < 1.25 * self.first_kib and self.last_handles <= self.first_handles + 8
        return nothing and flat and self.finished + self.cancelled == self.jobs


class Artist:
    """One client: a job after the other, with whims."""

    def __init__(self, folder: Path, name: str, seed: int, soak: Soak) -> None:
        self._folder, self._name, self._soak = folder, name, soak
        self._random = random.Random(seed)
        self._channel: Channel | None = None

    async def work_part(self, jobs: int) -> None:
        """So many jobs."""
        for _ in range(jobs):
            await self._job()

    async def leave(self) -> None:
        """Close the connection."""
        if self._channel is not None:
            await self._channel.close()

    async def _job(self) -> None:
        job, whim = str(uuid.uuid4()), self._random.choice(("none", "none", "cancel", "vanish", "pause"))
        source = np.random.default_rng(self._random.randrange(2**32)).integers(0, 255, (SIDE, SIDE, 4), np.uint8)
        try:
            async with asyncio.timeout(PATIENCE):
                ending = None
                while ending is None:
                    try:
                        ending = await self._talk(job, source.tobytes(), whim)
                    except TROUBLE:
                        if self._channel is not None:
                            self._channel.abort()
                        self._channel, whim = None, "none"
                        await asyncio.sleep(0.02)
        except TimeoutError:
            self._soak.lost += 1
            return
        self._soak.jobs += 1
        if isinstance(ending, wire.Cancelled):
            self._soak.cancelled += 1
        elif ending == source.tobytes():
            self._soak.finished += 1
            ran = self._folder / "data" / "jobs" / job / "ran.txt"
            self._soak.doubled += ran.read_text().split() != ["1", "2"]
        else:
            self._soak.wrong += 1
        if self._channel is not None:
            await self._channel.send(wire.Release(job))

    async def _talk(self, job: str, data: bytes, whim: str) -> object:
        if self._channel is None:
            self._channel = await connect(self._folder / "run")
        channel, parts, fetches = self._channel, b"", False
        header = PictureHeader(SIDE, SIDE, "u8", "rgba")
        await channel.send(
            wire.Submit(job, {"prompt": "tiles=2"}, header, priority=self._random.randint(-1, 1), client=self._name)
        )
        async for event in channel.events():
            if getattr(event, "job", None) != job:
                continue
            if isinstance(event, wire.Credit):
                await channel.send(wire.Pixels(job, "source", 0, data))
                await self._act(channel, job, whim)
            elif isinstance(event, wire.Progress) and event.stage == "paused":
                await channel.send(wire.Submit(job, {}, header))
            elif isinstance(event, wire.Finished) and not fetches:
                fetches = True  # a pause that comes too late is answered by Finished once more
                await channel.send(wire.Fetch(job, "refined"))
                await channel.send(wire.Credit(job, "refined", event.refined.total_bytes))
            elif isinstance(event, wire.Pixels):
                parts += bytes(event.data)
                if len(parts) == len(data):
                    return parts
            elif isinstance(event, wire.Cancelled | wire.Failed):
                return event
        raise EOFError

    async def _act(self, channel: Channel, job: str, whim: str) -> None:
        if whim == "none":
            return
        await asyncio.sleep(self._random.uniform(0, 0.1))
        if whim == "vanish":
            self._soak.disconnects += 1
            channel.abort()
        else:
            await channel.send(wire.Cancel(job, "pause" if whim == "pause" else "stop"))


async def soak(folder: Path, jobs: int, seed: int, pid: int) -> Soak:
    """All clients at once, in ten rounds."""
    result, began = Soak(), time.monotonic()
    artists = [Artist(folder, f"artist {number}", seed + number, result) for number in range(CLIENTS)]
    for part in range(10):
        await asyncio.gather(*(artist.work_part(jobs // CLIENTS // 10) for artist in artists))
        memory, handles = _resident_kib(pid), len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
        if part == 0:
            result.first_kib, result.first_handles = memory, handles
        result.last_kib, result.last_handles = memory, handles
    for artist in artists:
        await artist.leave()
    await asyncio.sleep(0.5)
    result.left_over = len(read_entries(folder / "data" / "jobs.sqlite"))
    result.seconds = round(time.monotonic() - began, 1)
    return result


def run_soak(folder: Path, jobs: int, seed: int) -> Soak:
    """With a core of its own in this folder, which is gone afterwards."""
    folder.mkdir(exist_ok=True)
    places = {"SCUMBLE_DATA_DIR": str(folder / "data"), "SCUMBLE_RUNTIME_DIR": str(folder / "run")}
    with (folder / "core.log").open("wb") as log:
        core = subprocess.Popen([sys.executable, str(CORE)], env={**os.environ, **places}, stderr=log)
        try:
            return asyncio.run(soak(folder, jobs, seed, core.pid))
        finally:
            core.send_signal(signal.SIGTERM)
            core.wait(30)


def _resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scumble-soak-") as name:
        result = run_soak(Path(name), chosen.jobs, chosen.seed)
    values = asdict(result)
    print(json.dumps(values) if chosen.json else "\n".join(f"{key:14} {value}" for key, value in values.items()))
    return 0 if result.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
