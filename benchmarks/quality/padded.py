"""Plain padded tiles in the manner of Ultimate SD Upscale's defaults: disjoint tiles, each refined with a margin.

Its defaults: linear order, 32 pixels of padding, a mask blurred by 8 pixels, no seam fix; every tile starts from the
same seed. Its crops are made one size, which here is simply the size that they have. A tile sees its neighbours above
and to the left as they already are.
"""

import time

import numpy as np
from benchmarks.quality.contestants import Outcome, Settings, plan_period, product_walk, sample, starter
from benchmarks.quality.layout import Layout, abutting
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from scumble_core.mikey.noise import SequentialNoise
from scumble_core.picture.geometry import Bounds, Extent

Floats = NDArray[np.float32]

PADDING = 32
MASK_BLUR = 8


def padded(pixels: Floats, settings: Settings) -> Outcome:
    """Same models, sigmas, steps and sampler as the product; only tiles, noise and stitching differ."""
    began = time.monotonic()
    model, walk = starter(settings), product_walk(settings, pixels)
    canvas = pixels.copy()
    height, width = pixels.shape[:2]
    side, grid = settings.tile, model.facts.grid
    columns, rows = tuple(range(0, width, side)), tuple(range(0, height, side))
    megapixels = 0.0
    for tile in (Bounds(x, y, side, side) for y in rows for x in columns):
        crop = crop_around(tile, Extent(width, height), grid)
        shape = (1, model.facts.channels, crop.height // model.facts.factor, crop.width // model.facts.factor)
        noise = SequentialNoise(shape, settings.seed)
        refined = sample(model, canvas[crop.slices], noise, noise(0, 0), walk)
        mask = blurred_mask(tile, Extent(width, height))[crop.slices][..., None]
        canvas[crop.slices] += (refined - canvas[crop.slices]) * mask
        megapixels += crop.extent.area / 1e6
    crops_x = tuple(crop_around(Bounds(x, 0, side, side), Extent(width, height), grid).x for x in columns)
    crops_y = tuple(crop_around(Bounds(0, y, side, side), Extent(width, height), grid).y for y in rows)
    layout = Layout(
        abutting(columns, crops_x, MASK_BLUR, width), abutting(rows, crops_y, MASK_BLUR, height), plan_period()
    )
    return Outcome(canvas, layout, time.monotonic() - began, megapixels)


def crop_around(tile: Bounds, picture: Extent, grid: int) -> Bounds:
    """The tile with its padding, of one size for all tiles, moved to lie inside the picture."""
    x, width = _inside(tile.x, tile.width, picture.width, grid)
    y, height = _inside(tile.y, tile.height, picture.height, grid)
    return Bounds(x, y, width, height)


def _inside(start: int, side: int, length: int, grid: int) -> tuple[int, int]:
    wanted = min(-(-(side + 2 * PADDING) // grid) * grid, length // grid * grid)
    return min(max(0, start - PADDING), length - wanted), wanted


def blurred_mask(tile: Bounds, picture: Extent) -> Floats:
    """H x W of the picture: 1 in the tile, blurred."""
    mask = Image.new("L", (picture.width, picture.height))
    mask.paste(255, (tile.x, tile.y, tile.right, tile.bottom))
    blurred = np.asarray(mask.filter(ImageFilter.GaussianBlur(MASK_BLUR)), np.float32)
    weights: Floats = blurred / np.float32(255)
    return weights
