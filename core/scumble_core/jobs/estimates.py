"""What a job would do and take, before it is sent: from sizes alone, in moments. No torch here."""

import contextlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scumble_bridge.fields import PictureHeader
from scumble_bridge.messages import Estimate
from scumble_bridge.places import data_folder
from scumble_core.errors import PictureError, ScumbleError
from scumble_core.jobs.admission import check_model_files, check_source_header
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.presets import SCUMBLE
from scumble_core.request import RefineRequest

if TYPE_CHECKING:
    from scumble_core.mikey.plan import ReferencePlan
    from scumble_core.plan.job import Plan

MOST_BOXES = 1000
# Beyond so many a plan takes seconds, and nobody would wait for the job.
MOST_TILES = 10_000
MOST_PIXELS = 4 * 10**9
# What fits into a message's header beside the rest.
MOST_BYTES = 56 * 1024
_SAMPLERS_ARRAYS = 6


@dataclass(frozen=True)
class Machine:
    """`memory`: the device's, in bytes, None while it isn't known. `pace`: see pace.py; `loaded`: ids of models."""

    memory: int | None = None
    pace: float | None = None
    loaded: tuple[str, ...] = ()


def estimated(asked: Estimate, machine: Machine) -> dict[str, Any]:
    """The plan as a message may carry it (docs/protocol.md has the fields). Raises ScumbleError."""
    request, source = RefineRequest.from_dict(asked.request), _extent(asked.source)
    wanted = _selected(asked.selection, source, request.grow)
    check_model_files(request)
    # Named schedules are computed with torch. They say where between the same ends the steps lie, and not how many.
    request = replace(request, schedule="") if request.preset == SCUMBLE else request
    shown = _refinement(request, source, wanted, machine) if request.preset == SCUMBLE else (
        _reference(request, source, wanted, machine))  # fmt: skip
    shown["memory_bytes"] = sum(shown["memory"].values())
    if machine.pace is not None:
        shown["seconds_estimate"] = round(shown["seconds_estimate"] * machine.pace, 1)
    shown["measured"] = machine.pace is not None
    return _fitting(shown)


def warm_up() -> None:
    """Make an estimate that nobody asked for: what it loads would keep the first who asks waiting."""
    with contextlib.suppress(ScumbleError):  # who asks is told
        estimated(Estimate(0, RefineRequest().to_dict(), PictureHeader(256, 256, "u8", "rgba")), Machine())


def _refinement(request: RefineRequest, source: Extent, wanted: Bounds | None, machine: Machine) -> dict[str, Any]:
    from scumble_core.models.additions import Additions, controlnet_of
    from scumble_core.models.library import base_facts
    from scumble_core.plan.job import plan_job

    facts = base_facts(request.base)
    _check_size(request, source, facts, machine.memory)
    plan = plan_job(request, source, wanted, machine.memory)
    passes = [each for each in (plan.first_pass, plan.tile_pass) if each is not None]
    working = max((each.grid.tile.area / 1e6 * facts.tile_bytes * each.batch for each in passes), default=0.0)
    if any(each.merged for each in passes):
        from scumble_core.plan.blocks import MOST_VALUES

        latent = max(source.area, plan.output.area) * facts.channels // facts.factor**2
        working += _SAMPLERS_ARRAYS * 4 * min(latent, MOST_VALUES)
    networks = [step.model for step in (plan.restoring, *plan.enlarging) if step is not None]
    networks += [*Additions.of(request).ids, controlnet_of(request)]
    return {
        **plan.to_dict(),
        "memory_plan": _memory_plan(plan, machine),
        **_grid(plan.output, () if plan.tile_pass is None else plan.tile_pass.boxes),
        "memory": {"working": int(working), "weights": weights_of(request.base, plan.refiner, *networks)},
    }


def _reference(request: RefineRequest, source: Extent, wanted: Bounds | None, machine: Machine) -> dict[str, Any]:
    from scumble_core.mikey.plan import TILE, plan_reference
    from scumble_core.models.additions import Additions

    _check_count(source.scaled(request.scale).area, (request.tile_size or TILE) * 3 // 4)
    plan = plan_reference(request, source, wanted)
    largest = max(plan.boxes[0].extent.area, plan.taken.extent.area if plan.phases else 0)
    working = int(largest / 1e6 * plan.facts.tile_bytes)
    return {
        **plan.to_dict(),
        "memory_plan": _memory_plan(plan, machine),
        **_grid(plan.output, plan.boxes),
        "memory": {
            "working": working,
            "weights": weights_of(request.base, plan.refiner, plan.upscaler, *Additions.of(request).ids),
        },
    }


def _grid(output: Extent, boxes: tuple[Bounds, ...]) -> dict[str, Any]:
    """The tiles of the tile pass in output pixels; as a list of boxes where they are no grid."""
    columns, rows = sorted({box.x for box in boxes}), sorted({box.y for box in boxes})
    sizes = {box.extent for box in boxes}
    extent = [output.width, output.height]
    if len(sizes) <= 1 and len(columns) * len(rows) == len(boxes):
        tile = next(iter(sizes), Extent(0, 0))
        grid = {"extent": extent, "columns": columns, "rows": rows, "tile": [tile.width, tile.height]}
        return {"tiles": len(boxes), "grid": grid}
    listed = [[box.x, box.y, box.width, box.height] for box in boxes[:MOST_BOXES]]
    return {"tiles": len(boxes), "grid": {"extent": extent, "columns": [], "rows": [], "tile": [0, 0]}, "boxes": listed}


def weights_of(*models: str) -> int:
    """Bytes of these models as they lie on the disk, with what others lend them: about what they take in memory."""
    from scumble_core.models.library import NONE, STARTER_BASE, STARTER_REFINER, STARTER_UPSCALERS
    from scumble_core.models.memory.needs import all_needs_of

    names = set(models) - {"", NONE}
    starters = names & {STARTER_BASE, STARTER_REFINER, *STARTER_UPSCALERS}
    files = (path for model in starters for path in _files_of(model))
    return sum(path.stat().st_size for path in files) + sum(needs.weights for needs in all_needs_of(names - starters))


def _files_of(starter: str) -> Iterator[Path]:
    from scumble_core.models.library import STARTER_BASE, STARTER_UPSCALERS
    from scumble_core.models.starter.places import AUTOENCODER, unet_folder, upscaler_path

    if starter in STARTER_UPSCALERS:
        yield upscaler_path(STARTER_UPSCALERS[starter])
        return
    yield from unet_folder("base" if starter == STARTER_BASE else "refiner").glob("*.safetensors")
    if starter == STARTER_BASE:
        yield AUTOENCODER


def _memory_plan(plan: "Plan | ReferencePlan", machine: Machine) -> dict[str, Any]:
    """Raises ScumbleError where the worker would: before the artist waits for it."""
    from scumble_core.plan.memory import known_memory

    found = known_memory(plan, data_folder(), os.environ, machine.memory, machine.loaded)
    if found.problem:
        raise ScumbleError("out_of_memory", found.problem)
    return found.to_dict()


def _check_size(request: RefineRequest, source: Extent, facts: Any, memory: int | None) -> None:
    from scumble_core.plan.passes import tile_limits

    limits = tile_limits(request, facts, memory)
    step = max(1, math.isqrt(limits.largest_area) - limits.overlap)
    _check_count(source.scaled(request.scale).area if request.strength else 0, step)
    _check_count(source.area if request.first_pass else 0, step)
    if source.area > MOST_PIXELS:
        raise PictureError(f"The picture has {source.area:,} pixels, but no more than {MOST_PIXELS:,} can be planned.")


def _check_count(area: int, step: int) -> None:
    if area / step**2 > MOST_TILES:
        raise PictureError(
            f"The picture would be worked on in more than {MOST_TILES:,} tiles, which is too many to estimate: "
            "choose larger tiles, a smaller scale or a part of the picture."
        )


def _extent(source: PictureHeader) -> Extent:
    check_source_header(source)
    return Extent(source.width, source.height)


def _selected(box: tuple[int, ...] | None, source: Extent, grow: int) -> Bounds | None:
    if box is None:
        return None
    found = Bounds(*box).intersect(Bounds.of(source)) if min(box[2:]) > 0 else Bounds(0, 0, 0, 0)
    if found.is_empty:
        raise PictureError("No pixels are selected: select the part to refine, or refine the whole picture.")
    return found.pad(grow).intersect(Bounds.of(source))


def _fitting(shown: dict[str, Any]) -> dict[str, Any]:
    """Without what is long and of little use, until it fits into a header."""
    for stage in shown["stages"].values():
        stage.pop("complexity", None)
    for part in ("boxes", "grid", "stages", "models"):
        if len(json.dumps(shown)) <= MOST_BYTES:
            break
        shown.pop(part, None)
    return shown
