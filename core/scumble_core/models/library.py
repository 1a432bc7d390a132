"""Which models there are, by id, and what the planner must know of each. Torch is imported only to load one.

An id is one of the starter models' names, a path (a folder in diffusers' layout, a checkpoint, an upscaler's file), or
a name that only one model has. What is found, and where, docs/models.md tells.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scumble_bridge.places import data_folder
from scumble_core.errors import RequestError, ScumbleError
from scumble_core.models.additions import (
    NOTHING,
    Additions,
    check_content,
    controlnet_of,
    embeddings_among,
    prompts_of,
    sketcher_among,
)
from scumble_core.models.checks import check_addition, check_base, check_refiner, check_upscaler
from scumble_core.models.companions import check_files, companion_of, completed, is_whole
from scumble_core.models.detect import Found, Kind
from scumble_core.models.facts import STARTER, ModelFacts
from scumble_core.models.families import FAMILIES
from scumble_core.models.index import NAME, Entry, ModelIndex
from scumble_core.models.memory.installed import available_memory
from scumble_core.models.memory.wishes import Offload, read_wishes
from scumble_core.models.offers import Offer, entries_of, found_at, offers, pairs, path_of
from scumble_core.models.prompts.embeddings import embeddings_in
from scumble_core.models.starter.places import unet_folder, upscaler_path
from scumble_core.models.upscalers.chain import parts_of
from scumble_core.models.upscalers.facts import UpscalerFacts, facts_of
from scumble_core.request import RefineRequest

if TYPE_CHECKING:
    from scumble_core.models.controlnet import ControlNet
    from scumble_core.models.device import Device
    from scumble_core.models.interface import LatentModel
    from scumble_core.models.memory.room import DeviceRoom
    from scumble_core.models.previews import Sketcher
    from scumble_core.models.upscalers.network import Upscaler

STARTER_BASE, STARTER_REFINER = "starter", "starter-refiner"
STARTER_UPSCALERS = {"starter-x2": 2, "starter-x4": 4}
NONE = "none"

_log = logging.getLogger("scumble.models")


@dataclass(frozen=True)
class Choices:
    """What an artist may choose: (id, name) each."""

    bases: tuple[tuple[str, str], ...]
    refiners: tuple[tuple[str, str], ...]
    upscalers: tuple[tuple[str, str], ...]
    loras: tuple[tuple[str, str], ...] = ()
    controlnets: tuple[tuple[str, str], ...] = ()
    vaes: tuple[tuple[str, str], ...] = ()
    embeddings: tuple[tuple[str, str], ...] = ()


def models_folder() -> Path:
    """Our own folder of models, where the index lies, too."""
    return data_folder() / "models"


def choices(models: Path | None = None) -> Choices:
    """The starter models, then all that the index of this models folder has and Scumble can use. Milliseconds."""
    entries = [] if models is None else entries_of(models)
    upscalers = (
        ("auto", "Automatic"),
        (NONE, "None (Lanczos)"),
        ("starter-x2", "Starter 2x"),
        ("starter-x4", "Starter 4x"),
    )
    networks = [offer for offer in offers(entries, "transformer") if offer.entry.found and offer.entry.found.family]
    bases = [offer for offer in (*offers(entries, "base"), *networks) if _is_usable(offer, entries)]
    refiners = [offer for offer in offers(entries, "refiner") if not offer.entry.found or not offer.entry.found.missing]
    return Choices(
        bases=((STARTER_BASE, "Starter (built in)"), *pairs(bases)),
        refiners=((STARTER_REFINER, "Starter refiner (built in)"), *pairs(refiners), (NONE, "None")),
        upscalers=(*upscalers, *pairs(offers(entries, "upscaler"))),
        loras=pairs(offers(entries, "lora")),
        controlnets=pairs(offers(entries, "controlnet")),
        vaes=pairs(offers(entries, "vae")),
        embeddings=pairs(offers(entries, "embedding")),
    )


def found_of(model: str) -> Found:
    """What the model of this id is, which is no starter's. Raises ScumbleError."""
    return found_at(path_of(model, models_folder()), models_folder())


def whole_of(model: str) -> tuple[Found, Found | None]:
    """What it is together with the model that lends it what it lacks, and that model. Raises ScumbleError."""
    found = found_of(model)
    companion = None if is_whole(found) else companion_of(found, entries_of(models_folder()))
    for each in (found, companion):
        if each is not None:
            check_files(each)
    return completed(found, companion), companion


def base_facts(base: str) -> ModelFacts:
    """What the planner must know of a base model. Raises ScumbleError for what is none."""
    if base == STARTER_BASE:
        return STARTER
    found, _ = whole_of(base)
    check_base(found, FAMILIES)
    return FAMILIES[found.family].facts_of(found)


def refiner_for(request: RefineRequest) -> str:
    """The refiner's id, or "none". The starter's refiner is the default, and is left out beside another base.

    Planning asks this once, so the request's other models are checked here as well.
    """
    base = base_facts(request.base)
    check_additions(request, base.family)
    if request.refiner == NONE:
        return NONE
    if request.refiner == STARTER_REFINER:
        return STARTER_REFINER if base.family == "starter" else NONE
    found, _ = whole_of(request.refiner)
    check_refiner(found, None if base.family == "starter" else found_of(request.base), base.family)
    return request.refiner


def check_additions(request: RefineRequest, family: str) -> None:
    """Refuse a LoRA, a ControlNet, an autoencoder or a textual inversion that doesn't go with the base's family.

    Raises ScumbleError.
    """
    wanted: list[tuple[str, Kind]] = [(lora.id, "lora") for lora in request.loras]
    wanted += [(controlnet_of(request), "controlnet"), (Additions.of(request).vae, "vae")]
    for model, kind in wanted:
        if model:
            found = found_of(model)
            check_addition(found, kind, family, request.base)
            check_content(found, kind, family)
    if controlnet_of(request) and request.tiler_model == "refiner":
        raise RequestError("A ControlNet steers no refiner: leave it out, or use the base model as well.")
    known = embeddings_of(family)
    for prompt in prompts_of(request):
        embeddings_in(prompt, known)


def embeddings_of(family: str) -> Mapping[str, Path]:
    """The textual inversions that prompts for this family may call, by names in lower case."""
    if not (models_folder() / NAME).exists():
        return {}
    with ModelIndex.open(models_folder()) as index:
        return embeddings_among(index.entries(), family)


def added_to(request: RefineRequest, family: str) -> dict[str, object]:
    """What tells finished work with the request's additions from any other, fit for JSON; empty where it has none."""
    additions, controlnet, added = Additions.of(request), controlnet_of(request), dict[str, object]()
    if additions.loras:
        added["loras"] = sorted([identity_of(lora.id), lora.weight] for lora in additions.loras)
    if additions.vae:
        added["vae"] = identity_of(additions.vae)
    if controlnet:
        added["controlnet"] = [identity_of(controlnet), request.controlnet_strength, request.controlnet_end]
    known = embeddings_of(family)
    called = [str(path) for prompt in prompts_of(request) for path in embeddings_in(prompt, known)]
    if called:
        added["embeddings"] = [identity_of(path) for path in dict.fromkeys(called)]
    return added


def upscaler_for(request: RefineRequest, scale: float) -> str:
    """The upscaler's id with "auto" decided: the smallest starter upscaler that reaches the scale."""
    if request.upscaler != "auto":
        return request.upscaler
    if scale <= 1:
        return NONE
    return "starter-x2" if scale <= 2 else "starter-x4"


def upscaler_facts(upscaler: str) -> UpscalerFacts | None:
    """None for "none"."""
    if upscaler == NONE:
        return None
    if upscaler in STARTER_UPSCALERS:
        return UpscalerFacts(STARTER_UPSCALERS[upscaler], overlap=32, seconds_per_megapixel=1.2)
    found = found_of(upscaler)
    check_upscaler(found)
    return facts_of(found.detail)


def upscalers_of(upscaler: str) -> tuple[str, ...]:
    """The ids that an upscaler's id stands for, one after the other: "A+B" is two, "none" is none."""
    return () if upscaler == NONE else parts_of(upscaler, _is_model)


def _is_model(text: str) -> bool:
    if text in STARTER_UPSCALERS:
        return True
    try:
        return path_of(text, models_folder()).exists()
    except (ScumbleError, OSError, ValueError, RuntimeError):
        return False


def identity_of(model: str) -> str:
    """What tells this model from any other that the id has stood for: for keys of finished work.

    The content's hash, where the index knew it when it was first asked for; else names, sizes and times of the files.
    The first answer stays for as long as the files do (`ModelIndex.identity`).
    """
    if model == NONE:
        return NONE
    if model in (STARTER_BASE, STARTER_REFINER):
        path = unet_folder("base" if model == STARTER_BASE else "refiner")
    else:
        path = upscaler_path(STARTER_UPSCALERS[model]) if model in STARTER_UPSCALERS else _path(model)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(str(file.relative_to(path)), file.stat()) for file in files if file.is_file()]
    stated = f"{model} {[(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]}"
    if path.is_relative_to(unet_folder("base").parent) or not (models_folder() / NAME).exists():
        return stated
    with ModelIndex.open(models_folder()) as index:
        identity = index.identity(path, stated)
    lender = _lender_of(path)
    return identity if lender is None else f"{identity} with {identity_of(lender)}"


def _lender_of(path: Path) -> str | None:
    """The model that lends a file what it lacks; none does where nothing is known of models."""
    found = found_at(path, models_folder())
    if found.kind not in ("base", "refiner", "transformer"):
        return None
    companion = None if is_whole(found) else companion_of(found, entries_of(models_folder()))
    return None if companion is None else companion.path


def _path(model: str) -> Path:
    return path_of(model, models_folder())


def _is_usable(offer: Offer, entries: list[Entry]) -> bool:
    """Whether it can be the base, with what another model lends it."""
    try:
        found = offer.entry.found
        if found is not None and found.family in FAMILIES:
            found = completed(found, None if is_whole(found) else companion_of(found, entries))
        if found is not None:
            check_base(found, FAMILIES)
    except ScumbleError:
        return False  # choosing it by its path tells why
    return True


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
            self._device = wished(device, read_wishes(data_folder(), os.environ).precision)
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
            self._controlnets = {key: load_controlnet(_path(controlnet), unet)}
            self._take(self._controlnets[key])
        return self._controlnets[key]

    def sketcher(self, family: str) -> "Sketcher | None":
        """What shows this family's latents while they are walked, where there is such a model."""
        if family not in self._sketchers:
            self._sketchers[family] = self._load_sketcher(family)
        return self._sketchers[family]

    def _load_sketcher(self, family: str) -> "Sketcher | None":
        if not (models_folder() / NAME).exists():
            return None
        with ModelIndex.open(models_folder()) as index:
            path = sketcher_among(index.entries(), family)
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
            path = upscaler_path(starter) if starter else _path(upscaler)
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
                changes = changes_of(additions, {addition: _path(addition) for addition in additions.ids})
                known = partial(embeddings_of, found.family)
                self._latent[model] = load_model(found, self.device, companion, changes, known)
            self._take(self._latent[model])
            self._added[model] = added
        return self._latent[model]
