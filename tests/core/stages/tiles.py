"""Tiles to refine, and what refines them: for the tests of a tile and of a pass."""

import numpy as np

from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.plan.passes import Walk
from scumble_core.sampling.levels import falling, training_levels
from scumble_core.stages.tile import Tile, TileRefiner, TileSettings

BOX = Bounds(0, 0, 64, 64)
WALK = Walk("euler", falling(training_levels(), 0.6, 3), 1.0, (0.0, 9.0))


def going_on():
    return False


def refiner(model, walk=WALK, origin=Point(0, 0), cancelled=going_on, side=64, prompts=("0.1",)):  # noqa: B008
    return TileRefiner(model, TileSettings(walk, Extent(side, side), prompts, "-0.5", origin), cancelled)


def tile(box=BOX, seed=7, pixels=0, **maps):
    return Tile(box, picture(pixels, box.width, box.height), seed, **maps)


def picture(seed=0, width=64, height=64):
    return 0.4 + np.random.default_rng(seed).random((height, width, 3), np.float32) * 0.2
