"""A real worker process that shows a left and a right half of 64 pixels each, then waits to be cancelled.

A second run of the same job shows nothing: what is there then was kept.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scumble_core.errors import Cancelled
from scumble_core.events import Event, StageStarted, TilePreview
from scumble_core.jobs.lines import DeviceKnown
from scumble_core.jobs.worker import Worker, private_stdout
from scumble_core.picture.geometry import Bounds


def show(folder: Path, emit: Callable[[Event], None], cancelled: Callable[[], bool]) -> object:
    emit(StageStarted("tiles", 3))
    for half in (0, 1) if not (folder / "shown").exists() else ():
        emit(TilePreview(Bounds(64 * half, 0, 64, 64), np.full((64, 64, 3), 100 + half, np.uint8)))
    (folder / "shown").touch()
    while not cancelled():
        time.sleep(0.02)
    raise Cancelled


if __name__ == "__main__":
    known = DeviceKnown("Tiny", 2**34, 2**33, ("a",), ("cpu",))
    Worker(sys.stdin.buffer, private_stdout(), show, lambda: known).work()
