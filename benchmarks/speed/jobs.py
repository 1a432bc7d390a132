"""One job in a process of its own: made, measured, and for the product run once more after a spot was painted over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from benchmarks.speed.models import Cost, Kind, models_of
from benchmarks.streaming import PeakMemory
from benchmarks.stub_models import write_stub_base

from scumble_core.cli.measuring import Measured, measure
from scumble_core.cli.rival import pair
from scumble_core.models.library import base_facts
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.request import RefineRequest

Way = Literal["scumble", "mikey"]
WAYS: tuple[Way, ...] = ("scumble", "mikey")
SCALE = 2
# What is painted over for the second run, in pixels of the source: within one tile, whatever the plan.
SPOT = Bounds(16, 16, 48, 48)


@dataclass(frozen=True)
class Case:
    """What is run. `output` in pixels; `tile`: both ways' tile, 0 for each one's own; `sdxl`: the model's folder."""

    kind: Kind
    output: tuple[int, int]
    cost: Cost
    tile: int = 0
    sdxl: str = ""


@dataclass(frozen=True)
class Run:
    """A measured job. `peak`: bytes of resident memory above what the process held when its models stood ready.

    `again`: the second run, after the spot was painted over; the product's alone, and not where there is but one tile.
    """

    way: Way
    sigma: float
    measured: Measured
    peak: int
    load: float
    again: Measured | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Run:
        again = None if values["again"] is None else Measured(**values["again"])
        return cls(**{**values, "measured": Measured(**values["measured"]), "again": again})


def run_apart(case: Case, way: Way) -> Run:
    """In a fresh process, whose peak of memory is the job's own. Raises RuntimeError, with what it said at its end."""
    with tempfile.TemporaryDirectory(prefix="scumble-speed-") as name:
        folder = Path(name)
        make_source(folder / "job", Extent(*case.output).scaled(1 / SCALE))
        command = [sys.executable, "-m", "benchmarks.speed.jobs", name, way, json.dumps(asdict(case))]
        environment = {**os.environ, "SCUMBLE_DATA_DIR": str(folder / "data")}
        root = Path(__file__).parents[2]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
        return Run.from_dict(json.loads(done.stdout.splitlines()[-1]))


def run_here(folder: Path, way: Way, case: Case) -> Run:
    """In this process; the source lies in the folder's `job`."""
    own, reference, sigma = requests(case, folder)
    request = own if way == "scumble" else reference
    models = models_of(case.kind, case.cost)
    models.upscaler(request.upscaler)
    models.latent_model(request.base, own.refiner)
    job = folder / "job"
    load = os.getloadavg()[0]
    with PeakMemory() as memory:
        first = measure(job, request, models)
    again = None
    if way == "scumble" and case.kind != "sdxl":
        _paint_over(job / "source.npy")
        again = measure(job, request, models)
    return Run(way, sigma, first, memory.peak - memory.idle, load, again)


def requests(case: Case, folder: Path) -> tuple[RefineRequest, RefineRequest, float]:
    """The product's, the reference's, and the sigma that both start at."""
    base, refiner = "starter", "starter-refiner"
    if case.kind != "starter":
        base, refiner = case.sdxl, "none"
    if case.kind == "stub":
        base = str(write_stub_base(folder / "base"))
    own = RefineRequest(base=base, refiner=refiner, upscaler="starter-x2", scale=SCALE, tile_size=case.tile)
    if case.kind == "sdxl":
        own = replace(own, smallest_side=64)  # a crop stands for a part of a larger picture: not enlarged on its own
    both = pair(own, base_facts(base), case.tile or 1024)
    return both.own, both.reference, both.sigma


def make_source(folder: Path, extent: Extent) -> None:
    """A job's folder with a source of waves and grain: nowhere flat, so that no tile is left out."""
    folder.mkdir(parents=True)
    source = Picture.create(folder / "source.npy", extent, 4, np.uint8)
    grain = np.random.default_rng(0)
    waves = np.array([17, 29, 53], np.float32)
    x = np.arange(extent.width, dtype=np.float32)[None, :, None]
    for band in source.bounds.bands(256):
        y = np.arange(band.y, band.bottom, dtype=np.float32)[:, None, None]
        colour = 128 + 50 * np.sin(x / waves) + 50 * np.sin(y / waves[::-1])
        colour += grain.integers(-12, 13, colour.shape, np.int8)
        pixels = np.full((band.height, extent.width, 4), 255, np.uint8)
        pixels[..., :3] = colour
        source.write_raw(band, pixels)


def _paint_over(path: Path) -> None:
    source = Picture.open(path, writable=True)
    spot = SPOT.intersect(source.bounds)
    source.write_raw(spot, 255 - source.read_raw(spot) + np.array([0, 0, 0, 255], np.uint8))


def main() -> int:
    """In the process of its own."""
    folder, way, given = sys.argv[1:]
    values = json.loads(given)
    case = Case(**{**values, "output": tuple(values["output"]), "cost": Cost(**values["cost"])})
    print(json.dumps(run_here(Path(folder), "scumble" if way == "scumble" else "mikey", case).to_dict()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
