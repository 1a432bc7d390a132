"""Jobs outlive their core: whatever ended it, the next one goes on where it stopped."""

import asyncio
import json
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
from driver import Driver, new_job, noise, running_core, until

from scumble_bridge import messages as wire
from scumble_bridge.fields import PictureHeader
from scumble_core.jobs.journal import read_entries, read_tasks
from scumble_core.jobs.states import State

SLOW = "tiles=6 slow=0.15"


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 90))


def state_of(folder: Path, job: str) -> State | None:
    return next((entry.state for entry in read_entries(folder / "jobs.sqlite") if entry.id == job), None)


async def reach_tile(client: Driver, tile: int) -> None:
    while (await client.wait_for(wire.Progress)).tile < tile:
        pass


async def stage(client: Driver, name: str) -> wire.Progress:
    while (news := await client.wait_for(wire.Progress)).stage != name:
        pass
    return news


def ran(folder: Path, job: str) -> list[str]:
    return (folder / "jobs" / job / "ran.txt").read_text().split()


def test_a_stopped_cores_running_and_waiting_jobs_are_queued_and_the_next_core_finishes_them(tmp_path: Path) -> None:
    first, second = new_job(), new_job()

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(first, noise(5, 5), prompt=SLOW)
            await client.start(second, noise(6, 6), "bgra", prompt="tiles=2")
            await reach_tile(client, 2)
            assert state_of(tmp_path, first) == "running"

    async def go_on() -> None:
        assert (state_of(tmp_path, first), state_of(tmp_path, second)) == ("queued", "queued")
        async with running_core(tmp_path) as core, core.client() as client:
            for job, side in ((first, 5), (second, 6)):
                await client.channel.send(wire.Attach(job))
                assert (await client.wait_for(wire.Finished)).job == job
                assert await client.fetch(job, "refined", side * side * 4) == noise(side, side).tobytes()

    run(begin())
    run(go_on())
    assert sorted(set(ran(tmp_path, first))) == list("123456") and len(ran(tmp_path, first)) <= 7


def test_results_wait_for_their_client_also_over_the_end_of_the_core(tmp_path: Path) -> None:
    job = new_job()

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(job, noise(5, 5), prompt="tiles=2")
            await client.wait_for(wire.Finished)

    async def come_back() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.submit(job, noise(5, 5), prompt="tiles=2")  # the same job again is the same job
            finished = await client.wait_for(wire.Finished)
            assert finished.refined == PictureHeader(5, 5, "u8", "rgba")
            assert await client.fetch(job, "refined", 100) == noise(5, 5).tobytes()
            assert ran(tmp_path, job) == ["1", "2"]
            await client.channel.send(wire.Release(job))
            await until(lambda: not core.jobs)

    run(begin())
    run(come_back())
    assert read_entries(tmp_path / "jobs.sqlite") == []


def test_a_failure_is_told_after_a_restart_too(tmp_path: Path) -> None:
    job = new_job()

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(job, noise(5, 5), prompt="fail")
            await client.wait_for(wire.Failed)

    async def come_back() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Attach(job))
            assert (await client.wait_for(wire.Failed)).message == "The picture is no good: paint another."

    run(begin())
    run(come_back())


def test_a_job_whose_pictures_had_not_come_in_is_dropped(tmp_path: Path) -> None:
    half = tmp_path / "jobs" / new_job()
    half.mkdir(parents=True)
    np.save(half / "source.npy", noise(5, 5))

    async def work() -> None:
        async with running_core(tmp_path) as core:
            assert not core.jobs

    run(work())


def test_a_cancelled_job_keeps_its_tiles_and_goes_on_when_it_is_submitted_again(tmp_path: Path) -> None:
    job = new_job()

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(job, noise(5, 5), prompt=SLOW)
            await reach_tile(client, 2)
            await client.channel.send(wire.Cancel(job))
            await client.wait_for(wire.Cancelled)
            done = len(ran(tmp_path, job))
            assert 2 <= done < 6 and state_of(tmp_path, job) == "cancelled"
            await client.submit(job, noise(5, 5), prompt=SLOW)
            await client.wait_for(wire.Finished)
            assert ran(tmp_path, job) == list("123456")

    run(work())


def test_a_lost_journal_loses_no_job_that_somebody_waits_for(tmp_path: Path) -> None:
    finished, waiting, cancelled = new_job(), new_job(), new_job()

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(finished, noise(5, 5), prompt="tiles=2")
            await client.wait_for(wire.Finished)
            await client.start(waiting, noise(5, 5), prompt=SLOW)
            await client.start(cancelled, noise(5, 5), prompt="wait")
            await client.channel.send(wire.Cancel(cancelled))
            await client.wait_for(wire.Cancelled)
            await reach_tile(client, 2)

    async def go_on() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            for job in (finished, waiting):
                await client.channel.send(wire.Attach(job))
                assert (await client.wait_for(wire.Finished)).job == job
            await client.channel.send(wire.Attach(cancelled))
            assert (await client.wait_for(wire.Failed)).code == "unknown_job"
            assert len(ran(tmp_path, waiting)) <= 7
            # What is known of its tasks comes from their files, and from what it says when it goes on.
            for job in (finished, waiting):
                keys = {path.stem for path in (tmp_path / "jobs" / job / "tiles").glob("*.npy")}
                assert {task.key for task in read_tasks(tmp_path / "jobs.sqlite", job)} == keys

    run(begin())
    (tmp_path / "jobs.sqlite").write_bytes(b"no database")
    run(go_on())


def test_a_damaged_tile_and_only_that_one_is_done_again(tmp_path: Path) -> None:
    job = new_job()

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(job, noise(5, 5), prompt=SLOW)
            await reach_tile(client, 4)
            await client.channel.send(wire.Cancel(job, "pause"))
            await stage(client, "paused")

    async def go_on() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.submit(job, noise(5, 5), prompt=SLOW)
            await client.wait_for(wire.Finished)

    run(begin())
    done = ran(tmp_path, job)
    tile = tmp_path / "jobs" / job / "tiles" / f"2-{job}.npy"
    tile.write_bytes(tile.read_bytes()[:-1])
    run(go_on())
    left = [str(number) for number in range(len(done) + 1, 7)]
    assert ran(tmp_path, job)[len(done) :] == ["2", *left]


def test_a_paused_job_stays_so_over_a_restart_until_it_is_resumed(tmp_path: Path) -> None:
    job = new_job()

    async def begin() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(new_job(), noise(5, 5), prompt=SLOW)
            await client.start(job, noise(5, 5))
            await client.channel.send(wire.Cancel(job, "pause"))
            await stage(client, "paused")

    async def go_on() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Attach(job))
            assert (await client.wait_for(wire.Progress)).stage == "paused"
            await client.submit(job, noise(5, 5))
            assert (await client.wait_for(wire.Finished)).job == job

    run(begin())
    run(go_on())


def test_clients_take_turns_and_a_higher_priority_goes_before_them(tmp_path: Path) -> None:
    jobs = {name: new_job() for name in ("a1", "a2", "a3", "b1", "urgent")}

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as a, core.client() as b, core.client() as watcher:
            blocker = new_job()
            await a.start(blocker, noise(5, 5), prompt="wait")
            await stage(a, "tiles")
            for name in ("a1", "a2", "a3"):
                await a.start(jobs[name], noise(5, 5))
            await b.start(jobs["b1"], noise(5, 5))
            header = PictureHeader(5, 5, "u8", "rgba")
            await b.channel.send(wire.Submit(jobs["urgent"], {}, header, priority=5))
            await b.upload(jobs["urgent"], noise(5, 5).tobytes())
            for job in jobs.values():
                await until(lambda job=job: state_of(tmp_path, job) == "queued")  # type: ignore[misc]
                await watcher.channel.send(wire.Attach(job))
                await watcher.wait_for(wire.Progress)
            await watcher.channel.send(wire.Cancel(blocker))  # any client may
            order = [(await watcher.wait_for(wire.Finished)).job for _ in jobs]
            assert order == [jobs[name] for name in ("urgent", "a1", "b1", "a2", "a3")]

    run(work())


def test_the_entry_beside_the_pictures_says_what_the_journal_says(tmp_path: Path) -> None:
    job = new_job()

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.start(job, noise(5, 5), "bgra")
            await client.wait_for(wire.Finished)
            beside = json.loads((tmp_path / "jobs" / job / "entry.json").read_text())
            (entry,) = read_entries(tmp_path / "jobs.sqlite")
            assert beside == json.loads(json.dumps(entry.to_dict()))
            shutil.rmtree(tmp_path / "jobs" / job)

    async def gone() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Attach(job))
            assert (await client.wait_for(wire.Failed)).code == "unknown_job"

    run(work())
    run(gone())
