"""How a job fits into its device's memory: planned before it begins, and what it learns when that was not enough."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from scumble_core.errors import ScumbleError
from scumble_core.models.device import Device
from scumble_core.models.memory.known import note_device
from scumble_core.models.memory.learnt import Learnt, Lessons
from scumble_core.models.memory.plan import MemoryPlan, Offload
from scumble_core.models.memory.wishes import Wishes, read_wishes
from scumble_core.plan.memory import Tiled, memory_of
from scumble_core.stages.guard import Relief
from scumble_core.stages.upscale import Room


class Settled(Protocol):
    """What is asked of a ModelCache."""

    @property
    def device(self) -> Device: ...

    @property
    def data(self) -> Path | None:
        """The data folder; None where nothing is kept."""

    @property
    def loaded(self) -> tuple[str, ...]:
        """The ids of what it holds already."""

    def settle(self, offload: Offload, wanted: tuple[str, ...]) -> None:
        """Make room in this way, for these models."""

    def relieve(self) -> Offload | None:
        """A step down; None where there is none left."""


class Memory:
    """Of one job. `plan` is shown to people."""

    def __init__(self, plan: MemoryPlan, models: Settled, lessons: Lessons | None, learnt: Learnt, base: str) -> None:
        self.plan = plan
        self._models = models
        self._lessons = lessons
        self._learnt = learnt
        self._base = base

    @classmethod
    def settled(cls, plan: Tiled, models: Settled) -> "Memory":
        """Plan, and make room. Raises ScumbleError where no plan can do."""
        device, data = models.device.facts, models.data
        if data is not None:
            note_device(data, device)
        lessons = None if data is None else Lessons(data, device.name, device.free)
        wishes = Wishes() if data is None else read_wishes(data, os.environ)
        learnt = Learnt() if lessons is None else lessons.of(plan.request.base)
        made = memory_of(plan, device, wishes, learnt, models.loaded)
        if made.problem:
            raise ScumbleError("out_of_memory", made.problem)
        models.settle(made.offload, (plan.request.base, plan.refiner))
        return cls(made, models, lessons, learnt, plan.request.base)

    def relief(self) -> Relief:
        """For the latent model's work."""
        return Relief(
            batch=self.plan.batch,
            vae_window=self.plan.vae_window,
            window=self._learnt.window,
            offload=self._models.relieve,
            told=self._told(self._base),
        )

    def room(self, upscaler: str) -> Room:
        """For an upscaler's tiles."""
        told = self._told(upscaler)
        pixels = self._lessons.of(upscaler).pixels if self._lessons is not None else 0
        return Room(pixels or None, lambda count: told(pixels=count))

    def _told(self, model: str) -> Callable[..., None]:
        def told(**step: object) -> None:
            if self._lessons is not None:
                self._lessons.note(model, **step)

        return told
