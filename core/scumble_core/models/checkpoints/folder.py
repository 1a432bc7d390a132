"""Pipelines from folders in diffusers' layout: safetensors only, the folder alone."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import diffusers
import torch

from scumble_core.models.families import Family


def from_folder(folder: Path, family: Family, dtype: torch.dtype, skipped: Collection[str] = ()) -> Any:
    """The family's pipeline, whatever pipeline the folder was made for. Raises what diffusers raises.

    `skipped`: parts that nobody needs, and that are left out.
    """
    weights = [path.name for path in (folder / family.network_part).glob("*.safetensors*")]
    variant = "fp16" if weights and all(".fp16." in name for name in weights) else None
    # Checkers and croppers that some folders hold cost memory, and may not have been downloaded.
    spare = {name: value for name, value in family.settings.items() if value is None or isinstance(value, bool)}
    # The autoencoder may have to run in float32, and rounded weights would not come back.
    dtypes = {"default": dtype, "vae": torch.float32}
    return getattr(diffusers, family.pipeline).from_pretrained(
        folder, torch_dtype=dtypes, variant=variant, use_safetensors=True, local_files_only=True,
        **_fitting(folder, {**spare, **dict.fromkeys(skipped)}),
    )  # fmt: skip


def _fitting(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """What a folder says itself it says best; what it doesn't must not be there at all."""
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    return {name: value for name, value in settings.items() if value is None or name not in index}
