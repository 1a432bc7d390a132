"""Locks on files, which the system takes back when their holder ends, however it ends."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.05


@contextlib.contextmanager
def held(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """The lock on this file, which is made; False when another process still has it after `patience` seconds."""
    end = time.monotonic() + patience
    with path.open("a+b") as file:
        while not (taken := _take(file.fileno())) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        yield taken


def is_held(path: Path) -> bool:
    """Whether a process has the lock now."""
    if not path.exists():
        return False
    with held(path) as taken:
        return not taken


def _take(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
