"""How a picture is enlarged: by one upscaler, or by several one after the other; and how it is restored before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.models.upscalers.facts import UpscalerFacts
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.passes import MEMORY_SHARE
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles

# Where only the loaded network knows how much it enlarges, and `scumble plan` loads none.
ASSUMED_SCALE = 4
# What is enlarged on the way may be larger than any result, as long as one file can hold it.
LARGEST_SIDE = 131_072
_SMALLEST_TILE = 128


@dataclass(frozen=True)
class UpscaleStep:
    """One network over one picture. Grid and boxes are in pixels of that picture, which is of size `source`.

    `multiple`: what pieces of tiles begin at; `note`: what people should know of it, or "".
    """

    model: str
    scale: int
    source: Extent
    grid: TileGrid
    boxes: tuple[Bounds, ...]
    seconds_per_megapixel: float
    multiple: int
    note: str = ""

    @property
    def large(self) -> Extent:
        """The size of what comes out."""
        return Extent(self.source.width * self.scale, self.source.height * self.scale)

    @property
    def seconds(self) -> float:
        return sum(box.extent.area for box in self.boxes) / 1e6 * self.seconds_per_megapixel

    @property
    def disk_bytes(self) -> int:
        """Room for what comes out, as float32, and for the finished tiles, of 16 bits."""
        tiles = sum(box.extent.area for box in self.boxes) * self.scale**2
        return self.large.area * 3 * 4 + tiles * 3 * 2

    def to_dict(self) -> dict[str, object]:
        """What the plan shows of it."""
        tile = self.grid.tile
        shown: dict[str, object] = {
            "tiles": max(1, len(self.boxes)),
            "factor": self.scale,
            "tile": [tile.width, tile.height],
        }
        return {**shown, "note": self.note} if self.note else shown


def plan_upscaling(
    models: Sequence[tuple[str, UpscalerFacts]], source: Extent, needed: Bounds, memory: int | None
) -> tuple[UpscaleStep, ...]:
    """The steps from `source` on, each with the tiles that `needed` (in pixels of `source`) takes, and no others.

    `memory`: the device's, in bytes, None for enough.
    """
    steps: list[UpscaleStep] = []
    extent = source
    for model, facts in models:
        grid, note = _grid(model, facts, extent, memory)
        scale = facts.scale or ASSUMED_SCALE
        step = UpscaleStep(model, scale, extent, grid, (), facts.seconds_per_megapixel, facts.multiple, note)
        if max(step.large.width, step.large.height) > LARGEST_SIDE:
            raise PictureError(
                f"{model} would make {step.large.width} x {step.large.height} pixels, but a side may have at most "
                f"{LARGEST_SIDE} on the way: choose an upscaler that enlarges less, or a part of the picture."
            )
        steps.append(step)
        extent = step.large
    return _needed(steps, needed)


def _needed(steps: Sequence[UpscaleStep], needed: Bounds) -> tuple[UpscaleStep, ...]:
    """From the last step back: each must make all that the tiles of the next one see."""
    factor = prod(step.scale for step in steps[:-1])
    wanted = Bounds(needed.x * factor, needed.y * factor, needed.width * factor, needed.height * factor)
    finished: list[UpscaleStep] = []
    for number in reversed(range(len(steps))):
        step = steps[number]
        boxes = tuple(box for box in step.grid.boxes() if not box.intersect(wanted).is_empty)
        finished.insert(0, replace(step, boxes=boxes))
        if number:
            wanted = reduce(Bounds.union, boxes, wanted).scaled(1 / steps[number - 1].scale)
    return tuple(finished)


def plan_restoring(model: str, facts: UpscalerFacts, source: Extent, needed: Bounds, memory: int | None) -> UpscaleStep:
    """The pass of a restorer over the source."""
    check_restorer(model, facts)
    (step,) = plan_upscaling([(model, replace(facts, scale=1))], source, needed, memory)
    return step


def check_restorer(model: str, facts: UpscalerFacts) -> None:
    """Refuse what enlarges. Raises ScumbleError."""
    if facts.scale not in (1, None):
        raise ScumbleError(
            "unknown_model",
            f"{model} enlarges {facts.scale} times, so it can't restore at the picture's own size: "
            "choose it as the upscaler.",
        )


def check_upscalers(upscaler: str, models: Sequence[tuple[str, UpscalerFacts]]) -> None:
    """Refuse what enlarges nothing. Raises ScumbleError."""
    if models and all(facts.scale == 1 for _, facts in models):
        raise ScumbleError(
            "unknown_model", f"{upscaler} enlarges nothing: choose it under restore, and another upscaler or 'none'."
        )


def _grid(model: str, facts: UpscalerFacts, extent: Extent, memory: int | None) -> tuple[TileGrid, str]:
    padded = extent.at_least(facts.minimum)
    overlap = min(facts.overlap, facts.tile // 4)
    note = ""
    if facts.whole:
        whole = padded.rounded_up(facts.multiple)
        bytes_needed = whole.area * facts.bytes_per_pixel
        if memory is not None and bytes_needed <= memory * MEMORY_SHARE:
            return TileGrid(whole, (0,), (0,)), ""
        size = f"{extent.width} x {extent.height}"
        note = (
            f"{model} looks at a picture as a whole, which takes about {bytes_needed / 1e9:.0f} GB for {size} pixels: "
            "it gets tiles, whose brightness may differ."
        )
    # No side is shorter than two overlaps (plan_tiles), and so than the least that the network takes.
    overlap = -(-max(overlap, -(-facts.minimum // 2)) // facts.multiple) * facts.multiple
    side = max(_side_in(memory, facts), 2 * overlap + facts.multiple) // facts.multiple * facts.multiple
    grid = plan_tiles(padded, TileLimits(facts.multiple, overlap, side, side**2, 4.0))
    return grid, note if grid.count > 1 else ""


def _side_in(memory: int | None, facts: UpscalerFacts) -> int:
    """The side of a tile, halved until it fits into the device's memory."""
    side = facts.tile
    while memory is not None and side > _SMALLEST_TILE and side**2 * facts.bytes_per_pixel > memory * MEMORY_SHARE:
        side //= 2
    return side
