"""Options that `refine` and `plan` share, and the request and the selection made from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from scumble_core.errors import PictureError, RequestError
from scumble_core.files.read import Pixels, read_mask
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.mask import mask_bounds
from scumble_core.request import ORIGIN_GRID, RefineRequest

Scale = Annotated[float, typer.Option("--scale", "-s", help="How much larger: 0.1 to 10.")]
Strength = Annotated[float, typer.Option("--strength", "--denoise", "-d", help="How far to refine: 0 to 1.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same picture.")]
Prompt = Annotated[str, typer.Option("--prompt", "-p", help="For models that read text; the starter models don't.")]
Negative = Annotated[str, typer.Option("--negative-prompt", "-n", help="What should not be in the picture.")]
Base = Annotated[str, typer.Option("--model", "-m", help="'starter' or a folder in diffusers' layout.")]
Refiner = Annotated[str, typer.Option(help="'starter-refiner', a folder, or 'none'.")]
Upscaler = Annotated[
    str, typer.Option(help="'auto', 'none', 'starter-x2', 'starter-x4' or a file that spandrel knows.")
]
Sampler = Annotated[str, typer.Option(help="How the noise is taken away step by step; empty: the model's own way.")]
TileSize = Annotated[int, typer.Option(help="Side of a tile in pixels; 0: the model's own.")]
Overlap = Annotated[int, typer.Option(help="How far tiles overlap, in pixels; 0: automatic.")]
Steps = Annotated[int, typer.Option(help="Sampling steps; 0: the model's own.")]
Guidance = Annotated[float, typer.Option(help="How strongly the prompt counts; 0: the model's own.")]
FirstPass = Annotated[bool, typer.Option("--first-pass", help="Refine once before enlarging, too.")]
FirstStrength = Annotated[float, typer.Option("--first-pass-strength", help="Strength of that: 0 to 1.")]
KeepSize = Annotated[bool, typer.Option("--keep-size", help="Bring the result back to the picture's own size.")]
Box = Annotated[str | None, typer.Option("--box", help="Refine only this part: X,Y,WIDTH,HEIGHT in pixels.")]
Mask = Annotated[Path | None, typer.Option("--mask", help="Refine only where this picture is bright.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout at the end.")]

# What a model sees around a selection, so that the selected part fits into it.
CONTEXT_PIXELS = 64
CONTEXT_SHARE = 0.25


def make_request(**values: Any) -> RefineRequest:
    """The request, validated; a box or mask is not part of it."""
    return RefineRequest.from_dict(values)


@dataclass(frozen=True, eq=False)
class SelectedPart:
    """What goes into the job: a crop of the picture, and within the crop what is selected, as a box and as a mask."""

    crop: Bounds
    selected: Bounds
    mask: NDArray[np.uint8]


def selected_part(extent: Extent, box: str | None, mask_file: Path | None) -> SelectedPart | None:
    """The part chosen by --box or --mask (both: where they overlap), with context around it."""
    if box is None and mask_file is None:
        return None
    whole = Bounds.of(extent)
    mask = np.full((extent.height, extent.width, 1), 255, np.uint8)
    if mask_file is not None:
        mask = read_mask(mask_file)
        if mask.shape[:2] != (extent.height, extent.width):
            raise PictureError(
                f"The mask {mask_file} is {mask.shape[1]} x {mask.shape[0]} pixels, but the picture "
                f"{extent.width} x {extent.height}: make them of one size."
            )
    if box is not None:
        inside = parse_box(box).intersect(whole)
        if inside.is_empty:
            raise RequestError(f"--box {box} lies outside the picture ({extent.width} x {extent.height}): move it.")
        kept = np.zeros_like(mask)
        kept[inside.slices] = mask[inside.slices]
        mask = kept
    selected = mask_bounds(mask[..., 0])
    if selected.is_empty:
        raise PictureError("No pixels are selected: make the mask bright where the picture is to be refined.")
    crop = with_context(selected, whole)
    return SelectedPart(crop, selected.translate(-crop.x, -crop.y), np.ascontiguousarray(mask[crop.slices]))


def with_context(bounds: Bounds, whole: Bounds) -> Bounds:
    """The selection's bounds and what is around them, beginning on the grid that noise is anchored to."""
    margin = max(CONTEXT_PIXELS, round(CONTEXT_SHARE * max(bounds.width, bounds.height)))
    return bounds.pad(margin).rounded_outward(ORIGIN_GRID).intersect(whole)


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
