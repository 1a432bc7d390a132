"""Sizes, crops and 8-bit rounding of the reference node "Mikey Sampler Tiled" and the engine it runs in."""

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds, Extent

LATENT_FACTOR = 8


def upscaled_size(extent: Extent, by: float) -> Extent:
    """The output's size: the phase's picture times `by`, rounded down to 8; at least 8, where the node would crash."""
    width, height = (int(side * by // LATENT_FACTOR * LATENT_FACTOR) for side in (extent.width, extent.height))
    return Extent(max(LATENT_FACTOR, width), max(LATENT_FACTOR, height))


def sample_places(source: Extent, target: Extent) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The source row of each output row, and the source column of each output column.

    The source is cropped in its centre to the output's aspect, then sampled "nearest-exact": no filter.
    """
    crop = _crop_to_aspect(source, target)
    return crop.y + _nearest(crop.height, target.height), crop.x + _nearest(crop.width, target.width)


def latent_crop(extent: Extent) -> Bounds:
    """What of a picture is encoded: its centre, sides rounded down to the autoencoder's factor."""
    width, height = (side // LATENT_FACTOR * LATENT_FACTOR for side in (extent.width, extent.height))
    return Bounds((extent.width - width) // 2, (extent.height - height) // 2, width, height)


def truncated(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0 to 1 to 8 bits as the node converts between its phases: clipped, then cut off, not rounded."""
    clipped: NDArray[np.float32] = np.clip(np.float32(255) * pixels, 0, 255)
    return clipped.astype(np.uint8)


def _crop_to_aspect(source: Extent, target: Extent) -> Bounds:
    """The centre; at least a pixel, where the engine would crash."""
    own, wanted = source.width / source.height, target.width / target.height
    x = y = 0
    if own > wanted:
        x = round((source.width - source.width * (wanted / own)) / 2)
    elif own < wanted:
        y = round((source.height - source.height * (own / wanted)) / 2)
    x, y = min(x, (source.width - 1) // 2), min(y, (source.height - 1) // 2)
    return Bounds(x, y, source.width - 2 * x, source.height - 2 * y)


def _nearest(length: int, count: int) -> NDArray[np.int64]:
    """The places that torch's "nearest-exact" takes: those below each output pixel's middle, in float32."""
    step = np.float32(length) / np.float32(count)
    middles = np.arange(count, dtype=np.float32) + np.float32(0.5)
    places: NDArray[np.int64] = np.minimum(np.floor(middles * step).astype(np.int64), length - 1)
    return places
