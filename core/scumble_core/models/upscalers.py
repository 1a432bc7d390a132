"""Upscalers: whatever spandrel knows, loaded without ever running a pickle's code."""

import pickle
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.device import Device


class Upscaler:
    """Pixels B x 3 x H x W in 0 to 1 become B x 3 x (H * scale) x (W * scale); float32, not clipped."""

    def __init__(self, path: Path, device: Device) -> None:
        self._device = device
        descriptor = _descriptor(path, load_tensors(path))
        # Half precision only where spandrel says that the architecture bears it.
        self._half = device.name != "cpu" and descriptor.supports_half
        self._model = descriptor.to(torch.device(device.name)).eval()

    @property
    def scale(self) -> int:
        return int(self._model.scale)

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        with self._device.autocast(enabled=self._half):
            large = self._model(pixels.to(self._device.name))
        return cast(Tensor, large.float().cpu())


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The weights in a .safetensors or a pickled file (.pth, .pt), read by torch's restricted reader."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ScumbleError("unknown_model", f"There is no model file at {path}: choose another model.") from error
    except pickle.UnpicklingError as error:
        raise ScumbleError(
            "unsafe_model",
            f"{path} was not loaded, because it holds more than plain weights and could run code: "
            "get it as .safetensors.",
        ) from error
    except (OSError, EOFError, RuntimeError, SafetensorError, ValueError, KeyError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ScumbleError(
            "unknown_model", f"{path} can't be read as a model ({reason}): download it again."
        ) from error
    if not isinstance(loaded, dict):
        raise ScumbleError("unknown_model", f"{path} holds no weights: choose another model.")
    return loaded


def _descriptor(path: Path, tensors: dict[str, Tensor]) -> ImageModelDescriptor:
    try:
        descriptor = ModelLoader().load_from_state_dict(tensors)
    except UnsupportedModelError as error:
        raise ScumbleError(
            "unknown_model", f"{path} is not an upscaler of a kind that Scumble knows: choose another."
        ) from error
    if not isinstance(descriptor, ImageModelDescriptor) or descriptor.input_channels != 3:
        raise ScumbleError("unknown_model", f"{path} does not enlarge colour pictures: choose another upscaler.")
    return descriptor
