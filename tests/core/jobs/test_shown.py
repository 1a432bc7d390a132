"""What a job has shown is shown again to a client that comes back, and by the next core."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
from driver import TINY_WORKER, Driver, new_job, noise, running_core, until

from scumble_bridge import messages as wire

SHOWING = (*TINY_WORKER[:1], str(Path(__file__).with_name("showing_worker.py")))
SOURCE = noise(5, 5)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def begun(client: Driver) -> str:
    """A job that has shown both halves."""
    job = new_job()
    await client.start(job, SOURCE)
    for _ in range(2):
        await client.wait_for(wire.Preview)
    return job


async def shown(client: Driver, job: str) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """What Attach shows anew, of a picture of two halves."""
    await client.channel.send(wire.Attach(job))
    await client.channel.send(wire.Describe())
    await client.wait_for(wire.Described)
    picture = np.zeros((64, 128), np.uint8)
    for each in client.heard:
        if isinstance(each, wire.Preview):
            pixels = np.frombuffer(each.data, np.uint8).reshape(each.pixel_height, each.pixel_width, 3)
            picture[each.y : each.y + each.height, each.x : each.x + each.width] = pixels[..., 0]
    return picture


def test_previews_come_again_for_a_client_that_comes_back_also_after_a_pause_and_from_the_next_core(
    tmp_path: Path,
) -> None:
    whole = np.repeat(np.array([[100, 101]], np.uint8), 64, axis=1).repeat(64, axis=0)

    async def work() -> None:
        async with running_core(tmp_path, command=SHOWING) as core:
            async with core.client() as client:
                job = await begun(client)
            async with core.client() as client:
                assert np.array_equal(await shown(client, job), whole)
                await client.channel.send(wire.Cancel(job, "pause"))
                while (await client.wait_for(wire.Progress)).stage != "paused":
                    pass
            async with core.client() as client:
                assert np.array_equal(await shown(client, job), whole)
            await until((tmp_path / "jobs" / job / "previews").exists)
        async with running_core(tmp_path, command=SHOWING) as core, core.client() as client:
            assert np.array_equal(await shown(client, job), whole)
            await client.channel.send(wire.Release(job))
            await until(lambda: not core.jobs)

    run(work())


def test_a_core_that_ends_amid_a_job_keeps_what_was_shown_and_a_finished_job_does_not_need_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path, command=SHOWING) as core, core.client() as client:
            job = await begun(client)
        assert (tmp_path / "jobs" / job / "previews").exists()
        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Attach(job))
            await client.wait_for(wire.Finished)
            await until(lambda: not (tmp_path / "jobs" / job / "previews").exists())
            client.heard.clear()
            await client.channel.send(wire.Attach(job))
            await client.wait_for(wire.Finished)
            assert not any(isinstance(each, wire.Preview) for each in client.heard)

    run(work())
