"""Check the source, and make of it what models see: colour without holes."""

from pathlib import Path

import numpy as np

from scumble_core.errors import PictureError
from scumble_core.picture.alpha import fill_transparent
from scumble_core.picture.storage import Picture


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


def write_colour(source: Picture, target: Picture) -> None:
    """The source's colour, with transparent holes filled from around them."""
    for band in source.bands():
        pixels = source.read(band)
        target.write(band, fill_transparent(np.clip(pixels[..., :3], 0, 1), pixels[..., 3:]))


def is_opaque(source: Picture) -> bool:
    """Whether alpha is full everywhere."""
    return all(float(source.read(band)[..., 3].min()) >= 1 for band in source.bands())


def work_picture(folder: Path, name: str, like: Picture, channels: int) -> Picture:
    """An intermediate picture of the source's size: 16 bit, or float where the source is."""
    kind = np.float32 if like.dtype.kind == "f" else np.uint16
    return Picture.create(folder / f"{name}.npy", like.extent, channels, kind)
