"""The plan of a whole job: all that is known before a model is loaded. No torch here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any

from scumble_core.errors import PictureError
from scumble_core.models.additions import controlnet_of
from scumble_core.models.facts import ModelFacts
from scumble_core.models.library import NONE, base_facts, refiner_for, upscaler_facts, upscaler_for, upscalers_of
from scumble_core.models.upscalers.facts import UpscalerFacts
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.described import described
from scumble_core.plan.passes import RefinePass, plan_pass
from scumble_core.plan.seen import Seen
from scumble_core.plan.upscaling import (
    ASSUMED_SCALE,
    UpscaleStep,
    check_upscalers,
    plan_restoring,
    plan_upscaling,
)
from scumble_core.request import RefineRequest

LARGEST_SIDE = 32_768
ASSUMED_UPSCALER_SCALE = ASSUMED_SCALE
# How far around what the tile pass sees the source is enlarged: resizing looks beyond the edges, reducing to a tenth by
# 30 pixels.
CONTEXT = 64
# How far around what is wanted the tile pass reaches, so that the colour lock (96 pixels) and the evening of blends (6)
# see the same there as in a full run.
LOCK_CONTEXT = 104
# What a ControlNet takes of its UNet's time: it is a copy of the half that goes down.
CONTROL_SECONDS = 0.4
FactsOf = Callable[[str], UpscalerFacts | None]
# A small picture is refined at a scale larger than asked by no more than this.
MOST_EXTRA_SCALE = 8.0


@dataclass(frozen=True)
class Plan:
    """What will run. Boxes are in pixels of the picture they belong to.

    `scale`: from the source to `output`, the size refined at; `region`: the part of the output that is wanted; `final`:
    the size of the whole at the results' own scale (the source's where the request says keep_size), `result`: the part
    of it that is wanted.
    """

    request: RefineRequest
    source: Extent
    selection: Bounds | None
    scale: float
    output: Extent
    region: Bounds
    final: Extent
    result: Bounds
    upscaler: str
    restoring: UpscaleStep | None
    enlarging: tuple[UpscaleStep, ...]
    first_pass: RefinePass | None
    tile_pass: RefinePass | None
    refiner: str
    facts: ModelFacts

    @property
    def model_calls(self) -> int:
        """Calls of the latent model, those for the negative prompt included."""
        return sum(run.model_calls for run in self._passes)

    @property
    def megapixels(self) -> float:
        """What the latent model works on in all."""
        return sum(run.megapixels for run in self._passes)

    @property
    def seconds(self) -> float:
        """A rough estimate for a slow machine, known to be one: a running job measures its own pace."""
        restoring = 0.0 if self.restoring is None else self.restoring.seconds
        return restoring + self.upscale_seconds + sum(self.pass_seconds(run) for run in self._passes)

    @property
    def upscaler_scale(self) -> int:
        """How much all upscalers together enlarge, before the picture is brought to its exact size."""
        return prod(step.scale for step in self.enlarging)

    @property
    def upscale_boxes(self) -> tuple[Bounds, ...]:
        """The tiles of all upscalers, each in the pixels of what it is given."""
        return tuple(box for step in self.enlarging for box in step.boxes)

    @property
    def upscale_seconds(self) -> float:
        return sum(step.seconds for step in self.enlarging)

    def pass_seconds(self, run: RefinePass) -> float:
        """One pass's share of `seconds`. The autoencoder counts as one call, a ControlNet as a share of each call."""
        calls = run.model_calls * (1 + CONTROL_SECONDS * self._steered(run)) + len(run.refined)
        return calls * run.grid.tile.area / 1e6 * self.facts.seconds_per_megapixel

    def _steered(self, run: RefinePass) -> float:
        """The share of a walk's steps that a ControlNet steers: those of the base alone, and not beyond its end."""
        if not controlnet_of(self.request) or (self.request.start == "empty" and run is self.first_pass):
            return 0.0
        sigmas = run.walk.sigmas[:-1]
        least = self.facts.handover if self.refiner != NONE else 0.0
        return min(self.request.controlnet_end, sum(sigma >= least for sigma in sigmas) / len(sigmas))

    @property
    def disk_bytes(self) -> int:
        """Room for the working files, as float32, for both results, and for all finished tiles: the upscaler's of 16
        bits, the others as float32.
        """
        steps = (*(() if self.restoring is None else (self.restoring,)), *self.enlarging)
        tiles = self.megapixels * 1e6 * 3 * 4 + sum(step.disk_bytes for step in steps)
        return int((self.source.area * 4 + self.output.area * 8 + self.result.extent.area * 8) * 4 + tiles)

    @property
    def largest_tile(self) -> Extent:
        """Of all passes of the latent model; of no size where there is none."""
        return max((run.grid.tile for run in self._passes), key=lambda tile: tile.area, default=Extent(0, 0))

    @property
    def _passes(self) -> tuple[RefinePass, ...]:
        return tuple(run for run in (self.first_pass, self.tile_pass) if run is not None)

    def to_dict(self) -> dict[str, Any]:
        """For `scumble plan --json` and the results' metadata."""
        shown = described(self)
        if self.restoring is not None:
            shown["models"]["restore"] = self.restoring.model
        return shown

    def stages(self) -> dict[str, dict[str, object]]:
        """Per stage, its tiles and settings."""
        stages = {
            name: run.to_dict()
            for name, run in (("first_pass", self.first_pass), ("tiles", self.tile_pass))
            if run is not None
        }
        if self.restoring is not None:
            stages["restore"] = self.restoring.to_dict()
        stages["upscale"] = {"tiles": max(1, len(self.upscale_boxes)), "factor": self.upscaler_scale}
        if len(self.enlarging) == 1:
            stages["upscale"] = self.enlarging[0].to_dict()
        elif self.enlarging:
            stages["upscale"]["chain"] = [step.to_dict() for step in self.enlarging]
        return stages


def plan_job(
    request: RefineRequest,
    source: Extent,
    selection: Bounds | None = None,
    memory: int | None = None,
    facts_of: FactsOf = upscaler_facts,
) -> Plan:
    """Plan the job; `selection` bounds what is selected, in source pixels; `memory` is the device's, in bytes.

    `facts_of`: of an upscaler; who has it loaded knows more than an index.
    """
    facts = base_facts(request.base)
    scale = _working_scale(request, source, facts)
    output = source.scaled(scale)
    check_output(output)
    wanted = Bounds.of(source) if selection is None else selection
    final_scale = 1.0 if request.keep_size else request.scale
    final = source.scaled(final_scale)
    region = wanted.scaled(scale).intersect(Bounds.of(output))
    upscaler = upscaler_for(request, scale)
    upscalers = [(model, known) for model in upscalers_of(upscaler) if (known := facts_of(model)) is not None]
    check_upscalers(upscaler, upscalers)
    tiles = plan_pass(request, output, region.pad(LOCK_CONTEXT), facts, request.strength, memory)
    seen = wanted if tiles is None else _source_of(tiles.context, scale)
    enlarging = plan_upscaling(upscalers, source, seen.pad(CONTEXT), memory)
    seen = reduce(Bounds.union, enlarging[0].boxes if enlarging else (), seen.pad(CONTEXT))
    generates = request.start == "empty"
    first = None
    if request.first_pass or generates:
        first = plan_pass(
            request, source, seen.pad(LOCK_CONTEXT), facts, request.first_pass_strength, memory, generates
        )
    if first is not None:
        seen = reduce(Bounds.union, first.context, seen.pad(LOCK_CONTEXT))
    restorer = None if request.restore == NONE or generates else facts_of(request.restore)
    return Plan(
        request=request,
        source=source,
        selection=selection,
        scale=scale,
        output=output,
        region=region,
        final=final,
        result=wanted.scaled(final_scale).intersect(Bounds.of(final)),
        upscaler=upscaler,
        restoring=None if restorer is None else plan_restoring(request.restore, restorer, source, seen, memory),
        enlarging=enlarging,
        first_pass=first,
        tile_pass=tiles,
        refiner=refiner_for(request),
        facts=facts,
    )


def check_output(output: Extent) -> None:
    """Refuse a result that is larger than any way of running a job can make."""
    if max(output.width, output.height) > LARGEST_SIDE:
        raise PictureError(
            f"The result would be {output.width} x {output.height} pixels, but a side may have at most {LARGEST_SIDE}: "
            "choose a smaller scale or a part of the picture."
        )


def informed(plan: Plan, seen: Seen) -> Plan:
    """The plan, now that the pixels are known: what is flat is left alone, and each prompt counted where it serves."""
    if plan.request.start == "empty":
        return plan
    return replace(
        plan,
        first_pass=_informed(plan.first_pass, plan, seen, 1.0),
        tile_pass=_informed(plan.tile_pass, plan, seen, plan.scale),
    )


def _informed(run: RefinePass | None, plan: Plan, seen: Seen, scale: float) -> RefinePass | None:
    if run is None:
        return None
    # Of merged neighbours too: whether they are left alone must not depend on what is selected.
    places = [_place(box, scale) for box in run.context]
    still = (box for box, place in zip(run.context, places, strict=True)
             if seen.is_still(place, plan.request.skip_flat))  # fmt: skip
    return replace(
        run,
        untouched=frozenset(still),
        prompts=tuple(seen.prompts(place) for place in places),
        complexity=tuple(seen.survey.complexity(place) for place in places),
    )


def _place(box: Bounds, scale: float) -> Bounds:
    """Where a box of a pass lies in the source, and a little more: what is beside it bleeds into it when enlarged."""
    return box.scaled(1 / scale).pad(4)


def _source_of(boxes: tuple[Bounds, ...], scale: float) -> Bounds:
    """What of the source these boxes of the output show, in one box."""
    return reduce(Bounds.union, boxes).scaled(1 / scale)


def _working_scale(request: RefineRequest, source: Extent, facts: ModelFacts) -> float:
    """The scale asked for, or more for a picture that would be too small for the model."""
    if request.strength == 0:
        return request.scale
    least = (request.smallest_side or facts.smallest_side) / min(source.width, source.height)
    return max(request.scale, min(least, request.scale * MOST_EXTRA_SCALE))
