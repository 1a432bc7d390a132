"""A real worker process with the real line protocol whose pipeline only copies the source to both results.

The request's prompt says what else it does: "wait" waits to be cancelled, "deaf" doesn't listen, "fail" fails,
"print" prints on stdout what must not come between the lines.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scumble_core.errors import Cancelled, PictureError
from scumble_core.events import Event, Finished, JobResult, StageStarted, TileFinished, TilePreview
from scumble_core.jobs.worker import Worker, private_stdout
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Picture


def copy_job(folder: Path, emit: Callable[[Event], None], cancelled: Callable[[], bool]) -> object:
    prompt = json.loads((folder / "request.json").read_text())["prompt"]
    source = Picture.open(folder / "source.npy")
    emit(StageStarted("tiles", 1))
    if prompt == "fail":
        raise PictureError("The picture is no good: paint another.")
    if prompt == "print":
        print("{not a line}", flush=True)
    while prompt in ("wait", "deaf"):
        time.sleep(0.02)
        if cancelled() and prompt == "wait":
            raise Cancelled
    box = Bounds(0, 0, source.extent.width, source.extent.height)
    emit(TileFinished("tiles", 1, 1, 0.0, box))
    emit(TilePreview(box, np.full((4, 5, 3), 7, np.uint8)))
    for name in ("upscaled", "refined"):
        shutil.copy(folder / "source.npy", folder / f"{name}.npy")
    result = JobResult(0, 0, box.width, box.height, {"prompt": prompt})
    emit(Finished(result))
    return result


if __name__ == "__main__":
    Worker(sys.stdin.buffer, private_stdout(), copy_job, lambda: "Tiny").work()
