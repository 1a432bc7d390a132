"""Pipelines from folders in diffusers' layout: safetensors only, the folder alone."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch

from scumble_core.errors import ScumbleError
from scumble_core.models.checkpoints.recipe import SPARE, some
from scumble_core.models.detect.folders import weights_of
from scumble_core.models.families import Family
from scumble_core.models.tensors import Tensors, read_sharded, read_tensors


def from_folder(folder: Path, family: Family, dtype: torch.dtype, skipped: Collection[str] = ()) -> Any:
    """The family's pipeline, whatever pipeline the folder was made for. Raises what diffusers raises, and ScumbleError
    for a part whose weights are not all there: diffusers would make them up.

    `skipped`: parts that nobody needs, and that are left out.
    """
    weights = [path.name for path in (folder / family.network_part).glob("*.safetensors*")]
    variant = "fp16" if weights and all(".fp16." in name for name in weights) else None
    # Checkers and croppers that some folders hold cost memory, and may not have been downloaded.
    spare = {name: value for name, value in family.settings.items() if value is None or isinstance(value, bool)}
    # The autoencoder may have to run in float32, and rounded weights would not come back.
    dtypes = {"default": dtype, "vae": torch.float32}
    pipe = getattr(diffusers, family.pipeline).from_pretrained(
        folder, dtype=dtypes, variant=variant, use_safetensors=True, local_files_only=True,
        **_fitting(folder, {**spare, **dict.fromkeys(skipped)}),
    )  # fmt: skip
    for name, part in pipe.components.items():
        if isinstance(part, torch.nn.Module):
            _check_whole(folder / name, part)
    return pipe


def _check_whole(folder: Path, part: torch.nn.Module) -> None:
    """By how many tensors there are: diffusers and transformers know several names of one and the same."""
    weights = next(weights_of(folder), None)
    if weights is None:
        return
    there = _names(read_sharded(weights) if weights.suffix == ".json" else read_tensors(weights))
    wanted: Mapping[str, torch.Tensor] = part.state_dict()
    empty = [name for name, tensor in wanted.items() if tensor.is_meta]
    own = {tensor.data_ptr(): name for name, tensor in wanted.items() if not name.endswith(SPARE)}  # tied ones once
    if not empty and len(there) >= len(own):
        return
    lacking = empty or [name for name in own.values() if name not in there] or ["tensors"]
    raise ScumbleError(
        "unknown_model",
        f"{folder.parent} can't be loaded, because its {folder.name.replace('_', ' ')} lacks {some(lacking)}: "
        "download it again.",
    )


def _names(tensors: Tensors) -> set[str]:
    return {name for name in tensors.named if not name.endswith(SPARE)}


def _fitting(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """What a folder says itself it says best; what it doesn't must not be there at all."""
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    return {name: value for name, value in settings.items() if value is None or name not in index}
