"""A folder of recorded numbers: what is there, what is missing, what can't be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.parity.result import Result
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
KNOWN_FILES = (
    "sigmas.npz",
    "inputs.npz",
    "sampling_toy.npz",
    "sampling_tiny.npz",
    "nets_tiny.npz",
    "weights.json",
    "split_image.json",
    "stitch_images.npz",
    "complexity.npz",
    "rules.json",
    "image_scale_maps.npz",
)


class Golden:
    """Files are read once; one that is missing or broken is None, and `trouble` says which of the two."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Any] = {}
        self._faults: dict[str, str] = {}

    def arrays(self, name: str) -> Arrays | None:
        """An .npz file, every key loaded. Object arrays (pickles) are refused."""
        found: Arrays | None = self._once(name)
        return found

    def values(self, name: str) -> Any:
        """A .json file."""
        return self._once(name)

    def trouble(self, name: str) -> Result:
        """Why a file is None."""
        if name in self._faults:
            return Result(name, "*", "FAIL", note=f"can't be read ({self._faults[name]})")
        return Result(name, "*", "missing")

    def unknown_files(self) -> Iterator[Result]:
        """Data in the folder that no check looks at."""
        for path in sorted(self._folder.iterdir()):
            if path.suffix in {".npz", ".npy", ".json", ".safetensors"} and path.name not in KNOWN_FILES:
                yield Result(path.name, "*", "not compared", note="a file that is not known")

    def _once(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Any:
        path = self._folder / name
        if not path.exists():
            return None
        try:
            if path.suffix == ".json":
                return json.loads(path.read_text())
            with np.load(path, allow_pickle=False) as file:
                return {key: np.array(file[key]) for key in file.files}
        except Exception as error:  # zip, zlib, JSON, pickle: whatever a broken file may raise
            self._faults[name] = str(error) or type(error).__name__
            return None
