"""Split the source into what models see (colour without holes) and what goes beside it (alpha, the soft edge)."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from scumble_core.errors import PictureError
from scumble_core.picture.alpha import fill_transparent
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.mask import mask_bounds
from scumble_core.picture.storage import Floats, Picture

# How far a selection's edge is softened inward at most, and never by more than this share of its shorter side.
SOFTEST_EDGE = 8.0
SOFTEST_SHARE = 1 / 8
_LEAST_SHARE_KEPT = 0.4


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


def selected_bounds(selection: Picture) -> Bounds:
    """The smallest box that holds all selected pixels; an empty selection is refused."""
    found = Bounds(0, 0, 0, 0)
    for band in selection.bands():
        found = found.union(mask_bounds(selection.read_raw(band)[..., 0]).translate(0, band.y))
    if found.is_empty:
        raise PictureError("No pixels are selected: select the part to refine, or refine the whole picture.")
    return found


def write_colour(source: Picture, target: Picture) -> None:
    """The source's colour, with transparent holes filled from around them."""
    for band in source.bands():
        pixels = source.read(band)
        target.write(band, fill_transparent(np.clip(pixels[..., :3], 0, 1), pixels[..., 3:]))


def is_opaque(source: Picture) -> bool:
    """Whether alpha is full everywhere."""
    return all(float(source.read(band)[..., 3].min()) >= 1 for band in source.bands())


def write_alpha(source: Picture, selection: Picture | None, target: Picture) -> None:
    """The source's alpha, times the selection with its edge softened inward."""
    edge = None if selection is None else soft_edge(selection.read(selection.bounds)[..., 0])
    for band in source.bands():
        alpha = np.clip(source.read(band)[..., 3:], 0, 1)
        target.write(band, alpha if edge is None else alpha * edge[band.slices[0], :, None])


def soft_edge(selection: Floats) -> Floats:
    """H x W, 0 to 1: the selection, falling to 0 towards its edge from inside; 0 wherever it is 0.

    Reaching the picture's border is no edge. Slim selections get a harder edge, so that something is left of them.
    """
    bounds = mask_bounds(selection)
    sigma = min(SOFTEST_EDGE, min(bounds.width, bounds.height) * SOFTEST_SHARE) / 2
    image = Image.fromarray(np.round(selection * 255).astype(np.uint8))
    while sigma >= 0.5:
        blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(sigma)), np.float32) / 255
        inward = np.clip(blurred * 2 - 1, 0, 1)
        soft = (selection * inward * inward * (3 - 2 * inward)).astype(np.float32)
        if soft.sum() >= selection.sum() * _LEAST_SHARE_KEPT:
            return soft
        sigma /= 2
    return selection


def work_picture(folder: Path, name: str, like: Picture, channels: int) -> Picture:
    """An intermediate picture of the source's size: 16 bit, or float where the source is."""
    kind = np.float32 if like.dtype.kind == "f" else np.uint16
    return Picture.create(folder / f"{name}.npy", like.extent, channels, kind)
