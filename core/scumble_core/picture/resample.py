"""Change a picture's size, a band of rows at a time, with Pillow's antialiased filters.

Pillow's `box` takes fractions of pixels and looks beyond the box as far as the filter reaches, so a band computed by
itself equals the same rows of the whole picture.
"""

import math

import numpy as np
from PIL import Image

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Floats, Picture

Filter = Image.Resampling
Box = tuple[float, float, float, float]
_REACH = {Filter.BILINEAR: 1, Filter.BICUBIC: 2, Filter.LANCZOS: 3}


def resize_bands(source: Picture, target: Picture, method: Filter = Filter.LANCZOS) -> None:
    """Fill `target` with `source` at the target's size; both have the same number of channels."""
    for band in target.bands():
        target.write(band, resize_band(source, target.extent, band, method))


def resize_band(source: Picture, extent: Extent, band: Bounds, method: Filter = Filter.LANCZOS) -> Floats:
    """The rows `band` (which spans the whole width) of `source` enlarged or reduced to `extent`; clipped to 0 to 1."""
    step = source.extent.height / extent.height
    top, bottom = band.y * step, band.bottom * step
    reach = math.ceil(_REACH[method] * max(1.0, step)) + 1
    rows = Bounds.between(0, math.floor(top) - reach, source.extent.width, math.ceil(bottom) + reach)
    rows = rows.intersect(source.bounds)
    box = (0.0, top - rows.y, float(source.extent.width), min(bottom - rows.y, float(rows.height)))
    return resize(source.read(rows), band.extent, method, box)


def resize(
    pixels: Floats,
    extent: Extent,
    method: Filter = Filter.LANCZOS,
    box: Box | None = None,
) -> Floats:
    """H x W x C to `extent`; `box` is the part of the input to take: left, top, right, bottom in its pixels."""
    size = (extent.width, extent.height)
    channels = [
        np.asarray(Image.fromarray(np.ascontiguousarray(pixels[..., channel])).resize(size, method, box))
        for channel in range(pixels.shape[2])
    ]
    resized: Floats = np.clip(np.stack(channels, axis=2), 0, 1).astype(np.float32)
    return resized
