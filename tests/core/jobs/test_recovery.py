"""A worker that dies is replaced, and its job goes on from the finished tiles, as long as that gets anywhere."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from driver import new_job, noise, running_core, until
from hypothesis import given
from hypothesis import strategies as st

from scumble_bridge import messages as wire
from scumble_core.jobs.recovery import MOST_IN_VAIN, Deaths


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


@given(st.lists(st.integers(1, 3)))
def test_a_job_that_gains_tiles_between_deaths_goes_on_for_ever(gains: list[int]) -> None:
    deaths, tiles = Deaths(), 0
    for gain in gains:
        tiles += gain
        deaths = deaths.another(tiles)
        assert not deaths.are_hopeless
    assert deaths.count == len(gains)


@given(st.integers(0, 9))
def test_deaths_at_the_same_place_end_it(tiles: int) -> None:
    deaths = Deaths()
    for number in range(1, MOST_IN_VAIN + 1):
        deaths = deaths.another(tiles)
        assert deaths.are_hopeless == (number == MOST_IN_VAIN)


def test_a_worker_killed_from_outside_is_told_and_replaced_and_no_finished_tile_is_done_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, noise(5, 5), prompt="tiles=8 slow=0.1")
            while (await client.wait_for(wire.Progress)).tile < 3:
                pass
            first = core.worker.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            while (await client.wait_for(wire.Progress)).stage != "restarting":
                pass
            assert (await client.wait_for(wire.Finished)).job == job
            assert core.worker.pid != first
            ran = (tmp_path / "jobs" / job / "ran.txt").read_text().split()
            # The tile in hand may be noted twice: it was not finished.
            assert sorted(set(ran)) == sorted("12345678") and len(ran) <= 9

    run(work())


def test_a_worker_that_had_died_before_the_job_came_is_not_the_jobs_fault(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, noise(5, 5))
            await client.wait_for(wire.Finished)
            first = core.worker.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)  # nothing is awaited in between: the core doesn't know yet
            result = await core.worker.run(tmp_path / "jobs" / job, lambda event: None)
            assert (result.width, result.height) == (5, 5) and core.worker.pid != first

    run(work())


@pytest.mark.parametrize("prompt", ["tiles=4 die_once=3", "tiles=4 lost_once"])
def test_a_worker_that_dies_once_costs_nothing_but_the_tile_in_hand(tmp_path: Path, prompt: str) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, noise(5, 5), prompt=prompt)
            await client.wait_for(wire.Finished)
            assert (tmp_path / "jobs" / job / "ran.txt").read_text().split() == ["1", "2", "3", "4"]
            assert any(isinstance(each, wire.Progress) and each.stage == "restarting" for each in client.heard)

    run(work())


def test_a_tile_that_kills_its_worker_twice_ends_the_job_with_a_sentence_and_the_next_job_runs(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job, other = new_job(), new_job()
            await client.start(job, noise(5, 5), prompt="tiles=4 die=3")
            await client.start(other, noise(5, 5))
            failed = await client.wait_for(wire.Failed)
            assert (failed.job, failed.code) == (job, "worker_died")
            assert (
                "SIGKILL" in failed.message and job in failed.message and "2 finished tiles are kept" in failed.message
            )
            assert (await client.wait_for(wire.Finished)).job == other
            kept = (tmp_path / "jobs" / job / "tiles").glob("*.npy")
            assert sorted(path.name for path in kept) == [f"1-{job}.npy", f"2-{job}.npy"]

    run(work())


def test_a_job_that_is_cancelled_while_its_worker_is_replaced_is_cancelled(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, noise(5, 5), prompt="tiles=4 die_once=2 slow=0.2")
            while (await client.wait_for(wire.Progress)).stage != "restarting":
                pass
            await client.channel.send(wire.Cancel(job))
            await client.wait_for(wire.Cancelled)
            await until(lambda: core.worker.pid is not None)

    run(work())
