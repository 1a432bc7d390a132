"""Which of an artist's Kritas this is, when several are open: they share settings, and each remembers its own runs.

A seat is a lock file in the data folder. Of a Krita that crashed it is free again: Qt looks whether its process lives.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scumble.qt import QtCore
from scumble_bridge.places import data_folder

MOST_SEATS = 8


class Seat:
    """The first free one. `number`: 1 for a Krita that is alone, and where the folder can't be written."""

    def __init__(self) -> None:
        self._lock: QtCore.QLockFile | None = None
        self.number = 1
        for number in range(1, MOST_SEATS + 1):
            self._lock = _locked(number)
            if self._lock is not None:
                self.number = number
                return

    @contextmanager
    def others(self) -> "Iterator[tuple[int, ...]]":
        """The seats that nobody has; nobody takes them meanwhile."""
        locks = {number: _locked(number) for number in range(1, MOST_SEATS + 1) if number != self.number}
        try:
            yield tuple(number for number, lock in locks.items() if lock is not None)
        finally:
            for lock in locks.values():
                if lock is not None:
                    lock.unlock()

    def leave(self) -> None:
        """Krita ends."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.unlock()


def _locked(number: int) -> "QtCore.QLockFile | None":
    place = _folder() / f"{number}.lock"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    lock = QtCore.QLockFile(str(place))
    lock.setStaleLockTime(0)  # however long it is held: only a process that is gone has left it
    return lock if lock.tryLock(0) else None


def _folder() -> Path:
    return data_folder() / "seats"
