"""Check the source, and make of it what models see: colour without holes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scumble_core.errors import PictureError
from scumble_core.picture.alpha import CELL, fill_cells, fill_holes, sum_cells
from scumble_core.picture.colour import SRGB, ColourSpace, Reals, clipped
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Floats, Picture, to_floats

BLOCK = Extent(16 * CELL, 16 * CELL)
# Less than that (linear light, against 1 for white) is far below a level of 8 bits, whatever the curve.
_LEAST_BEYOND = 1e-6


def check_source(source: Picture, selection: Picture | None) -> None:
    """Refuse what no pipeline can work on: wrong channels, NaN or infinity, a selection of another size."""
    if source.channels != 4:
        raise PictureError(f"The picture has {source.channels} channels, but a job's source is RGBA: convert it.")
    if source.dtype.kind == "f":
        for band in source.bands():
            bad = ~np.isfinite(source.read_raw(band))
            if bad.any():
                y, x = (int(place[0]) for place in np.nonzero(bad)[:2])
                raise PictureError(
                    f"The picture has a pixel that is no number (NaN or infinite) at {x}, {band.y + y}: "
                    "paint over it or convert the picture to 16 bit."
                )
    if selection is not None and selection.extent != source.extent:
        raise PictureError(
            f"The selection is {selection.extent.width} x {selection.extent.height} pixels, but the picture "
            f"{source.extent.width} x {source.extent.height}: make them of one size."
        )


def write_colour(source: Picture, target: Picture, space: ColourSpace = SRGB) -> Picture | None:
    """Into `target` (float32, 3 channels) what models see: sRGB-encoded, 0 to 1, holes filled from around them.

    Returns what 0 to 1 can't hold, linear light, in a picture beside `target`; None when there is nothing of it.
    """
    cells = _filled_cells(source, space)
    least = _LEAST_BEYOND if source.dtype == np.uint8 else 0.0
    rest: Picture | None = None
    for block in _blocks(source):
        seen, beyond = clipped(_without_holes(source, block, space, cells))
        target.write(block, seen)
        if max(float(beyond.max()), -float(beyond.min())) > least:
            if rest is None:
                rest = work_picture(target.path.parent, "beyond", source, 3)
            rest.write(block, beyond)
    return rest


def _without_holes(source: Picture, block: Bounds, space: ColourSpace, cells: Floats | None) -> Reals:
    """The work values of a block."""
    pixels = source.read_raw(block)
    if cells is None or not _has_holes(pixels):
        return space.to_work(pixels[..., :3])
    around = block.pad(CELL).intersect(source.bounds)
    pixels = source.read_raw(around)
    work = space.to_work(pixels[..., :3])
    in_cells = around.scaled(1 / CELL).slices
    filled = fill_holes(work.astype(np.float32), to_floats(pixels[..., 3:]), cells[in_cells])
    own = block.translate(-around.x, -around.y).slices
    return np.where(pixels[own][..., 3:] > 0, work[own], filled[own])


def _filled_cells(source: Picture, space: ColourSpace) -> Floats | None:
    """The coarse levels of the whole picture, for its holes; None if it has none."""
    if not any(_has_holes(source.read_raw(block)) for block in _blocks(source)):
        return None
    sums = np.empty((-(-source.extent.height // CELL), -(-source.extent.width // CELL), 4), np.float32)
    for block in _blocks(source):
        pixels = source.read_raw(block)
        colour = space.to_work(pixels[..., :3]).astype(np.float32)
        sums[block.scaled(1 / CELL).slices] = sum_cells(colour, to_floats(pixels[..., 3:]))
    return fill_cells(sums)


def _has_holes(pixels: NDArray[Any]) -> bool:
    return bool((pixels[..., 3] <= 0).any())


def _blocks(source: Picture) -> Iterator[Bounds]:
    """Of whole cells, so small that float64 and the fine levels in between cost little."""
    for band in source.bounds.bands(BLOCK.height):
        for left in range(0, band.right, BLOCK.width):
            yield Bounds.between(left, band.y, min(left + BLOCK.width, band.right), band.bottom)


def is_opaque(source: Picture) -> bool:
    """Whether alpha is full everywhere."""
    return all(float(source.read(band)[..., 3].min()) >= 1 for band in source.bands())


def work_picture(folder: Path, name: str, like: Picture, channels: int) -> Picture:
    """An intermediate picture of the source's size, float32."""
    return Picture.create(folder / f"{name}.npy", like.extent, channels, np.float32)
