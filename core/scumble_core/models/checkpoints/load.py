"""A model that was found, loaded: the one way for folders and single files, large and tiny."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from scumble_core.errors import ScumbleError
from scumble_core.models.checkpoints.folder import from_folder
from scumble_core.models.checkpoints.single_file import from_single_file
from scumble_core.models.compiled import compile_blocks
from scumble_core.models.detect import Found
from scumble_core.models.device import Device
from scumble_core.models.families import FAMILIES, Family
from scumble_core.models.pipeline_model import PipelineModel
from scumble_core.models.prompts.encoder import no_embeddings


def load_model(
    found: Found,
    device: Device,
    donor: Found | None = None,
    changes: Sequence[Callable[[Any], None]] = (),
    embeddings: Callable[[], Mapping[str, Path]] = no_embeddings,
) -> PipelineModel:
    """`donor`: a whole model of the same family, whose parts serve where `found` has none of its own.

    `changes`: what is done to the loaded pipeline before it serves; `embeddings`: see PipelineModel.

    Raises ScumbleError, one sentence that names the file.
    """
    family = FAMILIES[found.family]
    facts = family.facts_of(found)
    try:
        pipe = load_parts(found, family, dtype_on(family, device), donor)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, SafetensorError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ScumbleError(
            "unknown_model", f"The model at {found.path} can't be loaded ({reason}): download it again, as safetensors."
        ) from error
    pipe = pipe.to(device.storage)
    for change in changes:
        change(pipe)
    if device.compiles:
        compile_blocks(getattr(pipe, family.network_part))
    return PipelineModel(pipe, family, facts, device, embeddings)


def load_parts(found: Found, family: Family, dtype: torch.dtype, donor: Found | None = None) -> Any:
    """diffusers' pipeline, on the CPU."""
    if Path(found.path).is_dir() and found.kind in ("base", "refiner"):
        return from_folder(Path(found.path), family, dtype)
    return from_single_file(found, family, dtype, donor)


def dtype_on(family: Family, device: Device) -> torch.dtype:
    """What the device is fast in, if the family bears it: transformers that learned in bfloat16 overflow in float16."""
    if device.dtype == torch.float16:
        half: torch.dtype = getattr(torch, family.half)
        return half
    return device.dtype
