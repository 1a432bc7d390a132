"""What jobs and workers take up, and give back: eviction, idle workers, and tiles that several jobs share."""

import asyncio
import logging
import os
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driver import Driver, new_job, noise, running_core, until

from scumble_bridge import messages as wire
from scumble_core.jobs.command import WORKER
from scumble_core.jobs.eviction import Limits
from scumble_core.jobs.journal import Journal, read_entries


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 200))


def ran(folder: Path, job: str) -> list[str]:
    return (folder / "jobs" / job / "ran.txt").read_text().split()


def test_what_is_too_much_is_dropped_oldest_first_and_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        limits = Limits(total_bytes=700_000, grace=0.0)  # a job's folder has some 250 kB
        async with running_core(tmp_path, limits=limits) as core, core.client() as client:
            jobs = [new_job() for _ in range(4)]
            for job in jobs:
                await client.start(job, noise(144, 144))
                await client.wait_for(wire.Finished)
            await until(lambda: len(core.jobs) == 2)
            assert core.jobs == set(jobs[2:])
            assert [entry.id for entry in read_entries(tmp_path / "jobs.sqlite")] == jobs[2:]
            await client.channel.send(wire.Attach(jobs[0]))
            assert (await client.wait_for(wire.Failed)).code == "unknown_job"

    with caplog.at_level(logging.WARNING):
        run(work())
    assert caplog.text.count("nobody has fetched them") == 2


def test_a_job_that_is_too_old_is_dropped_when_the_next_core_starts(tmp_path: Path) -> None:
    jobs = [new_job(), new_job()]

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            for job in jobs:
                await client.start(job, noise(5, 5))
                await client.wait_for(wire.Finished)

    async def later() -> None:
        async with running_core(tmp_path) as core:
            await until(lambda: core.jobs == {jobs[1]})

    run(begin())
    journal = Journal.open(tmp_path / "jobs.sqlite")
    old = journal.entries()[0]
    journal.put(replace(old, used=time.time() - 8 * 24 * 3600))
    journal.close()
    run(later())


def test_an_idle_worker_leaves_and_the_next_job_gets_a_new_one(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, worker_idle_seconds=0.3) as core, core.client() as client:
            await client.start(new_job(), noise(5, 5), prompt="tiles=8 slow=0.1")
            await client.wait_for(wire.Finished)  # longer than the worker may be idle
            first = core.worker.pid
            assert first is not None
            await until(lambda: core.worker.pid is None)
            await until(lambda: not _lives(first))
            await client.channel.send(wire.Describe())
            assert (await client.wait_for(wire.Described)).device == "Tiny"  # known without a worker
            await client.start(new_job(), noise(5, 5))
            await client.wait_for(wire.Finished)
            assert core.worker.pid not in (None, first)

    run(work())


def test_a_job_takes_over_what_another_job_has_finished_and_says_how_much_that_was(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            first, second = new_job(), new_job()
            await client.start(first, noise(5, 5), prompt="tiles=3 key=same")
            assert "tiles_taken_over" not in (await client.wait_for(wire.Finished)).summary
            await client.start(second, noise(5, 5), prompt="tiles=5 key=same")
            assert (await client.wait_for(wire.Finished)).summary["tiles_taken_over"] == 3
            assert ran(tmp_path, second) == ["4", "5"]
            third = new_job()
            await client.start(third, noise(5, 5), prompt="tiles=5 key=same enlarge")
            summary = (await client.wait_for(wire.Finished)).summary
            assert summary["upscaled_taken_over"] == 5 and "tiles_taken_over" not in summary
            await client.channel.send(wire.Release(third))
            await client.channel.send(wire.Release(first))  # what was taken over is the second one's own
            await until(lambda: core.jobs == {second})
            kept = sorted(path.name for path in (tmp_path / "jobs" / second / "tiles").glob("*.npy"))
            assert kept == [f"{number}-same.npy" for number in range(1, 6)]

    run(work())


@pytest.mark.slow
def test_a_repainted_picture_and_one_tile_drawn_anew_cost_only_the_tiles_that_changed(tmp_path: Path) -> None:
    """The real worker with the starter models: a picture of six tiles."""
    smooth = np.indices((256, 256)).sum(0)[..., None] // 4 + np.array([0, 40, 80, 0])
    picture = smooth.astype(np.uint8)
    picture[..., 3] = 255
    repainted = picture.copy()
    repainted[200:, 200:, :3] = 255 - repainted[200:, 200:, :3]
    settings = {"scale": 1.0, "steps": 4, "tile_size": 128, "overlap": 16, "skip_flat": False, "complexity": False}

    async def refined(client: Driver, source: np.ndarray[Any, Any], **more: object) -> wire.Finished:
        client._patience = 120.0
        await client.start(new_job(), source, **settings, **more)
        return await client.wait_for(wire.Finished)

    async def work() -> None:
        async with running_core(tmp_path, command=WORKER) as core, core.client() as client:
            first = await refined(client, picture)
            assert "tiles_taken_over" not in first.summary
            tiles = len(list((tmp_path / "jobs" / first.job / "tiles").glob("*.npy")))
            again = await refined(client, picture)
            assert again.summary["tiles_taken_over"] == tiles
            changed = await refined(client, repainted)
            assert 0 < changed.summary["tiles_taken_over"] < tiles
            anew = await refined(client, picture, reseeded=[{"x": 0, "y": 0, "seed": 5}])
            assert anew.summary["tiles_taken_over"] == tiles - 1
            pixels = [np.load(tmp_path / "jobs" / each.job / "refined.npy") for each in (first, again, anew, changed)]
            assert np.array_equal(pixels[0], pixels[1])
            assert all(not np.array_equal(pixels[0], other) for other in pixels[2:])

    run(work())


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
