"""Another autoencoder in the place of a base model's own."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from scumble_core.errors import ScumbleError
from scumble_core.models.checkpoints.autoencoder import read_autoencoder
from scumble_core.models.checkpoints.recipe import built
from scumble_core.models.weights import read_tensors_of

_PREFIXES = ("first_stage_model.", "vae.")
_BROKEN = (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, StopIteration)


def load_vae(path: Path, own: Any) -> Any:
    """An autoencoder from a folder or a file of either layout, in float32, on the CPU.

    `own`: the base's, whose latents it must share: it tells their scale, and for files what tensors don't tell.
    Raises ScumbleError for what can't take its place.
    """
    try:
        vae = _from_folder(path) if path.is_dir() else _from_file(path, own)
    except (*_BROKEN, ScumbleError) as error:
        reason = str(error).split("\n", maxsplit=1)[0][:200]
        raise ScumbleError(
            "unknown_model", f"The autoencoder {path} can't be loaded ({reason}): choose another, or 'none'."
        ) from error
    theirs, ours = vae.config, own.config
    factor = len(theirs.block_out_channels)
    if theirs.latent_channels != ours.latent_channels or factor != len(ours.block_out_channels):
        raise ScumbleError(
            "unknown_model",
            f"The autoencoder {path} has other latents than the base model's: choose one for its family, or 'none'.",
        )
    # Some say no scale, and would be taken for SD 1.5's.
    vae.register_to_config(scaling_factor=ours.scaling_factor, shift_factor=ours.get("shift_factor"))
    return vae.eval().requires_grad_(False)


def _from_folder(folder: Path) -> Any:
    return AutoencoderKL.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=torch.float32)


def _from_file(path: Path, own: Any) -> Any:
    tensors = read_tensors_of(path)
    for prefix in _PREFIXES:
        inner = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        tensors = inner or tensors
    fixed = {name: value for name, value in own.config.items() if not name.startswith("_")}
    return built(read_autoencoder(tensors, fixed), torch.float32, "autoencoder")
