"""Measure the wire: a picture from a client to the core and back, beside a plain socket copy of the same bytes.

`python -m benchmarks.wire [--side 8192] [--depth u8 u16] [--layout bgra rgba] [--repeats 3] [--qt] [--json FILE]`

The core is `scumble serve` in a process of its own with a worker that only copies; the client is the asyncio one, in
this process. "up" ends when the core has all bytes in its job folder, "down" (one result) when the client has taken the
last piece. The plain copy moves as many bytes over a Unix socket in pieces of 1 MiB between this process and another,
once from memory to memory and once to and from a file like the core's. All are measured in turn, `--repeats` times; the
best of each counts, since what else the machine does only ever slows a copy. Rates are 10^9 bytes a second; memory is
the resident peak above what the process held before the picture, in MB. The share to pass by is beside the copy to and
from a file: it does the same work.

On a machine with other work, `chrt -f 5` before the command keeps that out of the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from benchmarks.plain_copy import PIECE, Source, plain_copy

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.errors import PlaceError
from scumble_bridge.fields import Depth, Layout, PictureHeader

CORE = (sys.executable, str(Path(__file__).parents[1] / "tests" / "core" / "jobs" / "core_process.py"))
WINDOW = 8 * PIECE
LEAST_SHARE = 0.6
LEAST_RATE = 1.0


@dataclass(frozen=True)
class Measured:
    """One picture, there and back."""

    depth: Depth
    layout: Layout
    megabytes: float
    up: float
    down: float
    plain_up: float
    plain_down: float
    plain_file_up: float
    plain_file_down: float
    core_memory: float
    client_memory: float

    @property
    def share(self) -> float:
        """The slower way's part of the plain socket's rate."""
        return min(self.up / self.plain_up, self.down / self.plain_down)

    @property
    def file_share(self) -> float:
        """The same beside a plain copy that ends and begins in a file, as ours does."""
        return min(self.up / self.plain_file_up, self.down / self.plain_file_down)


class Peak:
    """A process's highest resident memory since `reset`, above what it held then. Linux keeps the mark itself."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._idle = 0

    def reset(self) -> None:
        self._idle = int(psutil.Process(self._pid).memory_info().rss)
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._pid}/clear_refs").write_text("5", "ascii")

    @property
    def megabytes(self) -> float:
        for line in Path(f"/proc/{self._pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return max(0, int(line.split()[1]) * 1024 - self._idle) / 1e6
        return 0.0


# Over the wire.


async def upload(
    channel: Channel, events: AsyncIterator[Any], job: str, header: PictureHeader, source: Source
) -> float:
    """Seconds from the first credit until the core has it all: what is said next is answered after that."""
    await channel.send(wire.Describe())  # answered at once from the second time on
    await until(events, wire.Described)
    await channel.send(wire.Submit(job, {}, header))
    await until(events, wire.Credit)
    start, sent, total = time.perf_counter(), 0, header.total_bytes
    while sent < total:
        size = min(PIECE, total - sent, channel.sendable(job, "source"))
        if size:
            await channel.send(wire.Pixels(job, "source", sent, source.read(sent, size)))
            sent += size
        else:
            await until(events, wire.Credit)
    await channel.send(wire.Describe())
    await until(events, wire.Described)
    return time.perf_counter() - start


async def download(channel: Channel, events: AsyncIterator[Any], job: str, total: int, check: Source | None) -> float:
    """Seconds until the last byte of a result is here."""
    start, received = time.perf_counter(), 0
    window = min(WINDOW, total)
    await channel.send(wire.Fetch(job, "refined"))
    await channel.send(wire.Credit(job, "refined", window))
    allowed = window
    while received < total:
        piece = await until(events, wire.Pixels)
        if check is not None and piece.data != check.read(received, len(piece.data)):
            raise AssertionError(f"The bytes from {received} on came back changed.")
        received += len(piece.data)
        channel.reuse(piece.data)
        more = min(len(piece.data), total - allowed)
        if more:
            allowed += more
            channel.post(wire.Credit(job, "refined", more))
    return time.perf_counter() - start


async def until(events: AsyncIterator[Any], kind: type[Any]) -> Any:
    async for event in events:
        if isinstance(event, wire.Failed):
            raise RuntimeError(event.message)
        if isinstance(event, kind):
            return event
    raise EOFError("the core closed the connection")


async def there_and_back(runtime: Path, core: int, header: PictureHeader, source: Source) -> tuple[float, ...]:
    """Seconds up and down, and the peaks of core and client."""
    channel = await connect(runtime)
    events, job, total = channel.events(), str(uuid.uuid4()), header.total_bytes
    peaks = Peak(core), Peak(os.getpid())
    for peak in peaks:
        peak.reset()
    try:
        up = await upload(channel, events, job, header, source)
        await until(events, wire.Finished)
        down = await download(channel, events, job, total, None)
        memory = [peak.megabytes for peak in peaks]
        await download(channel, events, job, total, source)
        await channel.send(wire.Release(job))
    finally:
        await channel.close()
    return up, down, *memory


def there_and_back_in_qt(runtime: Path, core: int, header: PictureHeader, source: Source) -> tuple[float, ...]:
    """The same with the plugin's client."""
    from benchmarks.wire_qt import QtClient

    client = QtClient(runtime)
    peaks = Peak(core), Peak(os.getpid())
    for peak in peaks:
        peak.reset()
    job, up = client.upload(header, source.read)
    down = client.download(job, header.total_bytes)
    memory = [peak.megabytes for peak in peaks]
    client.close(job)
    return up, down, *memory


@contextlib.contextmanager
def running_core(folder: Path) -> Iterator[int]:
    """The core's process id, when it answers."""
    places = {"SCUMBLE_DATA_DIR": str(folder / "data"), "SCUMBLE_RUNTIME_DIR": str(folder / "run")}
    process = subprocess.Popen(CORE, env={**os.environ, **places}, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            time.sleep(0.05)
            with contextlib.suppress(PlaceError):
                asyncio.run(_knock(folder / "run"))
                break
        else:
            raise RuntimeError(f"The core did not start: run {' '.join(CORE)} to see why.")
        _settle(psutil.Process(process.pid))
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _settle(core: psutil.Process) -> None:
    """Until core, worker and the look for models have done what they do when they start, or for ten seconds."""
    before = -1.0
    for _ in range(20):
        time.sleep(0.5)
        spent = 0.0
        for process in (core, *core.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                spent += sum(process.cpu_times()[:2])
        if abs(spent - before) < 0.02:
            return
        before = spent


async def _knock(runtime: Path) -> None:
    await (await connect(runtime)).close()


def measure(depth: Depth, layout: Layout, side: int, repeats: int, folder: Path, in_qt: bool) -> Measured:
    """The best of some repeats of each, taken in turn."""
    header, source = PictureHeader(side, side, depth, layout), Source()
    total = header.total_bytes
    ours, plain, filed = [], [], []
    for _ in range(repeats):
        os.sync()  # what was written before is not to be waited for now
        with running_core(folder) as core:
            if in_qt:
                ours.append(there_and_back_in_qt(folder / "run", core, header, source))
            else:
                ours.append(asyncio.run(there_and_back(folder / "run", core, header, source)))
        os.sync()
        plain.append(plain_copy(folder, total, source, with_file=False))
        filed.append(plain_copy(folder, total, source, with_file=True))
    rates = [total / 1e9 / min(run[at] for run in runs) for runs in (ours, plain, filed) for at in (0, 1)]
    memory = [max(run[at] for run in ours) for at in (2, 3)]
    return Measured(depth, layout, total / 1e6, *rates, *memory)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=8192)
    parser.add_argument("--depth", nargs="+", choices=("u8", "u16", "f32"), default=("u8", "u16"))
    parser.add_argument("--layout", nargs="+", choices=("rgba", "bgra"), default=("bgra", "rgba"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--qt", action="store_true", help="with the plugin's client instead of the asyncio one")
    parser.add_argument("--folder", type=Path, help="where the job's files go (default: the temporary folder)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    print(
        "| picture | MB | up | down | plain up | plain down | share | to file up | to file down | share "
        "| core's peak, MB | client's peak, MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    rows = []
    for depth in arguments.depth:
        for layout in arguments.layout:
            with tempfile.TemporaryDirectory(prefix="scumble-wire-", dir=arguments.folder) as work:
                row = measure(depth, layout, arguments.side, arguments.repeats, Path(work), arguments.qt)
            rows.append(row)
            print(
                f"| {depth} {layout} | {row.megabytes:.0f} | {row.up:.2f} | {row.down:.2f} | {row.plain_up:.2f} "
                f"| {row.plain_down:.2f} | {row.share:.0%} | {row.plain_file_up:.2f} | {row.plain_file_down:.2f} "
                f"| {row.file_share:.0%} | {row.core_memory:.0f} | {row.client_memory:.0f} |",
                flush=True,
            )
    slowest, share = min(min(row.up, row.down) for row in rows), min(row.file_share for row in rows)
    passed = slowest >= LEAST_RATE and share >= LEAST_SHARE
    print(
        f"\nSlowest {slowest:.2f} GB/s (at least {LEAST_RATE}), "
        f"{share:.0%} of the copy to and from a file (at least {LEAST_SHARE:.0%})"
    )
    if arguments.json is not None:
        pictures = [{**asdict(row), "share": row.share, "file_share": row.file_share} for row in rows]
        values = {"side": arguments.side, "pictures": pictures, "slowest": slowest, "share": share, "passed": passed}
        arguments.json.write_text(json.dumps(values, indent=1), "utf-8")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
