"""The part of a picture that --box and --mask choose, and what goes into the job of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scumble_core.errors import PictureError, RequestError
from scumble_core.files.read import Pixels, read_mask
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.mask import mask_bounds
from scumble_core.request import ORIGIN_GRID

# What a model sees around a selection, so that the selected part fits into it.
CONTEXT_PIXELS = 64
CONTEXT_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class SelectedPart:
    """What goes into the job: a crop of the picture, and within the crop what is selected, as a mask H x W x 1."""

    crop: Bounds
    mask: NDArray[np.uint8]


@dataclass(frozen=True)
class Wanted:
    """The options that choose a part. `context` is in pixels, None for a share of the selection's size."""

    box: str | None = None
    mask: Path | None = None
    context: int | None = None
    reproduce: bool = False
    grow: int = 0


def selected_part(extent: Extent, wanted: Wanted) -> SelectedPart | None:
    """The part chosen by --box or --mask (both: where they overlap), with context around it; None for all."""
    if wanted.box is None and wanted.mask is None:
        return None
    whole = Bounds.of(extent)
    mask = np.full((extent.height, extent.width, 1), 255, np.uint8)
    if wanted.mask is not None:
        mask = fitting_mask(wanted.mask, extent)
    if wanted.box is not None:
        inside = parse_box(wanted.box).intersect(whole)
        if inside.is_empty:
            raise RequestError(
                f"--box {wanted.box} lies outside the picture ({extent.width} x {extent.height}): move it."
            )
        kept = np.zeros_like(mask)
        kept[inside.slices] = mask[inside.slices]
        mask = kept
    selected = mask_bounds(mask[..., 0])
    if selected.is_empty:
        raise PictureError("No pixels are selected: make the mask bright where the picture is to be refined.")
    crop = whole if wanted.reproduce else with_context(selected.pad(wanted.grow), whole, wanted.context)
    return SelectedPart(crop, np.ascontiguousarray(mask[crop.slices]))


def fitting_mask(path: Path, extent: Extent) -> NDArray[np.uint8]:
    """A mask from a file, H x W x 1; one of another size is refused."""
    mask = read_mask(path)
    if mask.shape[:2] != (extent.height, extent.width):
        raise PictureError(
            f"The mask {path} is {mask.shape[1]} x {mask.shape[0]} pixels, but the picture "
            f"{extent.width} x {extent.height}: make them of one size."
        )
    return mask


def with_context(bounds: Bounds, whole: Bounds, context: int | None = None) -> Bounds:
    """The selection's bounds and what is around them, beginning on the grid that noise is anchored to."""
    if context is not None and not 0 <= context <= 4096:
        raise RequestError(f"--context is {context}, but must lie between 0 and 4096 pixels.")
    margin = max(CONTEXT_PIXELS, round(CONTEXT_SHARE * max(bounds.width, bounds.height)))
    return bounds.pad(margin if context is None else context).rounded_outward(ORIGIN_GRID).intersect(whole)


def parse_box(text: str) -> Bounds:
    """X,Y,WIDTH,HEIGHT."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise RequestError(f"--box is '{text}', but must be X,Y,WIDTH,HEIGHT in whole pixels.") from error
    if width <= 0 or height <= 0:
        raise RequestError(f"--box {text} has no pixels: give a width and a height above 0.")
    return Bounds(x, y, width, height)


def extent_of(pixels: Pixels) -> Extent:
    """The size of H x W x C pixels."""
    return Extent(pixels.shape[1], pixels.shape[0])
