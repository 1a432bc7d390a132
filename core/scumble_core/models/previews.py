"""What a latent shows, small and at once: a tiny autoencoder's decoder (TAESD, Bohan 2023), where there is one."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn.functional import interpolate

from scumble_core.errors import ScumbleError
from scumble_core.models.weights import read_tensors_of

# Latents are made so small that their picture is as large as a preview may be.
_LONGEST_LATENT = 32
_OWN = ("taesd_decoder.", "decoder.", "")


class Sketcher:
    """Decodes latents to small pictures, for the eye alone."""

    def __init__(self, tiny: Any, device: str) -> None:
        self._tiny = tiny
        self._device = device

    @property
    def modules(self) -> tuple[torch.nn.Module, ...]:
        """What takes memory on the device."""
        return (self._tiny,)

    @torch.inference_mode()
    def __call__(self, latent: Tensor) -> Tensor:
        """C x H x W, of unit variance, to pixels H x W x 3 in 0 to 1, on the CPU, at most 256 a side."""
        share = min(1.0, _LONGEST_LATENT / max(latent.shape[-2:]))
        sides = [max(1, round(side * share)) for side in latent.shape[-2:]]
        small = interpolate(latent[None].float(), sides, mode="area").to(self._device)
        pixels: Tensor = self._tiny.decode(small).sample[0]
        return (pixels.float() / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu()


def load_sketcher(path: Path, device: str, storage: str = "cpu") -> Sketcher:
    """From a folder or file in diffusers' layout, or a decoder's file in TAESD's own. Raises ScumbleError.

    `device`: what it runs on; `storage`: where it lies until then.
    """
    try:
        if path.is_dir():
            tiny = AutoencoderTiny.from_pretrained(path, local_files_only=True, use_safetensors=True)
        else:
            tiny = _from_file(path)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, StopIteration) as error:
        raise ScumbleError("unknown_model", f"{path} is no tiny autoencoder: remove it, or get another.") from error
    return Sketcher(tiny.to(storage).eval().requires_grad_(False), device)


def _from_file(path: Path) -> Any:
    tensors = read_tensors_of(path)
    own = {name: each for name, each in tensors.items() if name.startswith("decoder.layers.")}
    if not own:
        prefix = next(each for each in _OWN if f"{each}1.weight" in tensors)
        inner = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        # Its list of layers begins with one that has no weights.
        own = {f"decoder.layers.{_before(name)}": each for name, each in inner.items() if name.split(".")[0].isdigit()}
    first = own["decoder.layers.0.weight"]
    with torch.device("meta"):
        tiny = AutoencoderTiny(
            latent_channels=int(first.shape[1]), decoder_block_out_channels=(int(first.shape[0]),) * 4
        )
    tiny.decoder.load_state_dict(
        {name.removeprefix("decoder."): each.float() for name, each in own.items()}, strict=True, assign=True
    )
    tiny.encoder = torch.nn.Identity()
    return tiny


def _before(name: str) -> str:
    number, _, rest = name.partition(".")
    return f"{int(number) - 1}.{rest}"
