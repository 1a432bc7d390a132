"""What the planner must know of an upscaler before it is loaded. No torch here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

Scalar = str | int | float | bool

# Unless asked otherwise: a network hardly looks farther than this around a pixel.
OVERLAP = 48
_GRID = 4
# Smaller pictures are mirrored outward to this: networks are lost on a handful of pixels.
_SMALLEST = 32
# The longest side of a tile that is made square, or brought to a multiple: a grid of them would be all padding.
_LARGEST_MULTIPLE = 64


@dataclass(frozen=True)
class UpscalerFacts:
    """An upscaler, or a restorer (scale 1). Sizes are in source pixels.

    `scale`: how much it enlarges, None: known only once it is loaded. Tiles have sides and starts of multiples of
    `multiple`, and no side below `minimum`. `whole`: the network looks at all of a picture, so that tiles of it don't
    agree. `bytes_per_pixel`: working memory for a pixel of a tile, above the weights; 0: next to nothing.
    """

    scale: int | None
    tile: int = 512
    overlap: int = OVERLAP
    seconds_per_megapixel: float = 6.0
    minimum: int = 1
    multiple: int = _GRID
    whole: bool = False
    bytes_per_pixel: float = 0.0


def facts_of(detail: Mapping[str, Scalar]) -> UpscalerFacts:
    """From what spandrel says of a file, as the index keeps it: `scale`, `tiling`, `multiple`, `minimum`."""
    scale, multiple, minimum = (
        value if isinstance(value := detail.get(name), int) else None for name in ("scale", "multiple", "minimum")
    )
    grid = math.lcm(_GRID, multiple or 1)
    if grid > _LARGEST_MULTIPLE:
        grid = _GRID  # the network's own padding brings each tile there
    facts = UpscalerFacts(
        scale,
        overlap=-(-OVERLAP // grid) * grid,
        minimum=max(_SMALLEST, minimum or 0),
        multiple=grid,
        whole=detail.get("tiling") in ("discouraged", "internal"),
        bytes_per_pixel=working_bytes(scale),
    )
    return replace(facts, seconds_per_megapixel=2.0) if scale == 1 else facts


def working_bytes(scale: int | None) -> float:
    """A rough count in float32, for networks of 64 channels: some ten maps at the source's size, four at the result's.

    Where a network takes more, memory runs out, and its tiles are halved (stages/upscale.py).
    """
    return 64 * 4 * (10 + 4 * (scale or 4) ** 2)
