"""The worker process: runs one job at a time, in a process of its own that may be killed.

Theory of operation: orders come in on stdin as JSON lines ({"run": folder}, {"cancel": true}, {"describe": true}), what
happens goes out as JSON lines (lines.py) on a private copy of stdout; file descriptor 1 itself is turned to
stderr first, so that whatever a library prints can't get between the lines. A thread reads the orders, so that a
cancel is heard while the main thread computes. When stdin ends, the front door is gone, and so are we: the job that
runs is cancelled, so that it may finish the file that it writes, but not for long.
"""

import argparse
import contextlib
import functools
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import Event
from scumble_core.jobs.lines import DEVICE_LOST, DeviceKnown, JobCancelled, JobFailed, Said, to_line
from scumble_core.jobs.locks import held

# A worker whose front door died ends at once, but may be deep in a computation: the next one waits for it.
LOCK_PATIENCE = 30.0
# How long a job may take to end when there is nobody any more who wants it.
LAST_SECONDS = 2.0

RunJob = Callable[[Path, Callable[[Event], None], Callable[[], bool]], object]


class Worker:
    """Follows orders with the two functions it is given."""

    def __init__(self, orders: BinaryIO, out: BinaryIO, run_job: RunJob, device: Callable[[], DeviceKnown]) -> None:
        self._orders = orders
        self._out = out
        self._run_job = run_job
        self._device = device
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._free = threading.Event()
        self._free.set()

    def work(self) -> None:
        """For as long as there may be orders: the process ends from within `_listen`."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            try:
                self._waiting.get()()
            except BaseException:  # of no more use; and an ordinary end would wait for the thread that reads
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)

    def _listen(self) -> None:
        for line in self._orders:
            order = json.loads(line)
            if "run" in order:
                self._cancel.clear()
                folder = Path(order["run"])
                self._waiting.put(lambda folder=folder: self._run(folder))  # type: ignore[misc]
            elif "cancel" in order:
                self._cancel.set()
            elif "describe" in order:
                self._waiting.put(lambda: self._say(self._device()))
        self._cancel.set()
        self._free.wait(LAST_SECONDS)
        os._exit(0)  # the main thread may be deep in a computation that nobody waits for any more

    def _run(self, folder: Path) -> None:
        self._free.clear()
        try:
            with held(folder / "lock", LOCK_PATIENCE) as ours:
                if not ours:
                    raise ScumbleError(
                        "internal", f"Another process computes in {folder}: end it, then resume the job."
                    )
                self._run_job(folder, self._say, self._cancel.is_set)
        except Cancelled:
            self._say(JobCancelled())
        except ScumbleError as error:
            traceback.print_exc()
            if error.code == "worker_died":
                sys.stderr.flush()
                os._exit(DEVICE_LOST)  # the front door starts another, and the job goes on
            self._say(JobFailed(error.code, error.message))
        except MemoryError:
            self._say(JobFailed("out_of_memory", "The computer's memory is full: choose smaller tiles or scale."))
        except Exception as error:
            traceback.print_exc()
            self._say(JobFailed("internal", f"Scumble failed ({error or type(error).__name__}): see its log."))
        self._free.set()
        self._say(self._device())  # its memory and its models are others now

    def _say(self, said: Said) -> None:
        self._out.write(to_line(said))
        self._out.flush()


def private_stdout() -> BinaryIO:
    """A copy of stdout for us alone; what others print goes to stderr from now on."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def pipeline(name: str | None, names: Sequence[str]) -> tuple[RunJob, Callable[[], DeviceKnown]]:
    """The real thing on this device (None: the best there is), one of `names` (none: of all there are). Loads torch."""
    from scumble_core.models.cache import ModelCache
    from scumble_core.models.device import device_names, device_of
    from scumble_core.pipeline import run_job
    from scumble_core.request import RefineRequest

    models = ModelCache(None if name is None else device_of(name))

    def run(folder: Path, emit: Callable[[Event], None], cancelled: Callable[[], bool]) -> object:
        request = RefineRequest.from_dict(json.loads((folder / "request.json").read_text(encoding="utf-8")))
        return run_job(folder, request, models, emit, cancelled)

    def device() -> DeviceKnown:
        here = models.device
        return DeviceKnown(here.title, here.memory or 0, here.free or 0, models.loaded, tuple(names) or device_names())

    return run, device


def main() -> None:
    """What the supervisor starts: `worker [--devices cuda:0,cuda:1] [--device cuda:1]`, by torch's names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", default="")
    parser.add_argument("--device")
    chosen = parser.parse_args()
    names = [name for name in chosen.devices.split(",") if name]
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the front door, which then ends us
    out = private_stdout()
    # Only when the first order comes: torch takes seconds to load, and the end of all orders must be heard meanwhile.
    loaded = functools.cache(lambda: pipeline(chosen.device or next(iter(names), None), names))

    def run(folder: Path, emit: Callable[[Event], None], cancelled: Callable[[], bool]) -> object:
        return loaded()[0](folder, emit, cancelled)

    def device() -> DeviceKnown:
        return loaded()[1]()

    Worker(sys.stdin.buffer, out, run, device).work()


if __name__ == "__main__":
    main()
