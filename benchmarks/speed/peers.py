"""What peers would work on, by their published tiling rules. Plans alone: nothing of theirs is run.

Ultimate SD Upscale: disjoint tiles of 1024 pixels, each refined in a crop that is 32 pixels longer and wider.
krita-ai-diffusion: equal tiles of about 1024 pixels that overlap by 80, their sides on a grid of 8.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scumble_core.picture.geometry import Extent

ULTIMATE_TILE, ULTIMATE_PADDING = 1024, 32
KRITA_TILE, KRITA_OVERLAP, KRITA_GRID = 1024, 80, 8


@dataclass(frozen=True)
class PeerPlan:
    """How many tiles, and the megapixels of them all."""

    tiles: int
    megapixels: float


def ultimate(output: Extent) -> PeerPlan:
    """Ultimate SD Upscale with its defaults, without its seam-fix passes."""
    tiles = math.ceil(output.width / ULTIMATE_TILE) * math.ceil(output.height / ULTIMATE_TILE)
    return PeerPlan(tiles, tiles * (ULTIMATE_TILE + ULTIMATE_PADDING) ** 2 / 1e6)


def krita_ai(output: Extent) -> PeerPlan:
    """krita-ai-diffusion's upscale."""
    (columns, width), (rows, height) = (_krita_axis(length) for length in (output.width, output.height))
    return PeerPlan(columns * rows, columns * rows * width * height / 1e6)


def _krita_axis(length: int) -> tuple[int, int]:
    """How many tiles, and how long each is."""
    count = max(1, round(length / KRITA_TILE))
    side = (length + (count - 1) * KRITA_OVERLAP) / count
    return count, math.ceil(side / KRITA_GRID) * KRITA_GRID


PEERS: Mapping[str, Callable[[Extent], PeerPlan]] = MappingProxyType({"ultimate": ultimate, "krita-ai": krita_ai})
