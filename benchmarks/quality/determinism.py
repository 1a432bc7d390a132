"""Does the same job give the same bytes, however it comes about? Real jobs on the starter models, small ones."""

import multiprocessing
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks.quality.contestants import write_source
from numpy.typing import NDArray

from scumble_core.events import Event, TileFinished
from scumble_core.models.cache import ModelCache
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.pipeline import run_job
from scumble_core.request import RefineRequest

Floats = NDArray[np.float32]

SELECTED = Bounds(96, 64, 144, 104)
KILLED_AFTER = 3


@dataclass(frozen=True)
class Same:
    """One check. `difference`: the largest of any value, in 8-bit levels; `allowed`: how large it may be."""

    name: str
    difference: float
    allowed: float = 0.0

    @property
    def passed(self) -> bool:
        return self.difference <= self.allowed


def checks(models: ModelCache, pixels: Floats) -> list[Same]:
    """All checks on one picture of at least 320 x 240 pixels, of which a part is taken."""
    bench = _Bench(models, np.ascontiguousarray(pixels[:240, :320]))
    full = bench.run()
    return [
        Same("run again", _apart(full, bench.run())),
        Same("other tiles first", _apart(full, bench.after_a_selection())),
        Same("killed in the middle, run on", _apart(full, bench.after_a_kill())),
        # Kernels may round otherwise for another batch shape; one level of the 8-bit result is the most.
        Same("batches of 4", _apart(full, bench.run(batch=4)), 1.0),
        Same("selection against full run", bench.selection_apart(full)),
    ]


def _apart(a: Floats, b: Floats) -> float:
    return float(np.abs(a.astype(np.float64) - b).max()) * 255


@dataclass(frozen=True)
class _Bench:
    models: ModelCache
    pixels: Floats

    def run(self, **values: object) -> Floats:
        """The refined picture, in a folder of its own."""
        with tempfile.TemporaryDirectory() as name:
            return self._refined(Path(name), **values)

    def after_a_selection(self) -> Floats:
        """The whole, in a folder where the tiles in the middle are done already."""
        with tempfile.TemporaryDirectory() as name:
            self._select(Path(name))
            self._refined(Path(name))
            (Path(name) / "selection.npy").unlink()
            return self._refined(Path(name))

    def after_a_kill(self) -> Floats:
        """The whole, in a folder in which a process died at work."""
        with tempfile.TemporaryDirectory() as name:
            write_source(Path(name), self.pixels)
            # A kernel that shares its work among more threads may round otherwise.
            work = (Path(name), _request(), torch.get_num_threads())
            process = multiprocessing.get_context("spawn").Process(target=run_and_die, args=work)
            process.start()
            process.join()
            if process.exitcode != KILLED_AFTER:
                raise RuntimeError(f"the process that was to die ended with {process.exitcode}")
            return self._refined(Path(name))

    def selection_apart(self, full: Floats) -> float:
        """How far a selection's pixels are from the same ones of the full run, where its edge is not soft."""
        with tempfile.TemporaryDirectory() as name:
            self._select(Path(name))
            part = self._job(Path(name))
            there = full[SELECTED.slices]
            hard = part[..., 3] >= 1
            return _apart(part[..., :3][hard], there[hard])

    def _select(self, folder: Path) -> None:
        extent = Extent(self.pixels.shape[1], self.pixels.shape[0])
        mask = Picture.create(folder / "selection.npy", extent, 1, np.uint8)
        mask.write(SELECTED, np.ones((SELECTED.height, SELECTED.width, 1), np.float32))
        mask.flush()

    def _refined(self, folder: Path, **values: object) -> Floats:
        return self._job(folder, **values)[..., :3]

    def _job(self, folder: Path, **values: object) -> Floats:
        if not (folder / "source.npy").exists():
            write_source(folder, self.pixels)
        run_job(folder, _request(**values), self.models, lambda _event: None, lambda: False)
        refined: Floats = np.load(folder / "refined.npy")
        return refined


def run_and_die(folder: Path, request: RefineRequest, threads: int) -> None:
    """The job, until KILLED_AFTER tiles are done; then the process is gone without a word, with that as its code."""
    torch.set_num_threads(threads)
    finished = 0

    def emit(event: Event) -> None:
        nonlocal finished
        finished += isinstance(event, TileFinished) and event.stage == "tiles"
        if finished >= KILLED_AFTER:
            os._exit(KILLED_AFTER)

    run_job(folder, request, ModelCache(), emit, lambda: False)


def _request(**values: object) -> RefineRequest:
    return RefineRequest.from_dict({"scale": 1, "upscaler": "none", "tile_size": 128, "steps": 2, "seed": 7, **values})
