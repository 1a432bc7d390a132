"""Finished tiles on disk, by the key of what determines them: a task that was done once is not done again."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scumble_core.picture.storage import Floats, write_failed


def task_key(settings: Mapping[str, object], *arrays: Floats) -> str:
    """A name for the task that these settings (fit for JSON) and these arrays' bytes determine: 64 hex digits."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class TileStore:
    """A folder of float32 arrays. A file appears whole, or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, key: str) -> bool:
        return self._path(key).exists()

    def get(self, key: str) -> Floats:
        """The array, read into memory. Raises FileNotFoundError."""
        values: Floats = np.load(self._path(key))
        return values

    def put(self, key: str, values: Floats) -> None:
        """Keep the array. Raises ScumbleError when the disk is full."""
        path, whole = self._path(key), np.ascontiguousarray(values)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                # Not np.save: what it raises on a full disk does not say that the disk is full.
                np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(whole))
                file.write(whole.data.cast("B"))
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise write_failed(path, error, values.nbytes) from error

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.npy"
