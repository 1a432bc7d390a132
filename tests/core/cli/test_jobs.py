"""`scumble jobs`, as a user runs it: beside a running core, and without one."""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from scumble_core.files.read import read_picture
from scumble_core.jobs.register import folder_size

JOBS = Path(__file__).parents[1] / "jobs"
sys.path.insert(0, str(JOBS))

from driver import Driver, new_job, noise  # noqa: E402

from scumble_bridge import messages as wire  # noqa: E402
from scumble_bridge.asyncio_adapter import connect  # noqa: E402
from scumble_bridge.errors import PlaceError  # noqa: E402

DEADLY = "tiles=4 die=3"


@pytest.fixture
def environment(tmp_path):
    places = {"SCUMBLE_DATA_DIR": str(tmp_path / "data"), "SCUMBLE_RUNTIME_DIR": str(tmp_path / "run")}
    return {**os.environ, **places, "HOME": str(tmp_path), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


@pytest.fixture
def scumble(tmp_path, environment):
    def run(*arguments, fails=False):
        command = [sys.executable, "-m", "scumble_core", "jobs", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture
def core(tmp_path, environment):
    """Runs a core with the tiny worker; gives a way to talk to it."""

    @contextmanager
    def run():
        process = subprocess.Popen([sys.executable, str(JOBS / "core_process.py")], env=environment)
        try:
            yield lambda work: asyncio.run(asyncio.wait_for(_talk(tmp_path / "run", work), 60))
        finally:
            process.terminate()
            assert process.wait(30) == 0

    return run


async def _talk(runtime, work):
    end = time.monotonic() + 30
    while True:
        try:
            channel = await connect(runtime)
            break
        except PlaceError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.05)
    try:
        await work(Driver(channel))
    finally:
        await channel.close()


def job_with(prompt, ending, job):
    async def work(client):
        await client.start(job, noise(6, 5), prompt=prompt)
        assert (await client.wait_for(ending)).job == job

    return work


def test_without_any_job_it_says_so(scumble):
    assert "There are no jobs." in scumble("list")
    assert json.loads(scumble("list", "--json")) == []
    assert "There is no job abc" in scumble("show", "abc", fails=True)


def test_jobs_are_listed_shown_exported_and_removed_beside_a_running_core(scumble, core, tmp_path):
    job, dead = new_job(), new_job()
    with core() as talk:
        talk(job_with("tiles=3", wire.Finished, job))
        talk(job_with(DEADLY, wire.Failed, dead))
        listed = json.loads(scumble("list", "--json"))
        assert [(each["id"], each["state"], each["tiles"]) for each in listed] == [
            (job, "finished", 3), (dead, "failed", 2)
        ]  # fmt: skip
        assert job in scumble("list") and "SIGKILL" in scumble("show", dead[:13])
        shown = json.loads(scumble("show", job, "--json"))
        assert shown["source"]["width"] == 5
        assert shown["tasks"] == {"tiles": {"done": 3, "kept": 0, "taken_over": 0, "median_seconds": 0.25}}
        assert "tiles: 3 done, 0 kept, 0 taken over, 0.25 s each (the median)" in scumble("show", job)
        scumble("export", job, "-o", "out.ora")
        assert read_picture(tmp_path / "out.ora").shape == (6, 5, 4)
        assert "only finished jobs" in scumble("export", dead, "-o", "out.png", fails=True)
        assert f"Job {job} is removed." in scumble("remove", job)
        assert [path.name for path in (tmp_path / "data" / "jobs").iterdir()] == [dead]
        assert [each["id"] for each in json.loads(scumble("list", "--json"))] == [dead]


def test_a_job_that_runs_is_not_touched(scumble, core, tmp_path):
    job = new_job()

    async def start(client):
        await client.start(job, noise(6, 5), prompt="wait")
        while (await client.wait_for(wire.Progress)).stage == "queued":
            pass

    with core() as talk:
        talk(start)
        assert "is running: cancel or pause it first" in scumble("remove", job, fails=True)
        assert "nothing to resume" in scumble("resume", job, fails=True)
        assert "nothing to drop" in scumble("gc", "--keep-gb", "0")
        assert (tmp_path / "data" / "jobs" / job / "source.npy").exists()


@pytest.mark.parametrize("with_core", [True, False])
def test_a_failed_job_is_resumed_from_its_tiles(scumble, core, tmp_path, with_core):
    job = new_job()
    folder = tmp_path / "data" / "jobs" / job

    async def finish(client):
        await client.channel.send(wire.Attach(job))
        assert (await client.wait_for(wire.Finished)).job == job

    with core() as talk:
        talk(job_with(DEADLY, wire.Failed, job))
        (folder / "request.json").write_text(json.dumps({"prompt": "tiles=4"}))  # the tile is not deadly any more
        if with_core:
            assert "2 finished tiles, and goes on when its turn comes" in scumble("resume", job)
            talk(finish)
    if not with_core:
        assert "when a core runs" in scumble("resume", job)
        assert json.loads(scumble("show", job, "--json"))["state"] == "queued"
        with core() as talk:
            talk(finish)
    assert (folder / "ran.txt").read_text().split() == ["1", "2", "3", "4"]


def test_gc_drops_what_is_too_much_with_and_without_a_core(scumble, core, tmp_path):
    jobs = [new_job(), new_job()]
    with core() as talk:
        for job in jobs:
            talk(job_with("", wire.Finished, job))
        assert "There is nothing to drop." in scumble("gc")
        would = scumble("gc", "--keep-gb", "0", "--dry-run")
        assert all(f"Would drop job {job}" in would for job in jobs) and "nobody has fetched" in would
        size = folder_size(tmp_path / "data" / "jobs" / jobs[1])
        dropped = scumble("gc", "--keep-gb", (size + 10) / 1e9)
        assert jobs[0] in dropped and jobs[1] not in dropped
    assert f"Dropped job {jobs[1]}" in scumble("gc", "--keep-days", "0")
    assert list((tmp_path / "data" / "jobs").iterdir()) == []


def test_no_torch_is_loaded_for_it():
    code = "import sys, scumble_core.cli.jobs, scumble_core.jobs.desk; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
