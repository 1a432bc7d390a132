"""A real worker process with the real line protocol whose pipeline only copies the source to both results.

The request's prompt says what else it does: "wait" waits to be cancelled, "deaf" doesn't listen, "fail" fails,
"print" prints on stdout what must not come between the lines. "tiles=4" finishes so many tiles, by the real store, and
notes in ran.txt which ones it had to do; "slow=0.1" takes so long for each; "die=2" is killed before it does that tile,
"die_once=2" only once; "lost_once" loses its graphics card once; "key=a" names its tiles so that other jobs may need
the same ones; "enlarge" makes them the upscaler's. With --two it says that there are two devices, and --device
chooses one.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scumble_core.errors import Cancelled, PictureError, ScumbleError
from scumble_core.events import Event, Finished, JobResult, Stage, StageStarted, TaskFinished, TileFinished, TilePreview
from scumble_core.jobs.lines import DeviceKnown
from scumble_core.jobs.worker import Worker, private_stdout
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Picture
from scumble_core.stages.store import TileStore

DEVICES = ("tiny:0", "tiny:1")


def copy_job(folder: Path, emit: Callable[[Event], None], cancelled: Callable[[], bool]) -> object:
    prompt = json.loads((folder / "request.json").read_text())["prompt"]
    source = Picture.open(folder / "source.npy")
    with (folder / "runs.txt").open("a") as runs:
        runs.write(f"{' '.join(sys.argv[1:]) or '-'}: {os.getpid()}\n")
    emit(StageStarted("tiles", 1))
    if prompt == "fail":
        raise PictureError("The picture is no good: paint another.")
    if prompt == "print":
        print("{not a line}", flush=True)
    while prompt in ("wait", "deaf"):
        time.sleep(0.02)
        if cancelled() and prompt == "wait":
            raise Cancelled
    do_tiles(folder, dict(word.partition("=")[::2] for word in prompt.split()), emit, cancelled)
    box = Bounds(0, 0, source.extent.width, source.extent.height)
    emit(TileFinished("tiles", 1, 1, 0.0, box))
    emit(TilePreview(box, np.full((4, 5, 3), 7, np.uint8)))
    for name in ("upscaled", "refined"):
        shutil.copy(folder / "source.npy", folder / f"{name}.npy")
    result = JobResult(0, 0, box.width, box.height, {"prompt": prompt})
    emit(Finished(result))
    return result


def do_tiles(folder: Path, words: dict[str, str], emit: Callable[[Event], None], cancelled: Callable[[], bool]) -> None:
    store, number = TileStore(folder / "tiles"), int(words.get("tiles", 0))
    stage: Stage = "upscale" if "enlarge" in words else "tiles"
    for tile in range(1, number + 1):
        key, box = f"{tile}-{words.get('key', folder.name)}", Bounds(tile, 0, 1, 1)
        found = store.look(key)
        if found is None:
            time.sleep(float(words.get("slow", 0)))
            if words.get("die") == str(tile) or (words.get("die_once") == str(tile) and first_time(folder)):
                os.kill(os.getpid(), signal.SIGKILL)
            if "lost_once" in words and first_time(folder):
                raise ScumbleError("worker_died", "The graphics card stopped answering.")
            with (folder / "ran.txt").open("a") as ran:
                ran.write(f"{tile}\n")
            store.put(key, np.full((2, 2, 3), tile, np.float32))
        how = "done" if found is None else found[0]
        emit(TaskFinished(stage, key, box, 0.25 if found is None else 0.0, how))
        emit(TileFinished("tiles", tile, number, 0.0, Bounds(0, 0, 1, 1)))
        if cancelled():
            raise Cancelled


def first_time(folder: Path) -> bool:
    known = (folder / "been.here").exists()
    (folder / "been.here").touch()
    return not known


if __name__ == "__main__":
    chosen = sys.argv[sys.argv.index("--device") + 1] if "--device" in sys.argv else DEVICES[0]
    name = "Tiny" if chosen == DEVICES[0] else "Other"
    known = DeviceKnown(name, 1000, 10, ("a",), DEVICES if "--two" in sys.argv else DEVICES[:1])
    Worker(sys.stdin.buffer, private_stdout(), copy_job, lambda: known).work()
