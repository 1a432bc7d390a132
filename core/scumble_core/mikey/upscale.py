"""How the reference node's engine enlarges: tiles of 512 with an overlap of 32, crossed linearly; then no filter."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scumble_core.mikey.scale import sample_places, truncated
from scumble_core.mikey.tiles import UPSCALE_OVERLAP, upscale_boxes, upscale_spans
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.picture.weights import AxisWeights, normalised
from scumble_core.stages.blend import TileBlender, TileDone, into
from scumble_core.stages.upscale import TileUpscaler


def enlarge(colour: Picture, folder: Path, upscaler: TileUpscaler, done: TileDone) -> Picture:
    """The picture, `upscaler.scale` times as large; kept in `folder`."""
    scale = upscaler.scale
    large = Extent(colour.extent.width * scale, colour.extent.height * scale)
    enlarged = Picture.create(folder / "enlarged.npy", large, 3, np.float32)
    across, down = (_weights(side, scale) for side in (colour.extent.width, colour.extent.height))
    blender = TileBlender(across, down, into(enlarged))
    for box in upscale_boxes(colour.extent):
        pixels = upscaler(box, colour.read(box))
        blender.add(box.x * scale, box.y * scale, pixels)
        done(box, pixels)
    blender.finish()
    return enlarged


def sampled(enlarged: Picture, output: Extent, folder: Path, in_8_bits: bool) -> Picture:
    """The enlarged picture at the output's size: each pixel the nearest one, and cut to 8 bits where the node does so.

    A document of more than 8 bits keeps them.
    """
    rows, columns = sample_places(enlarged.extent, output)
    target = Picture.create(folder / "sampled.npy", output, 3, np.float32)
    for band in target.bands():
        wanted = rows[band.slices[0]]
        there = Bounds.between(0, int(wanted[0]), enlarged.extent.width, int(wanted[-1]) + 1)
        pixels = enlarged.read(there)[wanted - there.y][:, columns]
        target.write(band, truncated(pixels).astype(np.float32) / np.float32(255) if in_8_bits else pixels)
    return target


def _weights(length: int, scale: int) -> AxisWeights:
    """The engine fades each tile at both its ends, also at the picture's edges, and divides by the sum."""
    raw: dict[int, NDArray[np.float64]] = {}
    for start, side in upscale_spans(length).items():
        feather, weight = UPSCALE_OVERLAP * scale, np.ones(side * scale)
        if feather < len(weight):
            ramp = np.arange(1, feather + 1) / feather
            weight[:feather] *= ramp
            weight[-feather:] *= ramp[::-1]
        raw[start * scale] = weight
    return normalised(raw)
