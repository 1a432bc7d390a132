"""What a client may ask of the core beside jobs: estimates, the list of jobs, another order, an end."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from driver import TINY_WORKER, Core, Driver, described, header_of, new_job, noise, running_core, until

from scumble_bridge import messages as wire
from scumble_bridge.fields import JobRow, PictureHeader
from scumble_core.jobs.answers import MOST_ASKED, Answers
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.job import Job

SHOWING = (*TINY_WORKER[:1], str(Path(__file__).with_name("showing_worker.py")))
SOURCE = noise(5, 5)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def rows_when(client: Driver, **wanted: object) -> dict[str, JobRow]:
    """The list, once the job states in it are these, by title; lists before it are other moments."""
    while True:
        rows = {row.title: row for row in (await client.wait_for(wire.Queue)).jobs}
        if {title: row.state for title, row in rows.items()} == wanted:
            return rows


async def submit(client: Driver, title: str, prompt: str = "", priority: int = 0) -> str:
    job = new_job()
    order = wire.Submit(job, {"prompt": prompt}, header_of(SOURCE), priority=priority, client="me", title=title)
    await client.channel.send(order)
    await client.upload(job, SOURCE.tobytes())
    return job


async def known(core: Core) -> None:
    await until(lambda: core.worker.state == "ready")


# Describe.


def test_describe_tells_of_the_worker_its_memory_its_models_and_the_presets(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await known(core)
            await client.channel.send(wire.Describe())
            answer = await client.wait_for(wire.Described)
            assert (answer.worker, answer.memory, answer.free, answer.loaded) == ("ready", 1000, 10, ("A",))
            job = await submit(client, "one", "wait")
            await client.wait_for(wire.Progress)
            await until(lambda: core.worker.state == "busy")
            await client.channel.send(wire.Describe())
            assert (await client.wait_for(wire.Described)).worker == "busy"
            await client.channel.send(wire.Release(job))

    run(work())


# Estimates.


def test_an_estimate_is_answered_with_the_plan_or_with_a_sentence(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            picture = PictureHeader(1000, 800, "u8", "bgra")
            await client.channel.send(wire.Estimate(4, {"scale": 2.0}, picture, (0, 0, 100, 100)))
            await client.channel.send(wire.Estimate(5, {"scale": -1.0}, picture))
            first, second = await client.wait_for(wire.Estimated), await client.wait_for(wire.Estimated)
            assert (first.ask, first.error, first.plan["output"]) == (4, "", [2000, 1600])
            assert first.plan["result"] == [0, 0, 200, 200]
            assert (second.ask, second.plan) == (5, {}) and second.error.startswith("scale is -1.0")
            assert not core.jobs

    run(work())


def test_every_estimate_of_a_burst_is_answered_but_only_some_are_kept_waiting(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client, core.client() as other:
            for ask in range(3 * MOST_ASKED):
                client.channel.post(wire.Estimate(ask, {}, header_of(SOURCE)))
            other.channel.post(wire.Estimate(7, {}, header_of(SOURCE)))
            answers = [await client.wait_for(wire.Estimated) for _ in range(3 * MOST_ASKED)]
            assert {each.ask for each in answers} == set(range(3 * MOST_ASKED))
            refused = [each for each in answers if each.error]
            assert 0 < len(refused) < 3 * MOST_ASKED and "already" in refused[0].error
            assert not (await other.wait_for(wire.Estimated)).error  # one client's burst is not another's

    run(work())


def test_the_pace_of_finished_jobs_scales_estimates_and_outlives_the_core(tmp_path: Path) -> None:
    (tmp_path / "pace.json").write_text('[{"base": "starter", "device": "cpu", "ratio": 0.01}]', "utf-8")

    async def work() -> None:
        async with running_core(tmp_path, command=SHOWING) as core, core.client() as client:
            ask = wire.Estimate(1, {}, PictureHeader(4000, 4000, "u8", "bgra"))
            await known(core)
            await client.channel.send(ask)
            plan = (await client.wait_for(wire.Estimated)).plan
            (tmp_path / "pace.json").unlink()
        async with running_core(tmp_path, command=SHOWING) as core, core.client() as client:
            await known(core)
            await client.channel.send(ask)
            unmeasured = (await client.wait_for(wire.Estimated)).plan
            assert plan["measured"] is True and unmeasured["measured"] is False
            assert plan["seconds_estimate"] == pytest.approx(unmeasured["seconds_estimate"] / 100, abs=0.1)

    run(work())


def test_how_long_a_job_took_is_kept_in_a_file_beside_the_journal(tmp_path: Path) -> None:
    def answers() -> Answers:
        return Answers(lambda: (), described, tmp_path / "pace.json")

    summary = {"seconds_estimate": 10.0, "seconds": 5.0, "models": {"base": "a"}, "device": "cpu"}
    entry = Entry("a", "finished", {}, header_of(SOURCE), "me", 0, 1, 1.0, 1.0, 1.0, result={"summary": summary})
    answers().note(Job(entry, tmp_path))
    answers().note(Job(replace(entry, result=None), tmp_path))
    answers().note(Job(entry, tmp_path))
    kept = json.loads((tmp_path / "pace.json").read_text("utf-8"))
    assert kept == [{"base": "a", "device": "cpu", "ratio": 0.5}] * 2


# The list of jobs.


def test_whoever_watches_sees_jobs_come_wait_run_and_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client, core.client() as watcher:
            await watcher.channel.send(wire.Watch())
            assert (await watcher.wait_for(wire.Queue)).jobs == ()
            first = await submit(client, "first", "wait")
            second = await submit(client, "second")
            rows = await rows_when(watcher, first="running", second="queued")
            assert list(rows) == ["first", "second"]
            assert rows["first"].stage == "tiles" or rows["first"].stage == "queued"
            assert (rows["second"].stage, rows["second"].tile, rows["second"].client) == ("queued", 1, "me")
            await client.channel.send(wire.Cancel(first))
            assert list(await rows_when(watcher, second="finished")) == ["second"]  # what was cancelled has gone
            await client.channel.send(wire.Cancel(await submit(client, "third", "wait"), "pause"))
            rows = await rows_when(watcher, third="paused", second="finished")
            assert list(rows) == ["third", "second"]
            await client.channel.send(wire.Release(second))
            await rows_when(watcher, third="paused")

    run(work())


def test_titles_outlive_the_core(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await submit(client, "Ein Bild – 絵", "fail")
            await client.wait_for(wire.Failed)
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Watch())
            (row,) = (await client.wait_for(wire.Queue)).jobs
            assert (row.title, row.client, row.state, row.stage) == ("Ein Bild – 絵", "me", "failed", "failed")

    run(work())


def test_a_list_that_does_not_change_is_not_sent_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Watch())
            await submit(client, "first", "wait")
            await rows_when(client, first="running")
            await asyncio.sleep(1.2)  # two more looks
            await client.channel.send(wire.Describe())
            await client.wait_for(wire.Described)
            lists = [each for each in client.heard if isinstance(each, wire.Queue)]
            assert all(one != other for one, other in pairwise(lists))
            assert len(lists) <= 4

    run(work())


# Another order.


def test_a_job_that_waits_overtakes_when_its_priority_is_raised(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            running = await submit(client, "running", "wait")
            early, late = await submit(client, "early"), await submit(client, "late")
            await client.channel.send(wire.Watch())
            rows = await rows_when(client, running="running", early="queued", late="queued")
            assert list(rows) == ["running", "early", "late"]
            await client.channel.send(wire.Prioritise(late, 5))
            rows = await rows_when(client, running="running", early="queued", late="queued")
            assert list(rows) == ["running", "late", "early"] and rows["late"].priority == 5
            await client.channel.send(wire.Cancel(running))
            ended = [(await client.wait_for(wire.Finished)).job for _ in range(2)]
            assert ended == [late, early]

    run(work())


@pytest.mark.parametrize("state", ["paused", "running"])
def test_a_priority_is_kept_whatever_the_job_does_and_by_the_next_core(tmp_path: Path, state: str) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = await submit(client, "one", "wait")
            while (await client.wait_for(wire.Progress)).stage == "queued":
                pass
            if state == "paused":
                await client.channel.send(wire.Cancel(job, "pause"))
                while (await client.wait_for(wire.Progress)).stage != "paused":
                    pass
            await client.channel.send(wire.Prioritise(job, -7))
            await client.channel.send(wire.Prioritise(new_job(), 1))
            assert (await client.wait_for(wire.Failed)).code == "unknown_job"
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Watch())
            (row,) = (await client.wait_for(wire.Queue)).jobs
            assert row.priority == -7

    run(work())


# An end.


def test_quit_ends_the_core_and_what_ran_goes_on_with_the_next(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = await submit(client, "one", "tiles=3 slow=0.3")
            while (await client.wait_for(wire.Progress)).tile != 1:
                pass
            await client.channel.send(wire.Quit())
            with pytest.raises((EOFError, ConnectionError)):
                await client.wait_for(wire.Pong)
            await until(core.task.done)
            assert core.task.exception() is None
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Attach(job))
            assert (await client.wait_for(wire.Finished)).job == job
            assert sorted((tmp_path / "jobs" / job / "ran.txt").read_text().split()).count("1") == 1

    run(work())
