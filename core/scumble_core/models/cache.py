"""Loaded models, kept for the next job. Torch is imported only to load one."""

import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scumble_bridge.places import data_folder
from scumble_core.errors import ScumbleError
from scumble_core.models.additions import NOTHING, Additions
from scumble_core.models.checks import check_upscaler
from scumble_core.models.library import (
    NONE,
    STARTER_BASE,
    STARTER_REFINER,
    STARTER_UPSCALERS,
    embeddings_of,
    found_of,
    identity_of,
    path_for,
    sketcher_path,
    upscaler_facts,
    whole_of,
)
from scumble_core.models.memory.installed import available_memory
from scumble_core.models.memory.wishes import Offload, read_wishes
from scumble_core.models.starter.places import upscaler_path
from scumble_core.models.upscalers.facts import UpscalerFacts

if TYPE_CHECKING:
    from scumble_core.models.controlnet import ControlNet
    from scumble_core.models.device import Device
    from scumble_core.models.interface import LatentModel
    from scumble_core.models.memory.room import DeviceRoom
    from scumble_core.models.previews import Sketcher
    from scumble_core.models.upscalers.network import Upscaler

_log = logging.getLogger("scumble.models")


class ModelCache:
    """Loaded models by id; asking again is free. One device, one thread."""

    def __init__(self, device: "Device | None" = None) -> None:
        self._given = device
        self._device: Device | None = None
        self._room: DeviceRoom | None = None
        self._latent: dict[str, LatentModel] = {}
        self._added: dict[str, str] = {}
        self._upscalers: dict[str, Upscaler] = {}
        self._controlnets: dict[str, ControlNet] = {}
        self._sketchers: dict[str, Sketcher | None] = {}

    @property
    def device(self) -> "Device":
        if self._device is None:
            from scumble_core.models.device import best_device, wished

            device = self._given or best_device()
            wishes = read_wishes(data_folder(), os.environ)
            self._device = wished(device, wishes.precision, wishes.compile == "blocks")
        return self._device

    @property
    def data(self) -> Path | None:
        """Where settings and lessons lie."""
        return data_folder()

    @property
    def room(self) -> "DeviceRoom | None":
        """What all models share on a card; None where models lie in the computer's own memory."""
        if self._room is None and self.device.storage != self.device.name:
            from scumble_core.models.memory.room import DeviceRoom

            self._room = DeviceRoom(self.device.name, self.device.storage)
        return self._room

    def settle(self, offload: Offload, wanted: tuple[str, ...]) -> None:
        """Make room for a job: others than the wanted models are let go when the computer can't hold all of them."""
        from scumble_core.models.memory.needs import needs_of

        new = [needs for model in wanted if model not in self._latent and (needs := needs_of(model)) is not None]
        free = available_memory()
        if free is not None and sum(needs.weights for needs in new) > free:
            for model in [each for each in self._latent if each not in wanted]:
                self._forget(self._latent.pop(model))
        if self.room is not None:
            self.room.settle(offload)

    def relieve(self) -> Offload | None:
        """Leave less on the card; None where nothing more can leave it."""
        room = self.room
        return room.offload if room is not None and room.relieve() else None

    def _take(self, model: object) -> None:
        if self.room is not None:
            self.room.take(getattr(model, "modules", ()))

    def _forget(self, model: object) -> None:
        if self.room is not None:
            self.room.forget(getattr(model, "modules", ()))

    @property
    def loaded(self) -> tuple[str, ...]:
        """The ids of all models in memory."""
        return (*self._latent, *self._upscalers)

    def latent_model(self, base: str, refiner: str = NONE, additions: Additions = NOTHING) -> "LatentModel":
        """Base and refiner as one model, or the base alone; with what is added to the base."""
        from scumble_core.models.handover import Handover

        model = self._load(base, additions)
        return model if refiner == NONE else Handover(model, self._load(refiner))

    def controlnet(self, controlnet: str, base: str) -> "ControlNet":
        """The ControlNet of this id, for a base model that is loaded. One is kept."""
        key = f"{controlnet} for {base}"
        if key not in self._controlnets:
            from scumble_core.models.controlnet import load_controlnet
            from scumble_core.models.pipeline_model import PipelineModel

            model = self._latent[base]
            assert isinstance(model, PipelineModel)  # or planning had refused it
            unet = model.pipe.unet
            for other in self._controlnets.values():
                self._forget(other)
            self._controlnets = {key: load_controlnet(path_for(controlnet), unet)}
            self._take(self._controlnets[key])
        return self._controlnets[key]

    def sketcher(self, family: str) -> "Sketcher | None":
        """What shows this family's latents while they are walked, where there is such a model."""
        if family not in self._sketchers:
            self._sketchers[family] = self._load_sketcher(family)
        return self._sketchers[family]

    def _load_sketcher(self, family: str) -> "Sketcher | None":
        path = sketcher_path(family)
        if path is None:
            return None
        from scumble_core.models.previews import load_sketcher

        try:
            sketcher = load_sketcher(path, self.device.name, self.device.storage)
        except ScumbleError as error:
            _log.warning("%s", error)  # a picture can be made without
            return None
        self._take(sketcher)
        return sketcher

    def upscaler(self, upscaler: str) -> "Upscaler":
        """The upscaler of this id (not "none" or "auto")."""
        if upscaler not in self._upscalers:
            from scumble_core.models.upscalers.network import Upscaler

            starter = STARTER_UPSCALERS.get(upscaler)
            path = upscaler_path(starter) if starter else path_for(upscaler)
            self._upscalers[upscaler] = Upscaler(path, self.device)
            self._take(self._upscalers[upscaler])
        return self._upscalers[upscaler]

    def upscaler_facts(self, upscaler: str) -> UpscalerFacts | None:
        """As `upscaler_facts`, but from the network itself: what an index doesn't know yet can't change tiles."""
        if upscaler == NONE or upscaler in STARTER_UPSCALERS:
            return upscaler_facts(upscaler)
        check_upscaler(found_of(upscaler))
        return self.upscaler(upscaler).facts

    def _load(self, model: str, additions: Additions = NOTHING) -> "LatentModel":
        added = str((additions, [identity_of(addition) for addition in additions.ids]))
        if model in self._latent and self._added[model] != added:
            # What was merged into weights can't be taken out again to the bit.
            self._forget(self._latent.pop(model))
            from scumble_core.models.device import free_memory

            free_memory(self.device.name)
        if model not in self._latent:
            if model in (STARTER_BASE, STARTER_REFINER):
                from scumble_core.models.starter.model import StarterModel

                self._latent[model] = StarterModel("base" if model == STARTER_BASE else "refiner", self.device)
            else:
                from scumble_core.models.changes import changes_of
                from scumble_core.models.checkpoints.load import load_model

                found, companion = whole_of(model)
                changes = changes_of(additions, {addition: path_for(addition) for addition in additions.ids})
                known = partial(embeddings_of, found.family)
                self._latent[model] = load_model(found, self.device, companion, changes, known)
            self._take(self._latent[model])
            self._added[model] = added
        return self._latent[model]
