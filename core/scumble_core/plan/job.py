"""The plan of a whole job: all that is known before a model is loaded. No torch here."""

from dataclasses import dataclass
from typing import Any

from scumble_core.errors import PictureError
from scumble_core.models.facts import ModelFacts
from scumble_core.models.library import base_facts, refiner_for, upscaler_facts, upscaler_for
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.request import RefineRequest
from scumble_core.sampling.names import TWO_CALLS

# A picture smaller than this is mirrored outward to it: models are lost on a handful of latents.
SMALLEST_SIDE = 64
LARGEST_SIDE = 32_768
ASSUMED_UPSCALER_SCALE = 4
# How far around what is wanted the source is first refined and enlarged, so that later stages see true pixels there.
CONTEXT = 64


@dataclass(frozen=True)
class RefinePass:
    """One tiled walk of the latent model over a picture: its grid, the boxes that are needed, and its start."""

    grid: TileGrid
    boxes: tuple[Bounds, ...]
    strength: float
    steps: int
    guidance: float
    sampler: str

    @property
    def megapixels(self) -> float:
        return sum(box.extent.area for box in self.boxes) / 1e6


@dataclass(frozen=True)
class Plan:
    """What will run. Boxes are in pixels of the picture they belong to; `output` is the size refined at.

    `region`: the part of the output that is wanted; `result`: the same in pixels of the results (the source's size
    where the request says keep_size).
    """

    request: RefineRequest
    source: Extent
    selection: Bounds | None
    output: Extent
    region: Bounds
    result: Bounds
    upscaler: str
    upscaler_scale: int
    upscale_grid: TileGrid | None
    upscale_boxes: tuple[Bounds, ...]
    first_pass: RefinePass | None
    tile_pass: RefinePass | None
    refiner: str
    facts: ModelFacts
    upscale_seconds_per_megapixel: float

    @property
    def model_calls(self) -> int:
        """Calls of the latent model, those for the negative prompt included."""
        return sum(len(run.boxes) * run.steps * self._calls_per_step(run) for run in self._passes)

    @property
    def seconds(self) -> float:
        """A rough estimate for a slow machine, known to be one: a running job measures its own pace."""
        return self.upscale_seconds + sum(self.pass_seconds(run) for run in self._passes)

    @property
    def upscale_seconds(self) -> float:
        return sum(box.extent.area for box in self.upscale_boxes) / 1e6 * self.upscale_seconds_per_megapixel

    def pass_seconds(self, run: RefinePass) -> float:
        """One pass's share of `seconds`. The autoencoder counts as one call."""
        calls = run.steps * self._calls_per_step(run) + 1
        return run.megapixels * calls * self.facts.seconds_per_megapixel

    @property
    def disk_bytes(self) -> int:
        """Room for the working files and both results, as float32 at worst."""
        enlarged = Extent(self.source.width * self.upscaler_scale, self.source.height * self.upscaler_scale)
        tiles = sum(run.megapixels for run in self._passes) * 1e6 * 3 * 4
        return int((enlarged.area * 4 + self.output.area * 8 + self.result.extent.area * 8) * 4 + tiles)

    @property
    def _passes(self) -> tuple[RefinePass, ...]:
        return tuple(run for run in (self.first_pass, self.tile_pass) if run is not None)

    def _calls_per_step(self, run: RefinePass) -> int:
        """Two for a negative prompt; twice as many for samplers that look ahead in every step."""
        guided = 2 if self.facts.uses_prompt and run.guidance > 1 else 1
        return guided * (2 if run.sampler in TWO_CALLS else 1)

    def to_dict(self) -> dict[str, Any]:
        """For `scumble plan --json` and the results' metadata."""
        return {
            "source": [self.source.width, self.source.height],
            "output": [self.output.width, self.output.height],
            "result": [self.result.x, self.result.y, self.result.width, self.result.height],
            "models": {"base": self.request.base, "refiner": self.refiner, "upscaler": self.upscaler},
            "stages": self.stages(),
            "model_calls": self.model_calls,
            "disk_bytes": self.disk_bytes,
            "seconds_estimate": round(self.seconds, 1),
        }

    def stages(self) -> dict[str, Any]:
        """Per stage, its tiles and settings."""
        stages: dict[str, Any] = {}
        for name, run in (("first_pass", self.first_pass), ("tiles", self.tile_pass)):
            if run is not None:
                tile = run.grid.tile
                stages[name] = {
                    "tiles": len(run.boxes),
                    "tile": [tile.width, tile.height],
                    "strength": run.strength,
                    "steps": run.steps,
                    "guidance": run.guidance,
                    "sampler": run.sampler,
                    "megapixels": round(run.megapixels, 3),
                }
        stages["upscale"] = {"tiles": max(1, len(self.upscale_boxes)), "factor": self.upscaler_scale}
        return stages


def plan_job(
    request: RefineRequest, source: Extent, selection: Bounds | None = None, tile_size: int | None = None
) -> Plan:
    """Plan the job; `selection` bounds what is selected, in source pixels; `tile_size` overrules the request's."""
    output = source.scaled(request.scale)
    if max(output.width, output.height) > LARGEST_SIDE:
        raise PictureError(
            f"The result would be {output.width} x {output.height} pixels, but a side may have at most {LARGEST_SIDE}: "
            "choose a smaller scale or a part of the picture."
        )
    facts = base_facts(request.base)
    refiner = refiner_for(request)
    wanted = Bounds.of(source) if selection is None else selection
    region = Bounds.of(output) if selection is None else wanted.scaled(request.scale).intersect(Bounds.of(output))
    upscaler = upscaler_for(request)
    known = upscaler_facts(upscaler)
    scale = 1 if known is None else known.scale or ASSUMED_UPSCALER_SCALE
    grid = None
    if known is not None:
        grid = plan_tiles(source, TileLimits(4, known.overlap, known.tile, known.tile**2, 4.0))
    return Plan(
        request=request,
        source=source,
        selection=selection,
        output=output,
        region=region,
        result=wanted if request.keep_size else region,
        upscaler=upscaler,
        upscaler_scale=scale,
        upscale_grid=grid,
        upscale_boxes=() if grid is None else _touching(grid, wanted.pad(CONTEXT)),
        first_pass=_first_pass(request, source, wanted, facts, tile_size),
        tile_pass=_pass(request, output, region, facts, request.strength, tile_size),
        refiner=refiner,
        facts=facts,
        upscale_seconds_per_megapixel=0.0 if known is None else known.seconds_per_megapixel,
    )


def _first_pass(
    request: RefineRequest, source: Extent, wanted: Bounds, facts: ModelFacts, tile_size: int | None
) -> RefinePass | None:
    if not request.first_pass:
        return None
    return _pass(request, source, wanted.pad(CONTEXT), facts, request.first_pass_strength, tile_size)


def _pass(
    request: RefineRequest, extent: Extent, region: Bounds, facts: ModelFacts, strength: float, tile_size: int | None
) -> RefinePass | None:
    if strength == 0:
        return None
    grid = plan_tiles(_at_least(extent, SMALLEST_SIDE), tile_limits(request, facts, tile_size))
    return RefinePass(
        grid=grid,
        boxes=_touching(grid, region),
        strength=strength,
        steps=request.steps or facts.steps,
        guidance=(request.guidance or facts.guidance) if facts.uses_prompt else 1.0,
        sampler=request.sampler or facts.sampler,
    )


def tile_limits(request: RefineRequest, facts: ModelFacts, tile_size: int | None = None) -> TileLimits:
    """Tiles on the model's grid. Unless asked otherwise they overlap by a sixth of the side, at most 128 pixels."""
    grid = facts.grid
    side = max(grid, (tile_size or request.tile_size or facts.tile) // grid * grid)
    overlap = request.overlap or min(128, side // 6)
    overlap = max(grid, min(overlap, side // 2 - grid) // grid * grid)
    # Tiles may be longer in one direction, as long as none has a larger area than the square.
    longest = side * 3 // 2 // grid * grid
    return TileLimits(grid, overlap, longest, side * side, 2.0)


def _touching(grid: TileGrid, region: Bounds) -> tuple[Bounds, ...]:
    return tuple(box for box in grid.boxes() if not box.intersect(region).is_empty)


def _at_least(extent: Extent, side: int) -> Extent:
    return Extent(max(extent.width, side), max(extent.height, side))
