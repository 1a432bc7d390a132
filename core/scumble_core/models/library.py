"""Which models there are, by id, and what the planner must know of each. Torch is imported only to load one.

An id is one of the starter models' names, or a path: a folder in diffusers' layout, or an upscaler's file. What lies
in the data folder's `models/diffusion` and `models/upscalers` is offered by name.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scumble_core.errors import ScumbleError
from scumble_core.models.diffusers_folder import family_of
from scumble_core.models.facts import FACTS, REFINER_OF, STARTER, ModelFacts, UpscalerFacts
from scumble_core.models.starter.places import unet_folder, upscaler_path
from scumble_core.request import RefineRequest

if TYPE_CHECKING:
    from scumble_core.models.device import Device
    from scumble_core.models.interface import LatentModel
    from scumble_core.models.upscalers import Upscaler

STARTER_BASE, STARTER_REFINER = "starter", "starter-refiner"
STARTER_UPSCALERS = {"starter-x2": 2, "starter-x4": 4}
UPSCALER_SUFFIXES = frozenset({".safetensors", ".pth", ".pt", ".ckpt"})
NONE = "none"


@dataclass(frozen=True)
class Choices:
    """What an artist may choose: (id, name) each."""

    bases: tuple[tuple[str, str], ...]
    refiners: tuple[tuple[str, str], ...]
    upscalers: tuple[tuple[str, str], ...]


def choices(models_folder: Path | None = None) -> Choices:
    """The starter models, then those found in the folder."""
    bases = [(STARTER_BASE, "Starter (built in)")]
    refiners = [(STARTER_REFINER, "Starter refiner (built in)")]
    upscalers = [
        ("auto", "Automatic"),
        (NONE, "None (Lanczos)"),
        ("starter-x2", "Starter 2x"),
        ("starter-x4", "Starter 4x"),
    ]
    if models_folder is not None:
        for index in sorted(models_folder.glob("diffusion/*/model_index.json")):
            try:
                family = family_of(index.parent)
            except ScumbleError:
                continue  # choosing it by its path tells what is wrong with it
            (refiners if family == "sdxl-refiner" else bases).append((str(index.parent), index.parent.name))
        upscalers += [
            (str(path), path.stem)
            for path in sorted(models_folder.glob("upscalers/*"))
            if path.suffix in UPSCALER_SUFFIXES
        ]
    return Choices(tuple(bases), (*refiners, (NONE, "None")), tuple(upscalers))


def base_facts(base: str) -> ModelFacts:
    """What the planner must know of a base model."""
    return STARTER if base == STARTER_BASE else FACTS[family_of(_path(base))]


def refiner_for(request: RefineRequest) -> str:
    """The refiner's id, or "none". The starter's refiner is the default, and is left out beside another base."""
    if request.refiner == NONE:
        return NONE
    base = base_facts(request.base)
    if request.refiner == STARTER_REFINER:
        return STARTER_REFINER if base.family == "starter" else NONE
    family = family_of(_path(request.refiner))
    if REFINER_OF.get(base.family) != family:
        raise ScumbleError(
            "unknown_model",
            f"The refiner {request.refiner} does not share the latents of the model {request.base}: "
            "choose one of the same kind, or 'none'.",
        )
    return request.refiner


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
    _path(upscaler)
    return UpscalerFacts(None)


def _path(model: str) -> Path:
    path = Path(model).expanduser()
    if not path.exists():
        raise ScumbleError(
            "unknown_model",
            f"There is no model named '{model}', nor a file or folder of that name: "
            "`scumble doctor` lists the models there are.",
        )
    return path


def identity_of(model: str) -> str:
    """What tells this model from any other that the id has stood for: for keys of finished work."""
    if model == NONE:
        return NONE
    if model in (STARTER_BASE, STARTER_REFINER):
        path = unet_folder("base" if model == STARTER_BASE else "refiner")
    else:
        path = upscaler_path(STARTER_UPSCALERS[model]) if model in STARTER_UPSCALERS else _path(model)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(str(file.relative_to(path)), file.stat()) for file in files if file.is_file()]
    return f"{model} {[(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]}"


class ModelCache:
    """Loaded models by id; asking again is free. One device, one thread."""

    def __init__(self, device: "Device | None" = None) -> None:
        self._device = device
        self._latent: dict[str, LatentModel] = {}
        self._upscalers: dict[str, Upscaler] = {}

    @property
    def device(self) -> "Device":
        if self._device is None:
            from scumble_core.models.device import best_device

            self._device = best_device()
        return self._device

    @property
    def loaded(self) -> tuple[str, ...]:
        """The ids of all models in memory."""
        return (*self._latent, *self._upscalers)

    def latent_model(self, base: str, refiner: str = NONE) -> "LatentModel":
        """Base and refiner as one model, or the base alone."""
        from scumble_core.models.handover import Handover

        model = self._load(base)
        return model if refiner == NONE else Handover(model, self._load(refiner))

    def upscaler(self, upscaler: str) -> "Upscaler":
        """The upscaler of this id (not "none" or "auto")."""
        if upscaler not in self._upscalers:
            from scumble_core.models.upscalers import Upscaler

            starter = STARTER_UPSCALERS.get(upscaler)
            path = upscaler_path(starter) if starter else _path(upscaler)
            self._upscalers[upscaler] = Upscaler(path, self.device)
        return self._upscalers[upscaler]

    def _load(self, model: str) -> "LatentModel":
        if model not in self._latent:
            if model in (STARTER_BASE, STARTER_REFINER):
                from scumble_core.models.starter.model import StarterModel

                self._latent[model] = StarterModel("base" if model == STARTER_BASE else "refiner", self.device)
            else:
                from scumble_core.models.stable_diffusion import StableDiffusionModel

                path = _path(model)
                self._latent[model] = StableDiffusionModel(path, family_of(path), self.device)
        return self._latent[model]
