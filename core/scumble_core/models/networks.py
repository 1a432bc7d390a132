"""A bare UNet and a bare autoencoder of diffusers, as callables of a fixed form: how a pipeline's parts are asked."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from scumble_core.models.interface import Conditioning, Control

_USUAL_GUIDANCE = 8.0


@dataclass(frozen=True, eq=False)
class TextConditioning(Conditioning):
    """Text embeddings 1 x tokens x width; for SDXL also the pooled embedding and the size words.

    A first side equal to the batch's gives each latent its own. `guidance`: what models that are told it are told;
    `control`: steers a UNet.
    """

    embeds: Tensor
    pooled: Tensor | None = None
    time_ids: Tensor | None = None
    guidance: float | None = None
    control: Control | None = None

    def steered(self, control: Control) -> "TextConditioning":
        return replace(self, control=control)


class ModuleNetwork:
    """A module of diffusers as a Network: (scaled latent, time, conditioning) -> prediction, in the module's dtype."""

    def __init__(self, module: Any) -> None:
        self.module = module

    @property
    def dtype(self) -> torch.dtype:
        return cast(torch.dtype, self.module.dtype)

    @property
    def config(self) -> Any:
        return self.module.config

    def __call__(self, scaled: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        raise NotImplementedError

    @contextmanager
    def precise(self) -> Iterator[None]:
        """While it lasts, the network runs in float32."""
        before = self.module.dtype
        self.module.to(torch.float32)
        try:
            yield
        finally:
            self.module.to(before)


class TextUNet(ModuleNetwork):
    """A `UNet2DConditionModel`: the latent, a time and a text in."""

    def __call__(self, scaled: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        if not isinstance(conditioning, TextConditioning):
            raise TypeError("the conditioning was made by another model")
        count, dtype = scaled.shape[0], self.dtype
        added = None
        if conditioning.pooled is not None and conditioning.time_ids is not None:
            added = {
                "text_embeds": conditioning.pooled.to(dtype).expand(count, -1),
                "time_ids": conditioning.time_ids.to(dtype).expand(count, -1),
            }
        embeds = conditioning.embeds.to(dtype).expand(count, -1, -1)
        shown, told = self._shown(scaled).to(dtype), self._told(conditioning.guidance, scaled.device)
        control = conditioning.control
        beside = {} if control is None else control.residuals(scaled, time, embeds, added)
        return cast(
            Tensor, self.module(shown, time, embeds, timestep_cond=told, added_cond_kwargs=added, **beside).sample
        )

    def _shown(self, scaled: Tensor) -> Tensor:
        return scaled

    def _told(self, guidance: float | None, device: torch.device) -> Tensor | None:
        """Its guidance, to a consistency model (Luo et al. 2023, section 4.2): w, as times are told; 1 x width."""
        width = self.config.time_cond_proj_dim
        if width is None:
            return None
        half = width // 2
        rates = torch.exp(torch.arange(half, device=device) * (-math.log(10_000.0) / max(half - 1, 1)))
        angles = 1000 * ((guidance or _USUAL_GUIDANCE) - 1) * rates
        return torch.cat([angles.sin(), angles.cos()])[None].to(self.dtype)


class InpaintingUNet(TextUNet):
    """A UNet that fills holes, of a picture that is all hole: it sees the latent, the hole and a grey picture."""

    def __init__(self, unet: Any, autoencoder: "KLAutoencoder") -> None:
        super().__init__(unet)
        self._autoencoder = autoencoder

    def _shown(self, scaled: Tensor) -> Tensor:
        hole = torch.ones_like(scaled[:, :1])
        grey = self._autoencoder.grey(scaled).expand(len(scaled), -1, -1, -1)
        return torch.cat([scaled, hole, grey], dim=1)


class KLAutoencoder:
    """An `AutoencoderKL`: pixels B x 3 x H x W in 0 to 1, sides multiples of its factor; latents of unit variance."""

    def __init__(
        self, vae: Any, scaling_factor: float, dtype: torch.dtype = torch.float32, shift_factor: float = 0.0
    ) -> None:
        self._vae = vae if vae.dtype == dtype else vae.to(dtype)
        self._scale = scaling_factor
        self._shift = shift_factor
        self._dtype = dtype
        self._grey: Tensor | None = None

    @property
    def vae(self) -> Any:
        return self._vae

    @property
    def channels(self) -> int:
        return int(self._vae.config.latent_channels)

    def encode(self, pixels: Tensor) -> Tensor:
        """The posterior's mode, without chance in it."""
        encoded = self._vae.encode((pixels * 2 - 1).to(self._dtype)).latent_dist.mode()
        return cast(Tensor, (encoded.float() - self._shift) * self._scale)

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels, not clipped."""
        pixels = self._vae.decode((latents / self._scale + self._shift).to(self._dtype)).sample
        return cast(Tensor, pixels.float() / 2 + 0.5)

    def grey(self, latents: Tensor) -> Tensor:
        """The latent of a middle grey picture of these latents' size, 1 x C x H x W; the last one is kept."""
        if self._grey is None or self._grey.shape[-2:] != latents.shape[-2:] or self._grey.device != latents.device:
            factor = 2 ** (len(self._vae.config.block_out_channels) - 1)
            height, width = (side * factor for side in latents.shape[-2:])
            self._grey = self.encode(torch.full((1, 3, height, width), 0.5, device=latents.device))
        return self._grey

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
