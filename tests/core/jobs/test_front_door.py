"""The front door, over a real socket, with a real worker process."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driver import Driver, new_job, noise, running_core, until, whole

from scumble_bridge import messages as wire
from scumble_bridge.errors import ProtocolError
from scumble_bridge.fields import PictureHeader


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("layout", ["rgba", "bgra"])
def test_a_job_goes_all_the_way_and_comes_back_as_it_was_sent(tmp_path: Path, dtype: str, layout: str) -> None:
    source = noise(301, 203, dtype)

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, source, layout, prompt="print")
            finished = await client.wait_for(wire.Finished)
            assert finished.refined == PictureHeader(203, 301, finished.refined.depth, finished.refined.layout)
            kept = whole(tmp_path / "jobs" / job / "source.npy")
            wanted = source[..., [2, 1, 0, 3]] if layout == "bgra" else source
            assert np.array_equal(kept, wanted)
            for stream in ("upscaled", "refined"):
                assert await client.fetch(job, stream, source.nbytes) == source.tobytes()
            assert any(isinstance(each, wire.Preview) and each.data == bytes([7]) * 60 for each in client.heard)
            await client.channel.send(wire.Release(job))
            await until(lambda: not core.jobs)

    run(work())


def test_a_large_upload_never_has_more_under_way_than_the_window(tmp_path: Path) -> None:
    source = noise(1500, 1200)  # 7.2 MB, the window is 4 MiB

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.submit(job, source)
            assert (await client.wait_for(wire.Credit)).bytes == 4 * 1024 * 1024
            await client.upload(job, source.tobytes(), piece=1024 * 1024)
            await client.wait_for(wire.Finished)
            assert await client.fetch(job, "refined", source.nbytes, 3_000_001) == source.tobytes()

    run(work())


def test_the_selection_comes_along(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            mask = bytes(range(12))
            await client.channel.send(
                wire.Submit(job, {}, PictureHeader(4, 3, "u8", "rgba"), PictureHeader(4, 3, "u8", "mask"))
            )
            await client.wait_for(wire.Credit)
            await client.wait_for(wire.Credit)
            await client.channel.send(wire.Pixels(job, "selection", 0, mask))
            await client.upload(job, bytes(48), piece=7)
            await client.wait_for(wire.Finished)
            kept = np.load(tmp_path / "jobs" / job / "selection.npy")
            assert kept.shape == (3, 4, 1) and kept.tobytes() == mask

    run(work())


def test_describe_names_the_device_and_the_models(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Describe())
            answer = await client.wait_for(wire.Described)
            assert answer.models[0].name == "A"  # at once, whatever the worker still does
            while answer.worker != "ready":
                answer = await client.wait_for(wire.Described)
            assert answer.device == "Tiny"

    run(work())


@pytest.mark.parametrize("prompt", ["wait", "deaf"])
def test_a_running_job_is_cancelled_even_if_the_worker_is_deaf(tmp_path: Path, prompt: str) -> None:
    async def work() -> None:
        async with running_core(tmp_path, cancel_patience=0.5) as core, core.client() as client:
            job, other = new_job(), new_job()
            await client.start(job, noise(5, 5), prompt=prompt)
            await _running(client)
            await client.channel.send(wire.Cancel(job))
            assert (await client.wait_for(wire.Cancelled)).job == job
            assert core.jobs == {job}  # what is finished of it is kept
            await client.start(other, noise(5, 5))
            await client.wait_for(wire.Finished)

    run(work())


def test_a_waiting_job_hears_its_place_and_is_cancelled_at_once(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            first, second = new_job(), new_job()
            await client.start(first, noise(5, 5), prompt="wait")
            await _running(client)
            await client.start(second, noise(5, 5))
            news = await client.wait_for(wire.Progress)
            assert (news.job, news.stage, news.tile) == (second, "queued", 1)
            await client.channel.send(wire.Cancel(second))
            assert (await client.wait_for(wire.Cancelled)).job == second
            await client.channel.send(wire.Release(second))
            await until(lambda: core.jobs == {first})

    run(work())


def test_the_workers_own_failure_reaches_the_client(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, noise(5, 5), prompt="fail")
            failed = await client.wait_for(wire.Failed)
            assert (failed.code, failed.message) == ("bad_picture", "The picture is no good: paint another.")
            await client.channel.send(wire.Release(job))
            await until(lambda: not core.jobs)

    run(work())


@pytest.mark.parametrize(
    ("request_", "header", "code"),
    [
        ({"scale": 99.0}, PictureHeader(4, 4, "u8", "rgba"), "bad_request"),
        ({}, PictureHeader(0, 4, "u8", "rgba"), "bad_picture"),
        ({}, PictureHeader(4, 4, "u8", "mask"), "bad_picture"),
        ({}, PictureHeader(2**31 - 1, 2**31 - 1, "f32", "rgba"), "disk_full"),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence_and_leaves_nothing(
    tmp_path: Path, request_: dict[str, object], header: PictureHeader, code: str
) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.channel.send(wire.Submit(job, request_, header))
            failed = await client.wait_for(wire.Failed)
            assert (failed.job, failed.code) == (job, code)
            assert not core.jobs

    run(work())


def test_pieces_out_of_order_fail_the_job(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.submit(job, noise(5, 5))
            await client.wait_for(wire.Credit)
            await client.channel.send(wire.Pixels(job, "source", 8, bytes(8)))
            assert (await client.wait_for(wire.Failed)).code == "bad_picture"
            assert not core.jobs

    run(work())


def test_a_client_that_vanishes_while_it_uploads_leaves_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core:
            async with core.client() as client:
                job = new_job()
                await client.submit(job, noise(5, 5))
                await client.wait_for(wire.Credit)
                assert core.jobs == {job}
            await until(lambda: not core.jobs)
            async with core.client() as client:
                await client.channel.send(wire.Attach(job))
                assert (await client.wait_for(wire.Failed)).code == "unknown_job"

    run(work())


def test_a_client_that_comes_back_attaches_to_its_job(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core:
            job = new_job()
            async with core.client() as client:
                await client.start(job, noise(5, 5))
                await client.wait_for(wire.Progress)
            await until((tmp_path / "jobs" / job / "refined.npy").exists)
            async with core.client() as client:
                await client.channel.send(wire.Attach(job))
                assert (await client.wait_for(wire.Finished)).job == job
                await client.submit(job, noise(5, 5))  # the same id again attaches as well
                await client.wait_for(wire.Accepted)
                assert (await client.wait_for(wire.Finished)).job == job
                assert await client.fetch(job, "refined", 100) == noise(5, 5).tobytes()

    run(work())


def test_a_wrong_token_gets_nothing_but_a_close(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core:
            token = tmp_path / "run" / "token"
            token.write_text("00" * 32)
            with pytest.raises(ProtocolError, match="token"):
                async with core.client():
                    pass

    run(work())


def test_an_idle_core_ends_but_not_while_somebody_needs_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, idle_seconds=0.4) as core:
            async with core.client():
                await asyncio.sleep(1)
                assert not core.task.done()
            await until(core.task.done)

    run(work())


def test_a_job_cancelled_while_its_result_is_fetched_is_cancelled_and_nothing_else(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, noise(50, 50))
            await client.wait_for(wire.Finished)
            await client.channel.send(wire.Fetch(job, "refined"))
            await client.channel.send(wire.Credit(job, "refined", 100))
            await client.wait_for(wire.Pixels)
            await client.channel.send(wire.Cancel(job))
            await client.wait_for(wire.Cancelled)
            assert not core.jobs
            await client.channel.send(wire.Describe())
            await client.wait_for(wire.Described)
            assert not any(isinstance(each, wire.Failed) for each in client.heard)

    run(work())


async def _running(client: Driver) -> None:
    while (await client.wait_for(wire.Progress)).stage == "queued":
        pass
