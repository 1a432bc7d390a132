"""One worker for each device: as many jobs run at once, each on its own, whatever becomes of another's."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from driver import TINY_WORKER, Driver, new_job, noise, running_core, until

from scumble_bridge import messages as wire
from scumble_core.cli.app import app
from scumble_core.jobs.command import WORKER
from scumble_core.jobs.journal import read_entries
from scumble_core.jobs.supervisor import Supervisor

TWO = (*TINY_WORKER, "--two")


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 90))


def runs(folder: Path, job: str) -> list[tuple[str, int]]:
    """The options and the process id of each worker that began the job."""
    path = folder / "jobs" / job / "runs.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.partition(": ")[0], int(line.partition(": ")[2])) for line in lines]


def states(folder: Path) -> dict[str, str]:
    return {entry.id: entry.state for entry in read_entries(folder / "jobs.sqlite")}


async def start(client: Driver, folder: Path, prompt: str, state: str) -> str:
    """A job that has come so far."""
    job = new_job()
    await client.start(job, noise(5, 5), prompt=prompt)
    await until(lambda: states(folder).get(job) == state and (state != "running" or bool(runs(folder, job))))
    return job


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_as_many_jobs_run_at_once_as_there_are_devices_and_the_next_one_takes_what_is_free(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, command=TWO) as core, core.client() as client:
            first, second = [await start(client, tmp_path, "wait", "running") for _ in range(2)]
            third = await start(client, tmp_path, "tiles=1", "queued")
            assert [each for each, _ in runs(tmp_path, first)] == ["--two"]
            assert [each for each, _ in runs(tmp_path, second)] == ["--two --device tiny:1"]
            queued = [each for each in client.heard if isinstance(each, wire.Progress) and each.job == third]
            while not queued:
                news = await client.wait_for(wire.Progress)
                queued = [news] if news.job == third else []
            assert (queued[0].stage, queued[0].tile) == ("queued", 2)
            await client.channel.send(wire.Cancel(second))
            assert (await client.wait_for(wire.Finished)).job == third
            assert runs(tmp_path, third) == runs(tmp_path, second)
            assert states(tmp_path) == {first: "running", second: "cancelled", third: "finished"}
            await client.channel.send(wire.Cancel(first, "pause"))
            await until(lambda: states(tmp_path)[first] == "paused")

    run(work())


def test_a_worker_that_dies_is_replaced_and_the_other_one_does_not_notice(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, command=TWO) as core, core.client() as client:
            jobs = [await start(client, tmp_path, "tiles=5 slow=0.2", "running") for _ in range(2)]
            await until(lambda: len(list((tmp_path / "jobs" / jobs[1] / "tiles").glob("*.npy"))) >= 2)
            os.kill(runs(tmp_path, jobs[1])[0][1], signal.SIGKILL)
            assert {(await client.wait_for(wire.Finished)).job for _ in jobs} == set(jobs)
            one, again = (runs(tmp_path, job) for job in jobs)
            assert len(one) == 1 and len(again) == 2
            assert {options for options, _ in again} == {"--two --device tiny:1"}
            ran = [(tmp_path / "jobs" / job / "ran.txt").read_text().split() for job in jobs]
            assert ran[0] == list("12345") and sorted(set(ran[1])) == list("12345") and len(ran[1]) <= 6

    run(work())


def test_owners_take_turns_over_all_devices(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, command=TWO) as core, core.client() as a, core.client() as b:
            first, _ = [await start(a, tmp_path, "wait", "running") for _ in range(2)]
            third = await start(a, tmp_path, "wait", "queued")
            other = await start(b, tmp_path, "wait", "queued")
            await a.channel.send(wire.Cancel(first))
            await until(lambda: states(tmp_path)[other] == "running")
            assert states(tmp_path)[third] == "queued"

    run(work())


def test_a_single_artists_jobs_hold_the_memory_of_one_device_and_the_core_leaves_no_worker_behind(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with running_core(tmp_path, command=TWO) as core, core.client() as client:
            for _ in range(3):
                await client.start(new_job(), noise(5, 5))
                await client.wait_for(wire.Finished)
            assert len({pid for job in core.jobs for _, pid in runs(tmp_path, job)}) == 1
            held = [await start(client, tmp_path, "deaf", "running") for _ in range(2)]
            pids.update(pid for job in held for _, pid in runs(tmp_path, job))

    pids: set[int] = set()
    run(work())
    assert len(pids) == 2 and not any(map(is_alive, pids))


def test_each_idle_worker_leaves_for_itself(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, command=TWO, worker_idle_seconds=0.3) as core, core.client() as client:
            first, second = [await start(client, tmp_path, "wait", "running") for _ in range(2)]
            ((_, busy),), ((_, idle),) = runs(tmp_path, first), runs(tmp_path, second)
            await client.channel.send(wire.Cancel(second))
            await until(lambda: not is_alive(idle))
            assert is_alive(busy) and states(tmp_path)[first] == "running"
            await client.channel.send(wire.Cancel(first))
            await until(lambda: not is_alive(busy))

    run(work())


@pytest.mark.parametrize("devices", ["tpu", "cuda:0,,cuda:1", "cpu,cpu", ""])
def test_devices_that_cannot_be_are_refused_before_anything_starts(
    devices: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(Exception, match="give cpu, mps, or cuda:0,cuda:1"):
        app("serve")(["serve", "--devices", devices], standalone_mode=False)
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_the_real_worker_takes_the_devices_it_is_told_and_no_others() -> None:
    async def work() -> None:
        worker = Supervisor((*WORKER, "--devices", "cpu"))
        assert await worker.describe() == "CPU"
        assert worker.known is not None and worker.known.devices == ("cpu",)
        assert worker.known.memory > worker.known.free > 0 and worker.known.loaded == ()
        missing = Supervisor((*WORKER, "--device", "cuda:99"))
        assert await missing.describe() == "unknown"
        await worker.close()
        await missing.close()

    run(work())


@pytest.mark.slow
def test_a_worker_that_still_loads_torch_ends_when_its_core_does() -> None:
    worker = subprocess.Popen(WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write(b'{"describe": true}\n')
    worker.stdin.close()
    said = worker.stdout.read()
    assert worker.wait(60) == 0 and said == b""
