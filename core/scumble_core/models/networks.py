"""A bare UNet and a bare autoencoder of diffusers, as callables of a fixed form: how a pipeline's parts are asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from scumble_core.models.interface import Conditioning


@dataclass(frozen=True, eq=False)
class TextConditioning(Conditioning):
    """Text embeddings 1 x tokens x width; for SDXL also the pooled embedding and the size words.

    A first side equal to the batch's gives each latent its own.
    """

    embeds: Tensor
    pooled: Tensor | None = None
    time_ids: Tensor | None = None


class TextUNet:
    """A `UNet2DConditionModel` as a Network: scaled latent, time and text in, its prediction out, in its own dtype."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet

    def __call__(self, scaled: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        if not isinstance(conditioning, TextConditioning):
            raise TypeError("the conditioning was made by another model")
        count, dtype = scaled.shape[0], self._unet.dtype
        added = None
        if conditioning.pooled is not None and conditioning.time_ids is not None:
            added = {
                "text_embeds": conditioning.pooled.to(dtype).expand(count, -1),
                "time_ids": conditioning.time_ids.to(dtype).expand(count, -1),
            }
        embeds = conditioning.embeds.to(dtype).expand(count, -1, -1)
        return cast(Tensor, self._unet(scaled.to(dtype), time, embeds, added_cond_kwargs=added).sample)

    @contextmanager
    def precise(self) -> Iterator[None]:
        """While it lasts, the network runs in float32."""
        before = self._unet.dtype
        self._unet.to(torch.float32)
        try:
            yield
        finally:
            self._unet.to(before)


class KLAutoencoder:
    """An `AutoencoderKL`: pixels B x 3 x H x W in 0 to 1, sides multiples of its factor; latents of unit variance."""

    def __init__(self, vae: Any, scaling_factor: float, dtype: torch.dtype = torch.float32) -> None:
        self._vae = vae if vae.dtype == dtype else vae.to(dtype)
        self._scale = scaling_factor
        self._dtype = dtype

    def encode(self, pixels: Tensor) -> Tensor:
        """The posterior's mode, without chance in it."""
        encoded = self._vae.encode((pixels * 2 - 1).to(self._dtype)).latent_dist.mode()
        return cast(Tensor, encoded.float() * self._scale)

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels, not clipped."""
        pixels = self._vae.decode((latents / self._scale).to(self._dtype)).sample
        return cast(Tensor, pixels.float() / 2 + 0.5)

    @contextmanager
    def precise(self) -> Iterator[None]:
        """While it lasts, the network runs in float32."""
        before = self._dtype
        self._dtype = torch.float32
        self._vae.to(torch.float32)
        try:
            yield
        finally:
            self._dtype = before
            self._vae.to(before)
