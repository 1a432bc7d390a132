"""The reference node's tile phase on the starter models: its boxes, one noise for all tiles, feathered stitching.

It is composed of the product's own parts for the `mikey` presets, so that the start and the steps can be given: either
the product's own, whereby the tiling alone differs, or the reference's 20 steps of which the last few are walked.
Complexity is left out: it would start each tile at another level.
"""

import time
from collections.abc import Callable

import numpy as np
from benchmarks.quality.contestants import Outcome, Settings, Walk, plan_period, product_walk, sample, starter
from benchmarks.quality.layout import Layout, feathered
from numpy.typing import NDArray

from scumble_core.mikey.noise import first_noise, noise_source
from scumble_core.mikey.phases import Settings as PhaseSettings
from scumble_core.mikey.phases import tile_phase
from scumble_core.mikey.scale import truncated
from scumble_core.mikey.slicing import phase_sigmas
from scumble_core.mikey.stitch import Stitcher
from scumble_core.mikey.tiles import work_boxes
from scumble_core.picture.geometry import Bounds, Extent

Floats = NDArray[np.float32]


def mikey(pixels: Floats, settings: Settings) -> Outcome:
    """From the product's own start, with its steps and sampler."""
    return _tiled(pixels, settings, product_walk(settings, pixels))


def mikey_20(pixels: Floats, settings: Settings) -> Outcome:
    """From the reference's own start, with its 20 steps, sampler and schedule."""
    phase = tile_phase("mikey-advanced-base-only", PhaseSettings(steps=20, tiler_denoise=settings.strength))
    sigmas = phase_sigmas(starter(settings).sigma_table, phase)
    if sigmas is None:
        raise ValueError(f"strength {settings.strength} leaves the reference no step of its 20")
    return _tiled(pixels, settings, Walk(sigmas, phase.sampler))


def _tiled(pixels: Floats, settings: Settings, walk: Walk) -> Outcome:
    began = time.monotonic()
    model = starter(settings)
    height, width = pixels.shape[:2]
    boxes = work_boxes(Extent(width, height), settings.tile)
    result = np.zeros_like(pixels)
    stitcher = Stitcher(width, _into(result))
    for box in boxes:
        tile = _eight_bits(pixels[box.slices])
        shape = (1, model.facts.channels, box.height // model.facts.factor, box.width // model.facts.factor)
        first = first_noise(settings.seed, shape)
        noise = noise_source(walk.sampler, first, walk.sigmas, settings.seed)
        stitcher.add(box.x, box.y, _eight_bits(sample(model, tile, noise, first, walk)))
    stitcher.finish()
    columns, rows = (tuple(dict.fromkeys(starts)) for starts in ([box.x for box in boxes], [box.y for box in boxes]))
    # It fades in over an eighth of the tile's width, downwards too.
    feather = boxes[0].width // 8
    layout = Layout(feathered(columns, feather, width), feathered(rows, feather, height), plan_period())
    return Outcome(result, layout, time.monotonic() - began, sum(box.extent.area for box in boxes) / 1e6)


def _eight_bits(pixels: Floats) -> Floats:
    """The reference's tiles go through 8-bit images on their way in and out, and lose their fractions."""
    return truncated(pixels).astype(np.float32) / np.float32(255)


def _into(target: Floats) -> Callable[[Bounds, Floats], None]:
    def write(band: Bounds, pixels: Floats) -> None:
        target[band.slices] = pixels

    return write
