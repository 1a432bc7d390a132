"""Which models there are, by id, and what the planner must know of each. Torch is imported only to load one.

An id is one of the starter models' names, a path (a folder in diffusers' layout, a checkpoint, an upscaler's file), or
a name that only one model has. What is found, and where, docs/models.md tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scumble_bridge.places import data_folder
from scumble_core.errors import RequestError, ScumbleError
from scumble_core.models.additions import (
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
from scumble_core.models.offers import Offer, entries_of, found_at, offers, pairs, path_of
from scumble_core.models.prompts.embeddings import embeddings_in
from scumble_core.models.starter.places import unet_folder, upscaler_path
from scumble_core.models.upscalers.chain import parts_of
from scumble_core.models.upscalers.facts import UpscalerFacts, facts_of
from scumble_core.request import RefineRequest

STARTER_BASE, STARTER_REFINER = "starter", "starter-refiner"
STARTER_UPSCALERS = {"starter-x2": 2, "starter-x4": 4}
NONE = "none"


@dataclass(frozen=True)
class Choices:
    """What an artist may choose: (id, name) each. `used`: when jobs last used those that any did, by id.

    A network of which nobody knows yet how much it enlarges is both an upscaler and a restorer.
    """

    bases: tuple[tuple[str, str], ...]
    refiners: tuple[tuple[str, str], ...]
    upscalers: tuple[tuple[str, str], ...]
    loras: tuple[tuple[str, str], ...] = ()
    controlnets: tuple[tuple[str, str], ...] = ()
    vaes: tuple[tuple[str, str], ...] = ()
    restorers: tuple[tuple[str, str], ...] = ()
    embeddings: tuple[tuple[str, str], ...] = ()
    used: Mapping[str, int] = field(default_factory=dict)


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
    enlarging = [(offer, _scale(offer)) for offer in offers(entries, "upscaler")]
    refiners = [offer for offer in offers(entries, "refiner") if not offer.entry.found or not offer.entry.found.missing]
    return Choices(
        bases=((STARTER_BASE, "Starter (built in)"), *pairs(bases)),
        refiners=((STARTER_REFINER, "Starter refiner (built in)"), *pairs(refiners), (NONE, "None")),
        upscalers=(*upscalers, *pairs([offer for offer, scale in enlarging if scale != 1])),
        loras=pairs(offers(entries, "lora")),
        controlnets=pairs(offers(entries, "controlnet")),
        vaes=pairs(offers(entries, "vae")),
        restorers=pairs([offer for offer, scale in enlarging if scale in (1, None)]),
        embeddings=pairs(offers(entries, "embedding")),
        used={entry.path: entry.used for entry in entries if entry.used},
    )


def _scale(offer: Offer) -> int | None:
    """How much an upscaler enlarges, as far as that is known."""
    return facts_of(offer.entry.found.detail).scale if offer.entry.found else None


def found_of(model: str) -> Found:
    """What the model of this id is, which is no starter's. Raises ScumbleError."""
    return found_at(path_of(model, models_folder()), models_folder())


def whole_of(model: str) -> tuple[Found, Found | None]:
    """What it is together with the model that lends it what it lacks, and that model. Raises ScumbleError."""
    found = found_of(model)
    companion = lender_of(found)
    for each in (found, companion):
        if each is not None:
            check_files(each)
    return completed(found, companion), companion


def lender_of(found: Found) -> Found | None:
    """The model that lends it what it lacks; None where it needs none, or there is none."""
    return None if is_whole(found) else companion_of(found, entries_of(models_folder()))


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


def sketcher_path(family: str) -> Path | None:
    """The tiny autoencoder that shows this family's latents; None if there is none."""
    if not (models_folder() / NAME).exists():
        return None
    with ModelIndex.open(models_folder()) as index:
        return sketcher_among(index.entries(), family)


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
        path = upscaler_path(STARTER_UPSCALERS[model]) if model in STARTER_UPSCALERS else path_for(model)
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
    companion = lender_of(found)
    return None if companion is None else companion.path


def path_for(model: str) -> Path:
    """Where the model of this id lies, which is no starter's. Raises ScumbleError."""
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
