"""The plan of a job in the way of the reference node "Mikey Sampler Tiled"."""

from dataclasses import dataclass
from typing import Any, cast

from scumble_core.errors import PictureError, RequestError
from scumble_core.mikey.phases import MikeyPreset, Phase, Role, Settings, first_phases, tile_phase
from scumble_core.mikey.scale import latent_crop, upscaled_size
from scumble_core.mikey.tiles import upscale_boxes, work_boxes
from scumble_core.models.facts import ModelFacts
from scumble_core.models.library import NONE, base_facts, refiner_for, upscaler_facts, upscaler_for
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.described import described
from scumble_core.plan.job import ASSUMED_UPSCALER_SCALE, check_output
from scumble_core.request import RefineRequest

TILE = 1024


@dataclass(frozen=True)
class ReferencePlan:
    """What will run. `taken`: the part of the source that is worked on, its sides multiples of 8.

    `output`: the size of both results; `final`, `result`: as in plan.job.Plan, of what was taken.
    """

    request: RefineRequest
    preset: MikeyPreset
    settings: Settings
    source: Extent
    taken: Bounds
    phases: tuple[Phase, ...]
    upscaler: str
    upscaler_scale: int
    upscale_boxes: tuple[Bounds, ...]
    output: Extent
    tile: Phase
    boxes: tuple[Bounds, ...]
    final: Extent
    result: Bounds
    refiner: str
    facts: ModelFacts
    upscale_seconds_per_megapixel: float

    @property
    def model_calls(self) -> int:
        """At most: tiles of low complexity take fewer."""
        return self.first_calls + sum(_calls(self.tile) for _ in self.boxes)

    @property
    def first_calls(self) -> int:
        return sum(_calls(phase) for phase in self.phases)

    @property
    def megapixels(self) -> float:
        return sum(box.extent.area for box in self.boxes) / 1e6

    @property
    def first_seconds(self) -> float:
        return (self.first_calls + 1) * self.taken.extent.area / 1e6 * self.facts.seconds_per_megapixel

    @property
    def upscale_seconds(self) -> float:
        return sum(box.extent.area for box in self.upscale_boxes) / 1e6 * self.upscale_seconds_per_megapixel

    @property
    def tile_seconds(self) -> float:
        return self.megapixels * (_calls(self.tile) + 1) * self.facts.seconds_per_megapixel

    @property
    def seconds(self) -> float:
        """A rough estimate for a slow machine."""
        return self.first_seconds + self.upscale_seconds + self.tile_seconds

    @property
    def disk_bytes(self) -> int:
        enlarged = self.taken.extent.area * self.upscaler_scale**2
        tiles = sum(box.extent.area for box in self.upscale_boxes) * self.upscaler_scale**2
        return int((enlarged + tiles + self.output.area * 4) * 12 + self.megapixels * 12e6)

    @property
    def largest_tile(self) -> Extent:
        """What the latent model works on at once; the phases see the whole picture."""
        seen = [self.boxes[0].extent, *([self.taken.extent] if self.phases else [])]
        return max(seen, key=lambda tile: tile.area)

    def to_dict(self) -> dict[str, Any]:
        """For `scumble plan --json` and the results' metadata."""
        return described(self)

    def stages(self) -> dict[str, dict[str, object]]:
        """Per stage, its tiles and settings."""
        first = {
            f"phase_{number}": {"tiles": 1, **_shown(phase)} for number, phase in enumerate(self.phases, start=1)
        }  # fmt: skip
        tile = self.boxes[0].extent
        return {
            **first,
            "upscale": {"tiles": max(1, len(self.upscale_boxes)), "factor": self.upscaler_scale},
            "tiles": {
                "tiles": len(self.boxes), "tile": [tile.width, tile.height], **_shown(self.tile),
                "strength": self.request.strength, "complexity": self.request.complexity,
                "megapixels": round(self.megapixels, 3),
            },
        }  # fmt: skip


def plan_reference(request: RefineRequest, source: Extent, selection: Bounds | None = None) -> ReferencePlan:
    """Plan the job; `selection` bounds what is selected, in source pixels."""
    preset = cast(MikeyPreset, request.preset)
    settings = settings_of(request)
    taken = latent_crop(source)
    if taken.is_empty:
        raise PictureError(
            f"The picture is {source.width} x {source.height}, but the preset {preset} works in steps of 8 pixels: "
            "take a larger picture, or the preset scumble."
        )
    phases, tile = first_phases(preset, settings), tile_phase(preset, settings)
    refiner = refiner_for(request)
    if refiner == NONE and any(phase.role == "refiner" for phase in (*phases, tile)):
        raise RequestError(f"refiner is {request.refiner!r}, but the preset {preset} needs one for {request.base}: "
                           "choose one, or a preset whose name ends in base-only.")  # fmt: skip
    output = upscaled_size(taken.extent, request.scale)
    check_output(output)
    # The node always enlarges with a model, then samples what it needs of that.
    upscaler = upscaler_for(request, max(request.scale, 2.0))
    known = upscaler_facts(upscaler)
    wanted = (Bounds.of(source) if selection is None else selection).intersect(taken)
    wanted = (taken if wanted.is_empty else wanted).translate(-taken.x, -taken.y)
    final = taken.extent if request.keep_size else output
    return ReferencePlan(
        request=request,
        preset=preset,
        settings=settings,
        source=source,
        taken=taken,
        phases=phases,
        upscaler=upscaler,
        upscaler_scale=1 if known is None else known.scale or ASSUMED_UPSCALER_SCALE,
        upscale_boxes=() if known is None else upscale_boxes(taken.extent),
        output=output,
        tile=tile,
        boxes=work_boxes(output, request.tile_size or TILE),
        final=final,
        result=wanted.scaled(final.width / taken.width).intersect(Bounds.of(final)),
        refiner=refiner,
        facts=base_facts(request.base),
        upscale_seconds_per_megapixel=0.0 if known is None else known.seconds_per_megapixel,
    )


def settings_of(request: RefineRequest) -> Settings:
    """The node's own inputs."""
    return Settings(
        steps=request.steps,
        smooth_step=request.smooth_step,
        cfg=request.guidance,
        sampler=request.sampler,
        schedule=request.schedule,
        denoise_image=request.first_pass_strength,
        tiler_denoise=request.strength,
        tiler_model=cast(Role, request.tiler_model or "base"),
    )


def _calls(phase: Phase) -> int:
    """Both prompts, at every step."""
    return 2 * max(0, min(phase.last, phase.steps) - phase.first)


def _shown(phase: Phase) -> dict[str, object]:
    return {
        "model": phase.role, "sampler": phase.sampler, "schedule": phase.schedule, "steps": phase.steps,
        "first_step": phase.first, "last_step": phase.last, "guidance": phase.cfg,
    }  # fmt: skip
