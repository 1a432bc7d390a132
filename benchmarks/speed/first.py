"""How long an artist waits for the first tile: a real core, connected to over the wire, cold and warm."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.jobs import make_source

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import Channel, connect
from scumble_bridge.errors import PlaceError
from scumble_bridge.fields import PictureHeader
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture
from scumble_core.request import RefineRequest

PATIENCE = 300.0


@dataclass(frozen=True)
class FirstTile:
    """Seconds. `side`: of the source, in pixels. `cold`: the first job of a fresh core; `warm`: the next one's."""

    side: int
    answering: float
    estimated: float
    cold: float
    warm: float
    load: float


def first_tile(side: int) -> FirstTile:
    """On the starter models, with a core of its own that ends with this. Raises RuntimeError when it doesn't answer."""
    with tempfile.TemporaryDirectory(prefix="scumble-first-") as name:
        folder = Path(name)
        make_source(folder / "made", Extent(side, side))
        places = {"SCUMBLE_DATA_DIR": str(folder / "data"), "SCUMBLE_RUNTIME_DIR": str(folder / "run")}
        began = time.perf_counter()
        with (folder / "core.log").open("wb") as log:
            core = subprocess.Popen(
                [sys.executable, "-m", "scumble_core", "serve"], env={**os.environ, **places}, stdout=log, stderr=log
            )
            try:
                return asyncio.run(asyncio.wait_for(_talk(folder, side, began), PATIENCE))
            except (TimeoutError, EOFError, OSError) as error:
                raise RuntimeError(f"the core did not answer ({type(error).__name__})") from error
            finally:
                core.terminate()
                core.wait(30)


async def _talk(folder: Path, side: int, began: float) -> FirstTile:
    channel = await _connected(folder / "run")
    answering = time.perf_counter() - began
    try:
        pixels = Picture.open(folder / "made" / "source.npy")
        data, header = pixels.read_raw(pixels.bounds).tobytes(), PictureHeader(side, side, "u8", "rgba")
        began = time.perf_counter()
        await channel.send(wire.Estimate(1, RefineRequest().to_dict(), header))
        async for event in channel.events():
            if isinstance(event, wire.Estimated):
                break
        estimated = time.perf_counter() - began
        cold, warm = [await _until_first(channel, data, header, seed) for seed in (1, 2)]
        return FirstTile(side, answering, estimated, cold, warm, os.getloadavg()[0])
    finally:
        await channel.close()


async def _connected(runtime: Path) -> Channel:
    while True:
        try:
            return await connect(runtime)
        except PlaceError:
            await asyncio.sleep(0.01)


async def _until_first(channel: Channel, data: bytes, header: PictureHeader, seed: int) -> float:
    """From the submit to the first finished tile; then waits for the end, so that jobs don't meet."""
    job, began, first = str(uuid.uuid4()), time.perf_counter(), 0.0
    await channel.send(wire.Submit(job, {"seed": seed}, header))
    sent = 0
    async for event in channel.events():
        if getattr(event, "job", None) != job:
            continue
        if isinstance(event, wire.Credit) and sent < len(data):
            size = min(len(data) - sent, channel.sendable(job, "source"))
            await channel.send(wire.Pixels(job, "source", sent, data[sent : sent + size]))
            sent += size
        elif isinstance(event, wire.Progress) and event.stage == "tiles" and event.tile >= 1 and not first:
            first = time.perf_counter() - began
        elif isinstance(event, wire.Finished):
            return first
        elif isinstance(event, wire.Failed):
            raise RuntimeError(event.message)
    raise EOFError
