"""The memory plan of a planned job. No torch here."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from scumble_core.models.additions import Additions, controlnet_of
from scumble_core.models.facts import ModelFacts
from scumble_core.models.memory.facts import DeviceFacts, TileNeeds
from scumble_core.models.memory.known import known_device
from scumble_core.models.memory.learnt import Learnt, Lessons
from scumble_core.models.memory.needs import all_needs_of, needs_of
from scumble_core.models.memory.plan import MemoryPlan, in_precision, plan_memory
from scumble_core.models.memory.wishes import Wishes, read_wishes
from scumble_core.picture.geometry import Extent
from scumble_core.request import RefineRequest


class Tiled(Protocol):
    """What is needed of either kind of plan."""

    @property
    def request(self) -> RefineRequest: ...

    @property
    def refiner(self) -> str: ...

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def largest_tile(self) -> Extent:
        """Of all that the latent model works on; of no size where it does nothing."""


def known_memory(
    plan: Tiled, data: Path, environ: Mapping[str, str], total: int | None = None, loaded: Collection[str] = ()
) -> MemoryPlan:
    """How the job would run on the device that a worker last saw. `total`: its memory, where that is known better;
    `loaded`: the models that the worker holds.
    """
    device = known_device(data)
    device = device if total is None else replace(device, total=total)
    wishes, lessons = read_wishes(data, environ), Lessons(data, device.name, device.free)
    if wishes.precision:
        device = replace(device, precision=wishes.precision)
    return memory_of(plan, device, wishes, lessons.of(plan.request.base), loaded)


def memory_of(
    plan: Tiled, device: DeviceFacts, wishes: Wishes, learnt: Learnt, loaded: Collection[str] = ()
) -> MemoryPlan:
    """How the job runs on this device. It always gives a plan; `problem` says where none can do.

    `loaded`: models that are in memory already: they serve, or make room.
    """
    tile = plan.largest_tile
    works = tile.area > 0
    added = Additions.of(plan.request).ids  # they are read beside the base that they become part of
    models = all_needs_of((plan.request.base, plan.refiner, *added))
    if device.host is not None:
        held = (in_precision(each, wishes.precision or device.precision).weights for each in all_needs_of(loaded))
        device = replace(device, host=device.host + sum(held))
    return plan_memory(
        device,
        models if works else [],
        TileNeeds(max(tile.width, tile.height), int(tile.area / 1e6 * plan.facts.tile_bytes)),
        max(1, plan.request.batch),
        wishes,
        learnt,
        needs_of(controlnet_of(plan.request)) if works else None,
    )
