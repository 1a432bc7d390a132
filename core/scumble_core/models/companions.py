"""What a model lacks, and which other model lends it: a network alone, a file without encoders. No torch here."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found
from scumble_core.models.detect.folders import weights_of
from scumble_core.models.families import FAMILIES
from scumble_core.models.index import Entry
from scumble_core.models.tensors import read_sharded, read_tensors

_NETWORKS = ("base", "refiner", "transformer")
# What weights may be in; "" where nothing tells.
_PRECISIONS = ("fp32", "fp16", "bf16", "fp64", "fp8", "")


def is_whole(found: Found) -> bool:
    """Whether it runs without another. Single files of some families never hold all that is needed."""
    if found.family not in FAMILIES:
        return True
    if Path(found.path).is_dir():
        return found.kind != "transformer"
    return found.kind in ("base", "refiner") and not found.missing and not _needs_tokenizer(found)


def companion_of(found: Found, entries: Iterable[Entry]) -> Found | None:
    """A whole model of the same family, folders first, the same one for as long as it is there; None if none is."""
    role = FAMILIES[found.family].role
    candidates = [
        entry.found
        for entry in entries
        if entry.found is not None
        and (entry.found.kind, entry.found.family) == (role, found.family)
        and not entry.found.missing
        and entry.path != found.path
    ]
    if _needs_tokenizer(found):
        candidates = [each for each in candidates if Path(each.path).is_dir()]
    return min(candidates, key=lambda each: (not Path(each.path).is_dir(), bool(each.variant), each.path), default=None)


def completed(found: Found, companion: Found | None) -> Found:
    """As it is with what its companion lends. Raises ScumbleError when that can't be, and for what can't be loaded."""
    is_gguf = Path(found.path).suffix.lower() == ".gguf"
    if found.kind in _NETWORKS and (is_gguf or found.precision not in _PRECISIONS):
        what = "a GGUF file" if is_gguf else f"quantised ({found.precision})"
        raise ScumbleError(
            "unknown_model",
            f"{found.path} is {what}, which Scumble can't load: get it as safetensors in 8 or 16 bits.",
        )
    if is_whole(found):
        return found
    if companion is None:
        if found.kind not in _NETWORKS:
            return found
        raise ScumbleError(
            "unknown_model",
            f"{found.path} {_lacks(found)}: put a whole {found.family} model among your models, best a folder in "
            "diffusers' layout, or choose another model.",
        )
    detail: Mapping[str, str | int | float | bool] = {
        name: value for name, value in found.detail.items() if name != "missing"
    }
    return replace(found, kind=FAMILIES[found.family].role, detail=detail)


def check_files(found: Found) -> None:
    """Refuse a folder with a part that is cut off or damaged, by its head. Single files were looked at when found."""
    folder = Path(found.path)
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        for weights in weights_of(part) if part.is_dir() else ():
            if weights.suffix == ".json":
                read_sharded(weights)
            else:
                read_tensors(weights)


def _lacks(found: Found) -> str:
    if found.kind == "transformer":
        return "is a diffusion network without its encoders, and no model lends it any"
    missing = " and ".join(part.replace("_", " ") for part in found.missing) or "tokenizer"
    return f"comes without its {missing}, and no model lends it one"


def _needs_tokenizer(found: Found) -> bool:
    """Whether a text encoder's tokenizer is one that does not come with Scumble."""
    family = FAMILIES[found.family]
    encoders = sum("text_encoder" in part.name for part in family.parts)
    return not Path(found.path).is_dir() and len(family.tokenizers) < encoders
