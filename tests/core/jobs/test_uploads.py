"""What comes beside the source: masks by place and a profile, and sources in half floats."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from driver import Driver, header_of, new_job, noise, running_core, whole

from scumble_bridge import messages as wire
from scumble_bridge.fields import MOST_PROFILE, REGION_STREAMS, PictureHeader
from scumble_core.jobs.command import WORKER

SOURCE = noise(30, 40)
MASK = PictureHeader(40, 30, "u8", "mask")


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 120))


def a_profile() -> bytes:
    """Of a space larger than sRGB."""
    made = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.329], primaries=[0.64, 0.33, 0.21, 0.71, 0.15, 0.06], gamma=2.2
    )
    return bytes(made)


async def end_of(client: Driver) -> wire.Finished | wire.Failed:
    return await client.wait_for((wire.Finished, wire.Failed))


def test_masks_and_profile_come_into_the_job_folder_as_they_were_sent(tmp_path: Path) -> None:
    count = 16
    masks = [np.random.default_rng(each).integers(0, 256, (30, 40), np.uint8) for each in range(count + 2)]
    profile = a_profile()

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            regions = [{"prompt": f"p{each}"} for each in range(count)]
            await client.channel.send(
                wire.Submit(
                    job, {"regions": regions}, header_of(SOURCE), MASK,
                    profile=len(profile), strength=MASK, regions=(MASK,) * count,
                )
            )  # fmt: skip
            streams = (await client.wait_for(wire.Accepted)).streams
            assert set(streams) == {"source", "selection", "strength", "profile", *REGION_STREAMS}
            await client.upload(job, profile, 100, "profile")
            for stream, mask in zip(("selection", "strength", *REGION_STREAMS), masks, strict=True):
                await client.upload(job, mask.tobytes(), 777, stream)  # type: ignore[arg-type]
            await client.upload(job, SOURCE.tobytes())
            assert isinstance(await end_of(client), wire.Finished)
            folder = tmp_path / "jobs" / job
            assert (folder / "profile.icc").read_bytes() == profile
            for stream, mask in zip(("selection", "strength", *REGION_STREAMS), masks, strict=True):
                assert np.array_equal(np.load(folder / f"{stream}.npy")[..., 0], mask)

    run(work())


def test_a_job_waits_for_nothing_but_what_its_order_names(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, SOURCE)
            assert (await client.wait_for(wire.Finished)).job == job
            accepted = [each for each in client.heard if isinstance(each, wire.Accepted)]
            assert accepted == [wire.Accepted(job, ("source",))]
            await client.submit(job, SOURCE)
            assert (await client.wait_for(wire.Accepted)).streams == ()  # known: nothing is to come

    run(work())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strength": PictureHeader(40, 31, "u8", "mask")}, "The strength is 40 x 31"),
        ({"strength": PictureHeader(40, 30, "u16", "mask")}, "u16"),
        ({"selection": PictureHeader(40, 30, "u8", "rgba")}, "The selection is 40 x 30, u8, rgba"),
        ({"regions": (PictureHeader(1, 1, "u8", "mask"),), "request": {"regions": [{"prompt": ""}]}}, "region-1"),
        ({"regions": (MASK,)}, "names 0 regions, but 1 masks"),
        ({"request": {"regions": [{"prompt": "a"}, {"prompt": "b"}]}, "regions": (MASK,)}, "names 2 regions"),
    ],
)
def test_masks_that_do_not_fit_are_refused_before_they_come(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            values = {"job": new_job(), "request": {}, "source": header_of(SOURCE), **changes}
            await client.channel.send(wire.Submit(**values))
            failed = await client.wait_for(wire.Failed)
            assert failed.code in ("bad_picture", "bad_request") and words in failed.message
            assert not core.jobs

    run(work())


BOMB = bytearray(a_profile() + bytes(200_000))
BOMB[128:132] = (100).to_bytes(4, "big")
for _number in range(100):
    BOMB[132 + 12 * _number : 144 + 12 * _number] = b"tag%c" % _number + bytes(4) + len(BOMB).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (b"no profile at all", "can't be used"),
        (a_profile()[:16] + b"CMYK" + a_profile()[20:], "for CMYK pictures: convert the picture to RGB"),
        (a_profile()[:300], "can't be used"),
        (bytes(BOMB), "its list of tags is broken"),
    ],
)
def test_a_profile_that_is_of_no_use_fails_the_job_with_a_sentence_and_leaves_nothing(
    tmp_path: Path, profile: bytes, words: str
) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.channel.send(wire.Submit(job, {}, header_of(SOURCE), profile=len(profile)))
            await client.upload(job, profile, 50_000, "profile")
            await client.upload(job, SOURCE.tobytes())
            failed = await client.wait_for(wire.Failed)
            assert (failed.job, failed.code) == (job, "bad_picture") and words in failed.message
            assert not core.jobs

    run(work())


def test_a_profile_out_of_order_fails_the_job_and_one_too_large_is_no_message(tmp_path: Path) -> None:
    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.channel.send(wire.Submit(job, {}, header_of(SOURCE), profile=100))
            await client.wait_for(wire.Credit)
            await client.wait_for(wire.Credit)
            await client.channel.send(wire.Pixels(job, "profile", 3, b"abc"))
            failed = await client.wait_for(wire.Failed)
            assert failed.code == "bad_picture" and "in order" in failed.message and not core.jobs
            with pytest.raises(Exception, match="profile"):
                await client.channel.send(wire.Submit(job, {}, header_of(SOURCE), profile=MOST_PROFILE + 1))

    run(work())


@pytest.mark.parametrize("layout", ["rgba", "bgra"])
def test_half_floats_are_kept_as_floats_and_come_back_as_halves(tmp_path: Path, layout: str) -> None:
    source = (noise(31, 23, "float32") / 100).astype(np.float16)
    source[0, 0] = (-2.5, 65504, 6e-8, 1)  # negative, the largest, one of the smallest

    async def work() -> None:
        async with running_core(tmp_path) as core, core.client() as client:
            job = new_job()
            await client.start(job, source, layout)
            finished = await client.wait_for(wire.Finished)
            assert finished.refined == PictureHeader(23, 31, "f16", layout)  # type: ignore[arg-type]
            kept = whole(tmp_path / "jobs" / job / "source.npy")
            wanted = source[..., [2, 1, 0, 3]] if layout == "bgra" else source
            assert kept.dtype == np.float32 and np.array_equal(kept, wanted.astype(np.float32))
            assert await client.fetch(job, "refined", source.nbytes, 1001) == source.tobytes()

        async with running_core(tmp_path) as core, core.client() as client:
            await client.channel.send(wire.Attach(job))  # the next core remembers
            assert (await client.wait_for(wire.Finished)).upscaled.depth == "f16"

    run(work())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_that_is_no_number_is_named_by_the_real_worker(tmp_path: Path, dtype: str, value: float) -> None:
    source = np.full((20, 30, 4), 0.5, dtype)
    source[7, 11, 1] = value

    async def work() -> None:
        async with running_core(tmp_path, command=WORKER) as core, core.client() as client:
            client._patience = 100.0
            await client.start(new_job(), source)
            failed = await client.wait_for(wire.Failed)
            assert failed.code == "bad_picture" and "no number (NaN or infinite) at 11, 7" in failed.message

    run(work())
