"""Does stitching give back what goes in: the planner's grids and the blender, without a model, for fuzzed sizes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.weights import AxisWeights, axis_weights
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.stages.blend import TileBlender

Floats = NDArray[np.float32]
LARGEST_SIDE = 1600


@dataclass(frozen=True)
class Stitching:
    """The worst of all sizes. `weights`: |sum - 1|; `levels`: error of blended constants and ramps, in 8-bit levels."""

    sizes: int
    weights: float
    levels: float
    uncovered: int


def stitch_identity(sizes: int, seed: int = 0) -> Stitching:
    """For so many random sizes with random limits: a constant and a ramp, cut into tiles and blended, are as before."""
    rng = np.random.default_rng(seed)
    weights, levels, uncovered = 0.0, 0.0, 0
    for _ in range(sizes):
        extent, grid = random_grid(rng)
        across = axis_weights(grid.columns, grid.tile.width)
        down = axis_weights(grid.rows, grid.tile.height)
        sums = np.outer(axis_sum(down), axis_sum(across))
        weights = max(weights, float(np.abs(sums - 1).max()))
        covered = np.outer(axis_sum(down) > 0, axis_sum(across) > 0)[: extent.height, : extent.width]
        uncovered += extent.area - int(covered.sum())
        levels = max(levels, blend_error(grid, extent))
    return Stitching(sizes, weights, levels, uncovered)


def random_grid(rng: np.random.Generator) -> tuple[Extent, TileGrid]:
    """A size from 1 x 1 on, and a grid for it under limits as models have them."""
    extent = Extent(*(int(side) for side in np.exp(rng.uniform(0, np.log(LARGEST_SIDE), 2))))
    grid = int(rng.choice([8, 16, 32, 64]))
    side = int(rng.integers(2, 13)) * 64
    overlap = max(grid, min(128, side // 6) // grid * grid)
    return extent, plan_tiles(extent, TileLimits(grid, overlap, side * 3 // 2 // grid * grid, side * side, 2.0))


def axis_sum(weights: AxisWeights) -> NDArray[np.float64]:
    """The sum of the tiles' weights at each pixel of the axis."""
    total = np.zeros(max(start + len(weight) for start, weight in weights.items()))
    for start, weight in weights.items():
        total[start : start + len(weight)] += weight
    return total


def blend_error(grid: TileGrid, extent: Extent) -> float:
    """The largest difference between a picture and itself cut into tiles and blended, in 8-bit levels.

    The picture's channels: white, a ramp across and a ramp down.
    """
    width = max(grid.columns) + grid.tile.width
    height = max(grid.rows) + grid.tile.height
    picture = np.ones((height, width, 3), np.float32)
    picture[..., 1] = np.linspace(0, 1, width, dtype=np.float32)
    picture[..., 2] = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    blended = np.full_like(picture, np.nan)
    blender = TileBlender.of(grid, _into(blended))
    for box in grid.boxes():
        blender.add(box.x, box.y, picture[box.slices])
    blender.finish()
    inside = Bounds.of(extent).slices
    return float(np.abs(blended[inside] - picture[inside]).max()) * 255


def _into(target: Floats) -> Callable[[Bounds, Floats], None]:
    def write(band: Bounds, pixels: Floats) -> None:
        target[band.slices] = pixels

    return write
