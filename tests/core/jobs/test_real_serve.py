"""The real `scumble serve`, started as the plugin starts it and ended as a system ends it: nothing is left behind."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from driver import Driver, new_job

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import connect
from scumble_bridge.errors import PlaceError, ProtocolError
from scumble_bridge.places import read_core_command, write_core_command
from scumble_core.jobs.command import CORE
from scumble_core.jobs.journal import read_entries, read_tasks
from scumble_core.stages.store import TileStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the core's workers in /proc"),
]
SETTINGS = {"scale": 1.0, "steps": 4, "tile_size": 128, "overlap": 16, "skip_flat": False, "complexity": False}


@contextmanager
def started(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """By the command in the data folder, in a session of its own: it doesn't end with Krita."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    write_core_command(data, CORE)
    places = {"SCUMBLE_DATA_DIR": str(data), "SCUMBLE_RUNTIME_DIR": str(folder / "run"), "OMP_NUM_THREADS": "1"}
    nothing = subprocess.DEVNULL
    core = subprocess.Popen(
        read_core_command(data), env={**os.environ, **places}, start_new_session=True, stdin=nothing, stdout=nothing,
        stderr=nothing,
    )  # fmt: skip
    try:
        yield core
    finally:
        core.kill()
        core.wait()


async def greeted(folder: Path) -> Driver:
    """A client, as soon as there is a core that answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                return Driver(await connect(folder / "run"), patience=240)
            except (PlaceError, ProtocolError, OSError):
                await asyncio.sleep(0.02)


def workers(core: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{core}/task/{core}/children").read_text().split()]


def end(core: "subprocess.Popen[bytes]") -> None:
    """By SIGTERM; its workers end with it."""
    children = workers(core.pid)
    assert children
    core.send_signal(signal.SIGTERM)
    assert core.wait(60) == 0
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "a worker lives on"
        time.sleep(0.02)


def tiles(folder: Path, job: str) -> dict[str, int]:
    """The finished tiles, each whole, with what changes when one is written anew."""
    store = TileStore(folder / "data" / "jobs" / job / "tiles")
    files = sorted((folder / "data" / "jobs" / job / "tiles").glob("*.npy"))
    for file in files:
        assert np.isfinite(store.get(file.stem)).all()
    return {file.stem: file.stat().st_mtime_ns for file in files}


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    smooth = np.indices((256, 256)).sum(0)[..., None] // 4 + np.array([0, 40, 80, 0])
    pixels = smooth.astype(np.uint8)
    pixels[..., 3] = 255
    return pixels


def test_a_core_that_is_ended_amid_a_job_leaves_no_process_and_nothing_half_written_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    job, source = new_job(), picture()

    async def begin() -> None:
        client = await greeted(tmp_path)
        await client.channel.send(wire.Describe())
        assert (await client.wait_for(wire.Described)).models[0].id == "starter"
        await client.start(job, source, **SETTINGS)
        while (news := await client.wait_for(wire.Progress)).stage != "tiles" or news.tile < 2:
            pass
        await client.channel.close()

    async def go_on() -> None:
        client = await greeted(tmp_path)
        await client.channel.send(wire.Attach(job))
        ending = await client.wait_for((wire.Finished, wire.Failed))
        assert isinstance(ending, wire.Finished), ending
        refined = await client.fetch(job, "refined", source.nbytes, credit=source.nbytes)
        assert len(refined) == source.nbytes and refined != source.tobytes()
        await client.channel.close()

    with started(tmp_path) as core:
        asyncio.run(begin())
        end(core)
    kept = tiles(tmp_path, job)
    journal, folder = tmp_path / "data" / "jobs.sqlite", tmp_path / "data" / "jobs" / job
    assert 2 <= len(kept) < 6
    assert [(entry.id, entry.state) for entry in read_entries(journal)] == [(job, "queued")]
    assert {task.key for task in read_tasks(journal, job)} <= set(kept)
    assert not list(folder.rglob("*.part")) and not (folder / "work").exists()
    with closing(sqlite3.connect(journal)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not list((tmp_path / "run").glob("core.sock")) and not (tmp_path / "run" / "token").exists()
    assert not {"upscaled.npy", "refined.npy", "result.json"} & {path.name for path in folder.iterdir()}

    with started(tmp_path) as core:
        asyncio.run(go_on())
        end(core)
    after = tiles(tmp_path, job)
    assert len(after) == 6 and kept.items() <= after.items()
    assert not list(folder.rglob("*.part")) and not (folder / "work").exists()
    assert {task.source for task in read_tasks(journal, job)} == {"done", "kept"}
