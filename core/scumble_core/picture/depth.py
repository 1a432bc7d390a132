"""Between float32 and the depths that pictures are kept in: rounding, range, dither.

Everything runs over a few rows at a time, in place: what a step needs is still in the processor's cache from the step
before, and a whole band costs no more working memory than its result.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scumble_core.picture.geometry import Point

Depth = Literal["uint8", "uint16", "float32"]
Floats = NDArray[np.float32]

# About this many values are worked on at once: 256 KB of float32, which a core's own cache holds.
_CHUNK_VALUES = 65_536


def to_floats(pixels: NDArray[Any]) -> Floats:
    """Integers to 0 to 1; floats unchanged (a copy)."""
    if pixels.dtype.kind != "u":
        return pixels.astype(np.float32)
    floats = np.empty(pixels.shape, np.float32)
    top = np.float32(np.iinfo(pixels.dtype).max)
    for rows in _chunks(pixels):
        np.divide(pixels[rows], top, out=floats[rows])
    return floats


def from_floats(pixels: Floats, dtype: DTypeLike, dither: Point | None = None) -> NDArray[Any]:
    """The opposite of `to_floats`: clipped to 0 to 1, then rounded to nearest.

    `dither` is where the pixels (H x W x C) lie in their picture. The rounding is then spread by a fixed pattern of
    the absolute place: the same pixels give the same values whatever the box. Exact values stay as they are.
    """
    kind = np.dtype(dtype)
    if kind.kind != "u":
        return pixels.astype(kind)
    top = np.float32(np.iinfo(kind).max)
    rounded = np.empty(pixels.shape, kind)
    for rows in _chunks(pixels):
        values = np.maximum(pixels[rows], np.float32(0), dtype=np.float32)
        np.minimum(values, np.float32(1), out=values)
        values *= top
        if dither is None:
            values += np.float32(0.5)
        else:
            pattern = _dither_pattern(dither.x, dither.y + rows.start, values.shape[1], values.shape[0])
            for channel in range(values.shape[2]):
                values[..., channel] += pattern
        # Nothing is negative any more, so that the conversion, which cuts fractions off, rounds down.
        np.copyto(rounded[rows], values, casting="unsafe")
    return rounded


def all_finite(pixels: Floats) -> bool:
    """Whether every value is a number."""
    return all(bool(np.isfinite(pixels[rows]).all()) for rows in _chunks(pixels))


def _chunks(pixels: NDArray[Any]) -> Iterator[slice]:
    """Rows of the first axis, few at a time."""
    count = pixels.shape[0]
    rows = max(1, _CHUNK_VALUES * count // max(1, pixels.size))
    return (slice(start, min(start + rows, count)) for start in range(0, count, rows))


def _dither_pattern(x: int, y: int, width: int, height: int) -> Floats:
    """Height x width of interleaved gradient noise (Jimenez, "Next generation post processing in Call of Duty:
    Advanced Warfare", 2014): an even pattern between 0 and 1, a function of the absolute place alone, none negative.
    """
    columns = 0.06711056 * np.arange(x, x + width, dtype=np.float64)
    rows = 0.00583715 * np.arange(y, y + height, dtype=np.float64)
    noise = columns[None, :] + rows[:, None]
    whole = np.floor(noise)
    noise -= whole
    noise *= 52.9829189
    noise -= np.floor(noise, out=whole)
    # Kept off 0 and 1, so that float rounding can't push an exact value to its neighbour.
    noise *= 0.99
    noise += 0.005
    return noise.astype(np.float32)
