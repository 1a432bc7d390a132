"""Finished tiles on disk, by the key of what determines them: a task that was done once is not done again.

A file is a .npy with a checksum behind the array: what a crash, a full disk or a bad sector left of one is no tile.
"""

import contextlib
import hashlib
import io
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scumble_core.errors import ScumbleError
from scumble_core.events import How
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats, write_failed
from scumble_core.stages.elsewhere import elsewhere_of

TAKEN = "taken.txt"
_CHECKSUM_BYTES = 32

Pixels = NDArray[Any]
# Called for each task whose outcome lies in the store: its key, its box, the seconds it took, and where it came from.
TaskDone = Callable[[str, Bounds, float, How], None]

_log = logging.getLogger("scumble.tiles")


def task_key(settings: Mapping[str, object], *arrays: Floats) -> str:
    """A name for the task that these settings (fit for JSON) and these arrays' bytes determine: 64 hex digits."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class TileStore:
    """A folder of arrays. A file appears whole, or not at all; one that was damaged later is noticed.

    A tile that is not there may lie in another job's folder (elsewhere.py): what is found there is taken over, as a
    second name of the same file where the disk can do that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._elsewhere = elsewhere_of(folder)
        for part in folder.glob("*.part"):
            if not part.name.endswith(f".{os.getpid()}.part"):
                part.unlink(missing_ok=True)  # of a process that died while it wrote

    def __contains__(self, key: str) -> bool:
        """Whether the tile is there and whole, or could be taken over."""
        return self.look(key) is not None

    def look(self, key: str) -> tuple[How, Pixels] | None:
        """The array, and where it was; None when it is to be done: one that is damaged is taken away."""
        try:
            return "kept", self.get(key)
        except FileNotFoundError:
            pass
        except ScumbleError as error:
            _log.warning("%s", error)
        return self._take_over(key)

    def fetch(self, key: str, box: Bounds, make: Callable[[], Pixels], told: TaskDone) -> Pixels:
        """The array, which is made, kept and told of where it isn't there. Raises what `make` does, and as `put`."""
        found = self.look(key)
        if found is not None:
            told(key, box, 0.0, found[0])
            return found[1]
        began = time.monotonic()
        values = make()
        self.put(key, values)
        told(key, box, time.monotonic() - began, "done")
        return values

    def get(self, key: str) -> Pixels:
        """The array, read into memory. Raises FileNotFoundError; ScumbleError when it is damaged, which removes it."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._damaged(path, error) from error
        whole = memoryview(data)[:-_CHECKSUM_BYTES]
        if _checksum(key, whole) != data[-_CHECKSUM_BYTES:]:
            raise self._damaged(path, "its checksum is wrong")
        values: Pixels = np.load(io.BytesIO(data))  # which shares the bytes; the checksum behind the array is not read
        return values

    def put(self, key: str, values: Pixels) -> None:
        """Keep the array. Raises ScumbleError when the disk is full."""
        path, array = self._path(key), np.ascontiguousarray(values)
        part = path.with_suffix(f".{os.getpid()}.part")
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
        pixels = array.data.cast("B")
        try:
            with part.open("wb") as file:
                file.write(head.getvalue())
                file.write(pixels)
                file.write(_checksum(key, head.getbuffer(), pixels))
                file.flush()
                os.fsync(file.fileno())  # or a machine that loses its power may keep the name without the pixels
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise write_failed(path, error, values.nbytes) from error

    def _take_over(self, key: str) -> tuple[How, Pixels] | None:
        path = self._path(key)
        for other in () if self._elsewhere is None else self._elsewhere.holders(key):
            if other == path:
                continue
            with contextlib.suppress(OSError):
                _link(other, path)
                try:
                    values = self.get(key)
                except ScumbleError as error:
                    _log.warning("%s", error)
                    continue
                with (self._folder / TAKEN).open("a", encoding="ascii") as taken:
                    taken.write(f"{key}\n")
                return "taken over", values
        return None

    def _damaged(self, path: Path, reason: object) -> ScumbleError:
        with contextlib.suppress(OSError):
            path.unlink()
        return ScumbleError(
            "internal", f"The tile {path} is damaged ({reason}): it was removed; run the job again to do it anew."
        )

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.npy"


def untold(_key: str, _box: Bounds, _seconds: float, _how: How) -> None:
    """Where nobody listens."""


def taken_over(folder: Path) -> frozenset[str]:
    """The keys of what this folder's store took from others instead of having it done."""
    try:
        return frozenset((folder / TAKEN).read_text(encoding="ascii").split())
    except OSError:
        return frozenset()


def _link(source: Path, target: Path) -> None:
    """A second name, or a copy where the disk knows no second names. Raises FileNotFoundError."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)  # half a copy is noticed by its checksum


def _checksum(key: str, *parts: bytes | memoryview) -> bytes:
    """Of the key too: a file under a wrong name is another tile."""
    digest = hashlib.blake2b(key.encode(), digest_size=_CHECKSUM_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()
