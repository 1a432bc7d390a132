"""One tiled walk of the latent model over a picture, as the plan describes it. No torch here."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scumble_core.models.facts import ModelFacts
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.blocks import blocks_of, covered
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.presets import PRESETS
from scumble_core.request import RefineRequest
from scumble_core.sampling.levels import start_level, table_below
from scumble_core.sampling.names import TWO_CALLS

# A picture smaller than this is mirrored outward to it: models are lost on a handful of latents.
SMALLEST_SIDE = 64
# What a pass may take of the device's memory; the rest is for the models and for others.
MEMORY_SHARE = 0.5
# Pixels that two tiles share, unless asked otherwise.
WIDEST_OVERLAP = 48
# How much larger than the model's native square a tile may be, where that saves overlap: two tiles of 1056 for 2048.
MORE_AREA = 1.25


@dataclass(frozen=True)
class Walk:
    """How a latent is walked down: with the model, the pixels, the place and the seed, all that determines a tile.

    `sigmas` ends in 0. `guided`: the sigmas between which the negative prompt is asked. The first `merged` steps are
    taken over the whole latent, with the tiles' predictions merged in each; the others by each tile alone.
    """

    sampler: str
    sigmas: tuple[float, ...]
    guidance: float
    guided: tuple[float, float]
    merged: int = 0

    @property
    def steps(self) -> int:
        return len(self.sigmas) - 1

    def calls(self, prompts: int = 1) -> int:
        """Calls of the model for one tile that `prompts` prompts share, the negative prompt not counted among them."""
        return self.merged_calls(prompts) + self.own_calls(prompts)

    def merged_calls(self, prompts: int = 1) -> int:
        """Of these, those over the whole latent."""
        return self._calls(0, self.merged, prompts) if self.merged else 0

    def own_calls(self, prompts: int = 1) -> int:
        """And those of the tile alone."""
        return self._calls(self.merged, self.steps, prompts)

    def _calls(self, first: int, last: int, prompts: int) -> int:
        low, high = self.guided
        asked = self._asked(first, last)
        return sum(prompts + (self.guidance > 1 and low <= sigma <= high) for sigma in asked)

    def _asked(self, first: int, last: int) -> Iterator[float]:
        """The sigmas that the model is asked at from one step to another."""
        for sigma, following in pairwise(self.sigmas[first : last + 1]):
            yield sigma
            # Samplers that look ahead do not do so on the step to 0.
            if self.sampler in TWO_CALLS and following > 0:
                yield math.sqrt(sigma * following) if self.sampler == "dpmpp_sde" else following
        if self.sampler == "uni_pc" and first < last < self.steps:
            yield self.sigmas[last]  # it looks ahead in the last step, too, and whoever goes on looks again


@dataclass(frozen=True)
class RefinePass:
    """A pass over a picture: its grid, the boxes that are needed, which of them are left alone, and the walk.

    `merged`: the boxes of the blocks that are walked while predictions are merged (plan/blocks.py), once for each block
    that holds them; it may reach beyond `boxes`. `untouched`, `prompts` (how many prompts share it) and `complexity`
    (empty where not measured) are of the boxes in `context`.
    """

    grid: TileGrid
    boxes: tuple[Bounds, ...]
    untouched: frozenset[Bounds]
    walk: Walk
    strength: float
    batch: int
    merged: tuple[Bounds, ...] = ()
    merged_blocks: int = 1
    prompts: tuple[int, ...] = ()
    complexity: tuple[float, ...] = ()

    @property
    def refined(self) -> tuple[Bounds, ...]:
        """The boxes that the model works on."""
        return tuple(box for box in self.boxes if box not in self.untouched)

    @property
    def context(self) -> tuple[Bounds, ...]:
        """The boxes whose pixels must be true for these to come out as in a run of the whole grid."""
        return tuple(dict.fromkeys((*self.boxes, *self.merged)))

    @property
    def merged_predictions(self) -> int:
        """How often a block's predictions are merged, over all blocks."""
        return self.merged_blocks * self.walk.merged * (2 if self.walk.sampler in TWO_CALLS else 1)

    @property
    def megapixels(self) -> float:
        return sum(box.extent.area for box in self.refined) / 1e6

    @property
    def model_calls(self) -> int:
        """In all. Where a region covers a tile wholly, it is one prompt less than is counted here."""
        prompts = dict(zip(self.context, self.prompts, strict=False))
        merged = (self.merged or self.boxes) if self.walk.merged else ()
        return sum(
            calls(prompts.get(box, 1))
            for boxes, calls in ((self.boxes, self.walk.own_calls), (merged, self.walk.merged_calls))
            for box in boxes
            if box not in self.untouched
        )

    def to_dict(self) -> dict[str, object]:
        """What the plan shows of it."""
        walk, tile = self.walk, self.grid.tile
        shown: dict[str, object] = {
            "tiles": len(self.refined),
            "flat_tiles": len(self.boxes) - len(self.refined),
            "tile": [tile.width, tile.height],
            "overlap": list(self.grid.overlap),
            "strength": self.strength,
            "sigma": round(walk.sigmas[0], 4),
            "steps": walk.steps,
            "merged_steps": walk.merged,
            "guidance": walk.guidance,
            "guided_steps": sum(walk.guided[0] <= sigma <= walk.guided[1] for sigma in walk.sigmas[:-1])
            if walk.guidance > 1
            else 0,
            "sampler": walk.sampler,
            "batch": self.batch,
            "megapixels": round(self.megapixels, 3),
        }
        if self.complexity:
            shown["complexity"] = [round(value, 2) for value in self.complexity[: len(self.boxes)]]
        return shown


def plan_pass(
    request: RefineRequest,
    extent: Extent,
    region: Bounds,
    facts: ModelFacts,
    strength: float,
    memory: int | None,
    generates: bool = False,
) -> RefinePass | None:
    """The pass over a picture of this size, as far as it touches `region`; None where there is nothing to do.

    `memory`: the device's, in bytes, None for enough. `generates`: the picture is made from noise alone.
    """
    if strength == 0:
        return None
    grid = plan_tiles(extent.at_least(SMALLEST_SIDE), tile_limits(request, facts, memory))
    boxes = tuple(box for box in grid.boxes() if not box.intersect(region).is_empty)
    walk = plan_walk(request, facts, 1.0 if generates else strength, generates, alone=grid.count == 1)
    rows = blocks_of(grid, facts.channels / facts.factor**2) if walk.merged else ()
    part = covered(boxes)
    blocks = [block for row in rows for block in row if block.touches(part)]
    merged = tuple(box for block in blocks for box in block.boxes)
    return RefinePass(grid, boxes, frozenset(), walk, strength, request.batch or 1, merged, len(blocks))


def plan_walk(request: RefineRequest, facts: ModelFacts, strength: float, generates: bool, alone: bool) -> Walk:
    """The walk for this strength. `alone`: there is but one tile, and nothing to merge."""
    # A small model invents nothing that holds at high sigma; but a picture from nothing must begin at the top.
    share = strength if generates else strength * facts.reach
    table = facts.levels
    highest = start_level(table, share)
    sampler, steps = (facts.sampler, facts.generating_steps) if generates else _own_way(request, facts, highest)
    steps = request.steps or steps
    sigmas = _named(request.schedule, table, highest, steps) or facts.spread(highest, steps)
    # A model that is told its guidance has no use for a negative prompt.
    interval = (facts.guided_from, facts.guided_to) if request.guidance_interval else (0.0, math.inf)
    return Walk(
        sampler=request.sampler or sampler,
        sigmas=sigmas,
        guidance=(request.guidance or facts.guidance) if facts.uses_prompt else 1.0,
        guided=(0.0, 0.0) if facts.told_guidance else interval,
        merged=0 if alone else sum(sigma > facts.merge_above for sigma in sigmas),
    )


def _own_way(request: RefineRequest, facts: ModelFacts, highest: float) -> tuple[str, int]:
    """The sampler and the steps where the request leaves them open: its preset's, or the model's where that has fewer.

    A sampler that was asked for takes the model's own steps: the preset's were chosen for its own one.
    """
    quick = PRESETS[request.preset].walks.get(facts.family)
    if request.sampler or quick is None or facts.steps <= quick.steps:
        return facts.sampler, facts.steps
    return quick.sampler, quick.steps if highest <= quick.below else facts.steps


def _named(schedule: str, table: NDArray[np.float64], highest: float, steps: int) -> tuple[float, ...]:
    """A named schedule of that many steps from `highest` on; empty where none is named.

    From a table that ends at `highest`, not the last steps of a longer walk: strength means the same whatever the
    schedule, and maps of strength can say at which sigma a place joins.
    """
    if not schedule:
        return ()
    import torch

    from scumble_core.sampling.schedules import SCHEDULES

    below = torch.from_numpy(table_below(table, highest))
    spread = SCHEDULES[schedule](below, steps).double().tolist()
    # Some can't count exactly (see there): those too begin at `highest`, and have the steps that were asked for.
    return (highest, *_resampled(spread[:-1], steps)[1:], 0.0)


def _resampled(levels: list[float], count: int) -> list[float]:
    """As many levels, spread alike."""
    places = np.linspace(0, len(levels) - 1, count)
    resampled: list[float] = np.exp(np.interp(places, np.arange(len(levels)), np.log(levels))).tolist()
    return resampled


def tile_limits(request: RefineRequest, facts: ModelFacts, memory: int | None = None) -> TileLimits:
    """Tiles on the model's grid, of about its native area, or less where the memory holds less.

    Unless asked otherwise they overlap by a sixth of the side, at most 48 pixels (SDXL's grid makes that 32):
    anchored noise makes neighbours agree, so that more costs more than it mends (docs/performance.md).
    """
    grid = facts.grid
    side = request.tile_size or _side_in(memory, facts)
    side = max(grid, side // grid * grid)
    overlap = request.overlap or min(WIDEST_OVERLAP, side // 6)
    overlap = max(grid, min(overlap, side // 2 - grid) // grid * grid)
    # Tiles may be longer in one direction, as long as none has a larger area than this.
    area = side * side
    if not request.tile_size and _fits(area * MORE_AREA, facts, memory):
        area = int(area * MORE_AREA)
    longest = side * 3 // 2 // grid * grid
    return TileLimits(grid, overlap, longest, area, 2.0)


def _side_in(memory: int | None, facts: ModelFacts) -> int:
    """The model's native tile, halved until one fits into the memory."""
    side = facts.tile
    while side > 256 and not _fits(side * side, facts, memory):
        side //= 2
    return side


def _fits(pixels: float, facts: ModelFacts, memory: int | None) -> bool:
    return memory is None or pixels / 1e6 * facts.tile_bytes <= memory * MEMORY_SHARE
