"""`scumble serve` as a process: its lock, its places, its log, its end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driver import Driver, new_job, noise

from scumble_bridge import messages as wire
from scumble_bridge.asyncio_adapter import connect
from scumble_bridge.places import read_core_command, socket_path

SCRIPT = str(Path(__file__).with_name("core_process.py"))


@contextmanager
def core_process(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *arguments], env=environment(folder), stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def environment(folder: Path) -> dict[str, str]:
    places = {"SCUMBLE_DATA_DIR": str(folder / "data"), "SCUMBLE_RUNTIME_DIR": str(folder / "run")}
    return {**os.environ, **places, "OMP_NUM_THREADS": "1"}


def wait_until_it_answers(folder: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(socket_path(folder / "run"))) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("the core does not answer")


def test_one_core_serves_and_a_second_says_so(tmp_path: Path) -> None:
    with core_process(tmp_path) as first:
        wait_until_it_answers(tmp_path)
        with core_process(tmp_path) as second:
            _, said = second.communicate(timeout=30)
            assert second.returncode == 1 and "already running" in said
        assert first.poll() is None
        assert read_core_command(tmp_path / "data")[1:] == ["-m", "scumble_core", "serve", "--started-by-plugin"]
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
        assert not (tmp_path / "run" / "core.sock").exists() and not (tmp_path / "run" / "token").exists()


def test_two_cores_never_share_a_data_folder(tmp_path: Path) -> None:
    with core_process(tmp_path) as first:
        wait_until_it_answers(tmp_path)
        elsewhere = {**environment(tmp_path), "SCUMBLE_RUNTIME_DIR": str(tmp_path / "elsewhere")}
        second = subprocess.run([sys.executable, SCRIPT], env=elsewhere, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1 and f"already running for {tmp_path / 'data'}" in second.stderr
        assert first.poll() is None


def test_a_core_that_was_killed_leaves_nothing_that_stops_the_next(tmp_path: Path) -> None:
    with core_process(tmp_path) as first:
        wait_until_it_answers(tmp_path)
        first.kill()
        first.wait(30)
    assert (tmp_path / "run" / "core.sock").exists()
    with core_process(tmp_path):
        wait_until_it_answers(tmp_path)


def test_a_runtime_folder_of_any_length_will_do(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with core_process(folder) as core:
        wait_until_it_answers(folder)
        core.terminate()
        assert core.wait(30) == 0
    socket_path(folder / "run").parent.rmdir()


def test_started_by_the_plugin_it_logs_to_a_file_and_ends_when_idle(tmp_path: Path) -> None:
    with core_process(tmp_path, "--started-by-plugin", "0.5") as core:
        assert core.wait(30) == 0
    log = (tmp_path / "data" / "logs" / "core.log").read_text()
    assert "listens at" in log and "Nobody has needed this core" in log


def test_the_front_door_does_without_torch() -> None:
    code = (
        "import sys, scumble_core.jobs.serve, scumble_core.models.library as library; library.choices(); "
        "print('torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_the_command_serve_imports_nothing_that_makes_its_start_slow() -> None:
    code = (
        "import sys; from scumble_core.cli.app import app; app('serve'); import scumble_core.jobs.serve; "
        "print(sorted({'torch', 'scipy', 'PIL', 'tifffile', 'imagecodecs', 'diffusers'} & sys.modules.keys()))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_real_core_refines_a_picture(tmp_path: Path) -> None:
    """The command that the plugin is told, with the real worker and the built-in models."""

    async def work() -> None:
        channel = await connect(tmp_path / "run")
        client = Driver(channel, patience=240)
        await channel.send(wire.Describe())
        assert (await client.wait_for(wire.Described)).models[0].id == "starter"
        job, source = new_job(), noise(64, 64)
        await client.start(job, source, scale=1.0, steps=2)
        ending = await client.wait_for((wire.Finished, wire.Failed))
        assert isinstance(ending, wire.Finished), ending
        assert (ending.refined.width, ending.refined.height) == (64, 64)
        assert len(await client.fetch(job, "refined", source.nbytes)) == source.nbytes
        await channel.close()

    command = [sys.executable, "-m", "scumble_core", "serve"]
    core = subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.DEVNULL)
    try:
        wait_until_it_answers(tmp_path)
        asyncio.run(work())
        core.terminate()
        assert core.wait(30) == 0
    finally:
        core.kill()
        core.wait()
