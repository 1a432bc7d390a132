"""One worker's life as the front door sees it: its states, and what is known of its device."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from driver import TINY_WORKER, noise, until

from scumble_core.errors import Cancelled
from scumble_core.jobs.lines import DeviceKnown, from_line, to_line
from scumble_core.jobs.supervisor import Supervisor
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def job(folder: Path, prompt: str) -> Path:
    folder.mkdir()
    source = Picture.create(folder / "source.npy", Extent(5, 5), 4, "uint8")
    source.write(source.bounds, noise(5, 5))
    (folder / "request.json").write_text(f'{{"prompt": "{prompt}"}}')
    return folder


def test_what_is_known_of_a_device_survives_its_line() -> None:
    known = DeviceKnown("A card", 2**34, 2**33, ("starter", "starter-x2"), ("cuda:0", "cuda:1"))
    assert from_line(to_line(known)) == known


def test_a_worker_is_off_then_starts_is_ready_busy_and_ready_again_and_off_when_it_left(tmp_path: Path) -> None:
    async def work() -> None:
        worker = Supervisor(TINY_WORKER, idle_seconds=0.3)
        assert (worker.state, worker.known) == ("off", None)
        running = asyncio.create_task(worker.run(job(tmp_path / "job", "wait"), lambda event: None))
        await until(lambda: worker.state == "starting")
        await until(lambda: worker.state == "busy")
        await worker.cancel()
        with pytest.raises(Cancelled):
            await running
        assert worker.state == "ready"
        assert worker.known == DeviceKnown("Tiny", 1000, 10, ("a",), ("tiny:0",))
        await until(lambda: worker.state == "off")
        await until(lambda: worker.known == DeviceKnown("Tiny", 1000, 0, (), ("tiny:0",)))  # it holds nothing any more
        assert await worker.describe() == "Tiny"
        await worker.close()

    run(work())


def test_a_worker_that_cannot_be_asked_is_of_an_unknown_device() -> None:
    async def work() -> None:
        worker = Supervisor(("false",))
        assert await worker.describe() == "unknown" and worker.known is None
        await worker.close()

    run(work())
