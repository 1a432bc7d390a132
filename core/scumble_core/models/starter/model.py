"""A starter UNet and the Haar autoencoder as one LatentModel."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from scumble_core.models.device import Device
from scumble_core.models.facts import STARTER, ModelFacts
from scumble_core.models.interface import Conditioning
from scumble_core.models.starter.codec import HaarAutoencoder
from scumble_core.models.starter.places import AUTOENCODER, unet_folder
from scumble_core.picture.geometry import Extent
from scumble_core.sampling.prediction import Epsilon, NetworkDenoiser
from scumble_core.sampling.sigmas import training_sigmas

TEXT_WIDTH = 64


class StarterModel:
    """Sharpens and cleans; knows no prompt."""

    def __init__(self, kind: Literal["base", "refiner"], device: Device, folder: Path | None = None) -> None:
        self._device = device
        self._precise = False
        self._codec = HaarAutoencoder.load(AUTOENCODER).to(device.name)
        unet = UNet2DConditionModel.from_pretrained(folder or unet_folder(kind), dtype=torch.float32)
        self._unet = unet.to(device.name, memory_format=torch.channels_last).eval()
        self._table = training_sigmas()
        self._denoiser = NetworkDenoiser(self._ask, Epsilon(self._table))

    @property
    def facts(self) -> ModelFacts:
        return STARTER

    @property
    def device(self) -> str:
        return self._device.name

    @property
    def sigma_table(self) -> Tensor:
        return self._table

    def encode(self, pixels: Tensor) -> Tensor:
        return self._codec.encode(pixels)

    def decode(self, latents: Tensor) -> Tensor:
        return self._codec.decode(latents)

    def encode_prompt(
        self,
        prompt: str,  # noqa: ARG002
        extent: Extent,  # noqa: ARG002
        *,
        negative: bool = False,  # noqa: ARG002
        guidance: float | None = None,  # noqa: ARG002
    ) -> Conditioning:
        return Conditioning()

    @torch.inference_mode()
    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        return self._denoiser(x, sigma, conditioning)

    def _ask(self, scaled: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:  # noqa: ARG002
        """The UNet's prediction of the noise."""
        count = scaled.shape[0]
        added = {"text_embeds": scaled.new_zeros(count, TEXT_WIDTH), "time_ids": scaled.new_zeros(count, 6)}
        text = scaled.new_zeros(count, 1, TEXT_WIDTH)
        with self._device.autocast(enabled=not self._precise):
            shown = scaled.contiguous(memory_format=torch.channels_last)
            return cast(Tensor, self._unet(shown, time, text, added_cond_kwargs=added).sample)

    @contextmanager
    def precise(self) -> Iterator[None]:
        self._precise = True
        try:
            yield
        finally:
            self._precise = False
