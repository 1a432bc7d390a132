"""Pipelines from single files: each part by its reader, what the file hasn't got from another model."""

import json
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import diffusers
import torch
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.checkpoints.autoencoder import read_autoencoder
from scumble_core.models.checkpoints.flow import read_flux, read_z_image
from scumble_core.models.checkpoints.folder import from_folder
from scumble_core.models.checkpoints.recipe import Recipe, built
from scumble_core.models.checkpoints.text import read_clip, read_open_clip, read_qwen3, read_t5
from scumble_core.models.checkpoints.unet import read_unet
from scumble_core.models.checkpoints.vocabulary import clip_tokenizer
from scumble_core.models.detect import Found
from scumble_core.models.families import Family
from scumble_core.models.families.adapter import Part
from scumble_core.models.schedulers import scheduler_of
from scumble_core.models.weights import read_tensors_of

_READERS: Mapping[str, Callable[[dict[str, Tensor], Mapping[str, Any]], Recipe]] = {
    "unet": read_unet, "kl": read_autoencoder, "clip": read_clip, "open_clip": read_open_clip, "t5": read_t5,
    "qwen3": read_qwen3, "flux": read_flux, "z_image": read_z_image,
}  # fmt: skip
_SCALES = (".scale_weight", ".weight_scale")
_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)


def from_single_file(
    found: Found, family: Family, dtype: torch.dtype, donor: Found | None = None, skipped: Collection[str] = ()
) -> Any:
    """The family's pipeline, all in `dtype` but the autoencoder, which is in float32.

    `donor`: another model, whose parts serve where the file hasn't got its own; `skipped`: parts that nobody needs.
    Raises ScumbleError when parts are missing.
    """
    parts: dict[str, Any] = {**family.settings, **dict.fromkeys(skipped)}
    parts |= _own_parts(found, family, dtype, skipped)
    parts["scheduler"] = scheduler_of(found, family.facts_of(found))
    parts |= {name: clip_tokenizer(kind) for name, kind in family.tokenizers.items() if name not in skipped}
    wanted = (*(part.name for part in family.parts), *tokenizers_of(family))
    missing = [name for name in wanted if name not in parts]
    if missing:
        lent = None if donor is None else _lent(donor, family, dtype, {*parts} & {*wanted})
        parts |= {name: _from(found, name, lent) for name in missing}
    return getattr(diffusers, family.pipeline)(**parts)


def _own_parts(found: Found, family: Family, dtype: torch.dtype, skipped: Collection[str]) -> dict[str, Any]:
    """Those that the file has; a folder of one part has the network."""
    if Path(found.path).is_dir():
        return {family.network_part: _network_in(Path(found.path), dtype)}
    tensors = _unscaled(read_tensors_of(Path(found.path)), dtype)
    parts: dict[str, Any] = {}
    for part in family.parts:
        own = {} if part.name in skipped else _within(tensors, part.prefixes)
        if own:
            parts[part.name] = _built(found, part, own, torch.float32 if part.reader == "kl" else dtype)
    return parts


def _network_in(folder: Path, dtype: torch.dtype) -> Any:
    name = json.loads((folder / "config.json").read_text("utf-8"))["_class_name"]
    return getattr(diffusers, name).from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)


def _lent(donor: Found, family: Family, dtype: torch.dtype, skipped: Collection[str]) -> Any:
    if Path(donor.path).is_dir():
        return from_folder(Path(donor.path), family, dtype, skipped)
    return from_single_file(donor, family, dtype, None, skipped)


def tokenizers_of(family: Family) -> tuple[str, ...]:
    """Each text encoder has one, by its name."""
    return tuple(part.name.replace("text_encoder", "tokenizer") for part in family.parts if "text_encoder" in part.name)


def configuration(name: str) -> dict[str, Any]:
    """What comes with the package of a part that its tensors don't tell."""
    text = files("scumble_core.models.checkpoints").joinpath("configs", name).read_text("utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


def _built(found: Found, part: Part, own: dict[str, Tensor], dtype: torch.dtype) -> Any:
    try:
        return built(_READERS[part.reader](own, configuration(part.config)), dtype, part.name)
    except ScumbleError as error:
        raise ScumbleError(error.code, f"{found.path} can't be loaded, because {error}: choose another.") from error
    except (KeyError, IndexError, StopIteration) as error:
        raise ScumbleError(
            "unknown_model",
            f"{found.path} can't be loaded, its {part.name.replace('_', ' ')} lacks {error}: download it again.",
        ) from error


def _from(found: Found, name: str, lent: Any) -> Any:
    part = getattr(lent, name, None)
    if part is None:
        raise ScumbleError(
            "unknown_model",
            f"{found.path} has no {name.replace('_', ' ')}, and no whole model of its family lends one: "
            "put such a model, best a folder in diffusers' layout, among your models.",
        )
    return part


def _within(tensors: Mapping[str, Tensor], prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    """Those of the first prefix that any name begins with, by what follows it."""
    for prefix in prefixes:
        own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        if own:
            return own
    return {}


def _unscaled(tensors: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Weights of 8 bits, which some files keep divided by a number beside them, in a type that can be worked with."""
    scales = {name: tensor for name, tensor in tensors.items() if name.endswith(_SCALES)}
    plain = {name: tensor for name, tensor in tensors.items() if name not in scales and not name.endswith("scaled_fp8")}
    for name, scale in scales.items():
        layer = name.removesuffix(".scale_weight").removesuffix(".weight_scale")
        weight = plain.get(f"{layer}.weight")
        if weight is not None and weight.dtype in _FLOAT8:
            plain[f"{layer}.weight"] = (weight.float() * scale.float()).to(dtype)
    return {name: tensor for name, tensor in plain.items() if not name.endswith((".scale_input", ".input_scale"))}
