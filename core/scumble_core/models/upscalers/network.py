"""An upscaler, or a restorer of scale 1: pixels in, pixels out, whatever the network itself wants."""

from pathlib import Path

import torch
from torch import Tensor

from scumble_core.models.device import Device
from scumble_core.models.upscalers.descriptor import detail_of, load_descriptor
from scumble_core.models.upscalers.facts import UpscalerFacts, facts_of


class Upscaler:
    """Pixels B x 3 x H x W in 0 to 1 become B x 3 x (H * scale) x (W * scale); float32.

    Any size, from 1 pixel on. A network of one channel sees red, green and blue one by one; one of four sees an opaque
    picture, and its alpha is dropped.
    """

    def __init__(self, path: Path, device: Device) -> None:
        """Raises ScumbleError for a file that is no upscaler."""
        self._device = device
        self._descriptor = load_descriptor(path)
        self._dtype = _dtype(device, self._descriptor.supports_half, self._descriptor.supports_bfloat16)
        self._descriptor.to(torch.device(device.storage))
        self._facts = facts_of(detail_of(self._descriptor))

    @property
    def scale(self) -> int:
        return int(self._descriptor.scale)

    @property
    def facts(self) -> UpscalerFacts:
        """What the network itself says of its sizes and tiles."""
        return self._facts

    @property
    def architecture(self) -> str:
        return str(self._descriptor.architecture.name)

    @property
    def precision(self) -> str:
        """What it computes in: "float32", "float16" or "bfloat16"."""
        return str(self._dtype).removeprefix("torch.")

    @property
    def modules(self) -> tuple[torch.nn.Module, ...]:
        """What takes memory on the device."""
        return (self._descriptor.model,)

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        return torch.cat([self._one(each[None]) for each in pixels])

    def _one(self, pixels: Tensor) -> Tensor:
        """1 x 3 x H x W; spandrel takes no more at once, and pads what is too small for a network."""
        given = pixels.to(self._device.name)
        channels = self._descriptor.input_channels
        if channels == 1:
            return torch.cat([self._asked(given[:, each : each + 1]) for each in range(3)], 1)
        if channels == 4:
            return self._asked(torch.cat([given, torch.ones_like(given[:, :1])], 1))[:, :3]
        return self._asked(given)

    def _asked(self, given: Tensor) -> Tensor:
        """In float32 where half precision overflows: what is no number stays none."""
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            large: Tensor = self._descriptor(given).float().cpu()
        if self._dtype == torch.float32 or bool(torch.isfinite(large.sum())):
            return large
        full: Tensor = self._descriptor(given).float().cpu()
        return full


def _dtype(device: Device, half: bool, bfloat16: bool) -> torch.dtype:
    """Half precision only where the device is faster in it and spandrel says that the architecture bears it.

    On the CPU never: its fast half, bfloat16, keeps 8 bits of a value, less than a picture of 8 bits shows. The same
    on other devices, unless bfloat16 was asked for.
    """
    if device.name == "cpu" and not device.chosen:
        return torch.float32
    bears = {torch.float16: half, torch.bfloat16: bfloat16 and device.chosen}
    return device.dtype if bears.get(device.dtype, False) else torch.float32
