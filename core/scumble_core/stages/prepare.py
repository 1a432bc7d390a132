"""Check the source, and make of it what models see: colour without holes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scumble_core.errors import PictureError
from scumble_core.picture.alpha import CELL, fill_cells, fill_rows, sum_cells
from scumble_core.picture.colour import SRGB, ColourSpace, Reals, clipped
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import BAND_VALUES, Floats, Picture, to_floats

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
    for band in source.bounds.bands(_band_rows(source)):
        seen, beyond = clipped(_without_holes(source, band, space, cells))
        target.write(band, seen)
        if max(float(beyond.max()), -float(beyond.min())) > least:
            if rest is None:
                rest = work_picture(target.path.parent, "beyond", source, 3)
            rest.write(band, beyond)
    return rest


def _without_holes(source: Picture, band: Bounds, space: ColourSpace, cells: Floats | None) -> Reals:
    """The work values of whole rows."""
    pixels = source.read_raw(band)
    if cells is None or not _has_holes(pixels):
        return space.to_work(pixels[..., :3])
    # To whole cells, and one more on either side.
    first, last = max(0, band.y // CELL - 1), -(-band.bottom // CELL) + 1
    rows = Bounds.between(0, first * CELL, band.right, last * CELL).intersect(source.bounds)
    pixels = source.read_raw(rows)
    work = space.to_work(pixels[..., :3])
    filled = fill_rows(work.astype(np.float32), to_floats(pixels[..., 3:]), cells[first:last])
    own = slice(band.y - rows.y, band.bottom - rows.y)
    return np.where(pixels[own, :, 3:] > 0, work[own], filled[own])


def _filled_cells(source: Picture, space: ColourSpace) -> Floats | None:
    """The coarse levels of the whole picture, for its holes; None if it has none."""
    bands = list(source.bounds.bands(_band_rows(source)))
    if not any(_has_holes(source.read_raw(band)) for band in bands):
        return None
    sums = []
    for band in bands:
        pixels = source.read_raw(band)
        sums.append(sum_cells(space.to_work(pixels[..., :3]).astype(np.float32), to_floats(pixels[..., 3:])))
    return fill_cells(np.concatenate(sums))


def _has_holes(pixels: NDArray[Any]) -> bool:
    return bool((pixels[..., 3] <= 0).any())


def _band_rows(source: Picture) -> int:
    """Whole cells; half of what is read at once elsewhere, since float64 and the fine levels are in between."""
    rows = BAND_VALUES // (2 * source.extent.width * source.channels)
    return max(CELL, rows // CELL * CELL)


def is_opaque(source: Picture) -> bool:
    """Whether alpha is full everywhere."""
    return all(float(source.read(band)[..., 3].min()) >= 1 for band in source.bands())


def work_picture(folder: Path, name: str, like: Picture, channels: int) -> Picture:
    """An intermediate picture of the source's size, float32."""
    return Picture.create(folder / f"{name}.npy", like.extent, channels, np.float32)
