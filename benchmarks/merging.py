"""From which sigma on must tiles' predictions be merged? Tiles alone, and merged down to each bound, against one tile.

`python -m benchmarks.merging [--json FILE]`: the starter models refine a crop of docs/sample.png from several sigmas,
as one tile (the truth), as overlapping tiles that go their own ways, and with the first steps merged. Figures are the
root mean square of the difference from the truth in levels of 8 bits, over places where tiles overlap and over all.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scumble_core.models.cache import ModelCache
from scumble_core.models.interface import LatentModel
from scumble_core.picture.geometry import Extent, Point
from scumble_core.picture.storage import Picture
from scumble_core.plan.passes import RefinePass, Walk
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.sampling.levels import falling, training_levels
from scumble_core.stages.maps import Maps
from scumble_core.stages.store import TileStore
from scumble_core.stages.tile import TileRefiner, TileSettings
from scumble_core.stages.tile_pass import TilePass, TileSeeds

Floats = NDArray[np.float32]

SIZE = Extent(512, 384)
TILE, OVERLAP = 256, 64
SIGMAS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.05, 1.5, 2.0)
STEPS = 6
SEEDS = (0, 1)


def refined(model: LatentModel, pixels: Floats, grid: TileGrid, walk: Walk, seed: int) -> Floats:
    """The picture after one pass, H x W x 3."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = Picture.create(folder / "in.npy", SIZE, 3, np.float32)
        picture.write(picture.bounds, pixels)
        run = RefinePass(grid, tuple(grid.boxes()), frozenset(), walk, 1.0, 1)
        settings = TileSettings(walk, grid.tile, ("",), "", Point(0, 0))
        refiner = TileRefiner(model, settings, lambda: False)
        maps = Maps(SIZE, SIZE, model.facts.factor, 1.0)
        tiles = TilePass(picture, run, refiner, maps, TileSeeds(seed), TileStore(folder / "tiles"), {})
        if walk.merged:
            tiles.merge(folder, lambda _box: None)
        target = Picture.create(folder / "out.npy", SIZE, 3, np.float32)
        tiles.refine(target, lambda _box, _pixels: None)
        return target.read(target.bounds)


def overlaps(grid: TileGrid) -> NDArray[np.bool_]:
    """Where more than one tile lies, H x W."""
    count = np.zeros((SIZE.height, SIZE.width), int)
    for box in grid.boxes():
        count[box.slices] += 1
    return count > 1


def measure(model: LatentModel, pixels: Floats, sigma: float) -> dict[str, float]:
    """One starting sigma: the change that refining makes, and how far tiles are from the truth, alone and merged."""
    whole = TileGrid(SIZE, (0,), (0,))
    grid = plan_tiles(SIZE, TileLimits(model.facts.grid, OVERLAP, TILE, TILE**2))
    shared = overlaps(grid)
    alone = Walk("euler", falling(training_levels(), sigma, STEPS), 1.0, (0.0, 0.0))
    found: dict[str, list[float]] = {}
    for seed in SEEDS:
        truth = refined(model, pixels, whole, alone, seed)
        found.setdefault("change", []).append(_rms(truth - pixels))
        for merged in range(STEPS):
            name = f"merged {merged}" if merged else "alone"
            apart = refined(model, pixels, grid, replace(alone, merged=merged), seed) - truth
            found.setdefault(name, []).append(_rms(apart))
            found.setdefault(f"{name}, overlaps", []).append(_rms(apart[shared]))
    return {"sigma": sigma, **{name: round(float(np.mean(values)), 3) for name, values in found.items()}}


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) * 255


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sigmas", type=float, nargs="*", default=SIGMAS)
    arguments = parser.parse_args()
    sample = Path(__file__).parents[1] / "docs" / "sample.png"
    with Image.open(sample) as image:
        crop = image.convert("RGB").crop((0, 0, SIZE.width, SIZE.height))
        pixels = np.asarray(crop, np.float32) / 255
    model = ModelCache().latent_model("starter", "starter-refiner")
    rows = []
    for sigma in arguments.sigmas:
        rows.append(measure(model, pixels, sigma))
        if len(rows) == 1:
            print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
        print("| " + " | ".join(f"{value:g}" for value in rows[-1].values()) + " |", flush=True)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
