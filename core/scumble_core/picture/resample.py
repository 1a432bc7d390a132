"""Change a picture's size with Pillow's antialiased filters, a block at a time.

Reducing averages light, so colour is decoded for it: a checkerboard of black and white becomes 188 of 255, as the eye
sees it from afar, not 128. Enlarging averages nothing, and a filter's ringing around edges, even in encoded values, is
seen in linear light as wide dark rims: there encoded values are taken as they are.

The result lies on a grid of blocks whose places depend on both sizes alone, and every block is computed by itself from
the source's pixels that it reaches. So a part equals the same pixels of the whole bit for bit, and costs no more.
"""

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from scumble_core.picture.colour import srgb_decode, srgb_encode
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Floats, Picture

Filter = Image.Resampling
Box = tuple[float, float, float, float]
_REACH = {Filter.BOX: 0.5, Filter.BILINEAR: 1, Filter.HAMMING: 1, Filter.BICUBIC: 2, Filter.LANCZOS: 3}
# A block of the result, where one pixel of it stands for few of the source, and where for many.
_BLOCK = Extent(512, 128)
_SMALL_BLOCK = Extent(64, 32)
_LONG_STEP = 4.0


def resize_bands(source: Picture, target: Picture, method: Filter = Filter.LANCZOS) -> None:
    """Fill `target` with the colour of `source` at the target's size; both have the same number of channels."""
    for band in block_bands(source.extent, target.extent, target.bounds):
        target.write(band, resize_colour(source, target.extent, band, method))


def resize_colour(source: Picture, extent: Extent, part: Bounds, method: Filter = Filter.LANCZOS) -> Floats:
    """A part of sRGB-encoded colour (0 to 1) as it is at size `extent`, clipped to 0 to 1."""
    if source.extent == extent:
        return source.read(part)
    reduces = extent.width < source.extent.width or extent.height < source.extent.height
    return _resize_part(source, extent, part, method, through_light=reduces)


def resize_values(source: Picture, extent: Extent, part: Bounds, method: Filter = Filter.BILINEAR) -> Floats:
    """A part of alpha, or of values in linear light, at size `extent`. By default with a filter that doesn't ring."""
    if source.extent == extent:
        return source.read(part)
    return _resize_part(source, extent, part, method, through_light=None)


def block_bands(source: Extent, extent: Extent, part: Bounds) -> Iterator[Bounds]:
    """`part` of a result of size `extent` in bands that end where blocks do: no block is computed twice."""
    height = _block(source, extent).height
    top = part.y
    while top < part.bottom:
        bottom = min(part.bottom, (top // height + 1) * height)
        yield Bounds.between(part.x, top, part.right, bottom)
        top = bottom


def resize(pixels: Floats, extent: Extent, method: Filter = Filter.LANCZOS, box: Box | None = None) -> Floats:
    """H x W x C to `extent`, as it is, not clipped. `box`: the part to take: left, top, right, bottom in its pixels."""
    size = (extent.width, extent.height)
    resized = np.empty((extent.height, extent.width, pixels.shape[2]), np.float32)
    for channel in range(pixels.shape[2]):
        image = Image.fromarray(np.ascontiguousarray(pixels[..., channel]))
        resized[..., channel] = np.asarray(image.resize(size, method, box))
    return resized


def _resize_part(source: Picture, extent: Extent, part: Bounds, method: Filter, through_light: bool | None) -> Floats:
    """`through_light`: whether colour is averaged in linear light; None: the values are no colour."""
    out = np.empty((part.height, part.width, source.channels), np.float32)
    for block in _blocks(source.extent, extent, part):
        reach, box = _source_box(source.extent, extent, block, method)
        pixels = source.read(reach)
        if through_light:
            pixels = srgb_decode(pixels)
        resized = resize(pixels, block.extent, method, box)
        if through_light is not None:
            np.clip(resized, 0, 1, out=resized)
        if through_light:
            resized = srgb_encode(resized)
        own = block.intersect(part)
        out[own.translate(-part.x, -part.y).slices] = resized[own.translate(-block.x, -block.y).slices]
    return out


def _block(source: Extent, extent: Extent) -> Extent:
    step = max(source.width / extent.width, source.height / extent.height)
    return _BLOCK if step <= _LONG_STEP else _SMALL_BLOCK


def _blocks(source: Extent, extent: Extent, part: Bounds) -> Iterator[Bounds]:
    """The whole blocks that `part` touches; those at the right and the bottom end with the result."""
    size = _block(source, extent)
    for top in range(part.y // size.height * size.height, part.bottom, size.height):
        for left in range(part.x // size.width * size.width, part.right, size.width):
            yield Bounds(left, top, size.width, size.height).intersect(Bounds.of(extent))


def _source_box(source: Extent, extent: Extent, block: Bounds, method: Filter) -> tuple[Bounds, Box]:
    """What of the source a block needs, and where exactly the block lies in that."""
    left, right, x0, x1 = _source_range(source.width, extent.width, block.x, block.right, _REACH[method])
    top, bottom, y0, y1 = _source_range(source.height, extent.height, block.y, block.bottom, _REACH[method])
    return Bounds.between(left, top, right, bottom), (x0, y0, x1, y1)


def _source_range(source: int, target: int, start: int, end: int, reach: float) -> tuple[int, int, float, float]:
    # A product before the quotient: exact wherever the result is a whole number.
    first, last = start * source / target, end * source / target
    beyond = math.ceil(reach * max(1.0, source / target)) + 1
    low, high = max(0, math.floor(first) - beyond), min(source, math.ceil(last) + beyond)
    return low, high, first - low, min(last - low, float(high - low))
