"""Make the two results: colour at the size that was asked for, alpha beside it, in the source's own type."""

from pathlib import Path

import numpy as np

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.resample import Filter, resize_band
from scumble_core.picture.storage import Floats, Picture


def compose(
    colour: Picture, alpha: Picture | None, extent: Extent, region: Bounds, path: Path, dtype: np.dtype[np.generic]
) -> None:
    """Write the RGBA picture `path`: the part `region` of `colour` brought to `extent`; no alpha: opaque."""
    target = Picture.create(path, region.extent, 4, dtype)
    for band in target.bands():
        there = band.translate(region.x, region.y)
        rgb = _part(colour, extent, there, Filter.LANCZOS)
        if alpha is None:
            a = np.ones((*rgb.shape[:2], 1), np.float32)
        else:
            a = _part(alpha, extent, there, Filter.BICUBIC)
            # As Krita does: no colour is kept where nothing shows.
            rgb = rgb * (a > 0)
        target.write(band, np.concatenate((rgb, a), axis=2))
    target.flush()


def _part(picture: Picture, extent: Extent, part: Bounds, method: Filter) -> Floats:
    """A part of the picture as it is at size `extent`."""
    if picture.extent == extent:
        return picture.read(part)
    rows = Bounds(0, part.y, extent.width, part.height)
    return resize_band(picture, extent, rows, method)[:, part.x : part.right]
