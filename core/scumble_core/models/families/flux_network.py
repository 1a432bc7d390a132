"""Flux's transformer as a Network: patches of 2 x 2 latents, text beside them, and guidance as a number."""

from typing import Any, cast

import torch
from torch import Tensor

from scumble_core.models.interface import Conditioning
from scumble_core.models.networks import KLAutoencoder, ModuleNetwork, TextConditioning

_DEFAULT_GUIDANCE = 3.5


class FluxNetwork(ModuleNetwork):
    """Latents B x C x H x W of even sides, C that of the autoencoder."""

    def __init__(self, transformer: Any, autoencoder: KLAutoencoder) -> None:
        super().__init__(transformer)
        self._autoencoder = autoencoder

    def __call__(self, scaled: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        if not isinstance(conditioning, TextConditioning) or conditioning.pooled is None:
            raise TypeError("the conditioning was made by another model")
        count, _, height, width = scaled.shape
        dtype, device = self.dtype, scaled.device
        embeds = conditioning.embeds.to(dtype).expand(count, -1, -1)
        told = None
        if self.config.guidance_embeds:
            told = torch.full([count], conditioning.guidance or _DEFAULT_GUIDANCE, device=device)
        answer = self.module(
            hidden_states=self._shown(scaled).to(dtype), timestep=(time / 1000).to(device).expand(count),
            guidance=told, pooled_projections=conditioning.pooled.to(dtype).expand(count, -1),
            encoder_hidden_states=embeds, txt_ids=torch.zeros(embeds.shape[1], 3, device=device),
            img_ids=_places(height // 2, width // 2).to(device), return_dict=False,
        )[0]  # fmt: skip
        return unpacked(cast(Tensor, answer), height, width)

    def _shown(self, scaled: Tensor) -> Tensor:
        """Fill's transformer sees beside the latent a picture with a hole, and the hole: here all is one."""
        patches = packed(scaled)
        beside = self.config.in_channels - patches.shape[-1]
        if beside == 0:
            return patches
        grey = packed(self._autoencoder.grey(scaled)).expand(len(scaled), -1, -1)
        hole = torch.ones(*patches.shape[:2], beside - grey.shape[-1], device=scaled.device)
        return torch.cat([patches, grey, hole], dim=-1)


def packed(latents: Tensor) -> Tensor:
    """B x C x H x W to B x (H/2 W/2) x 4C, a patch's channels first."""
    count, channels, height, width = latents.shape
    parts = latents.reshape(count, channels, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return parts.reshape(count, height // 2 * (width // 2), channels * 4)


def unpacked(patches: Tensor, height: int, width: int) -> Tensor:
    """The inverse."""
    count, _, channels = patches.shape
    parts = patches.reshape(count, height // 2, width // 2, channels // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return parts.reshape(count, channels // 4, height, width)


def _places(rows: int, columns: int) -> Tensor:
    """Each patch's place, N x 3: nothing, row, column."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([torch.zeros_like(y), y, x], dim=-1).reshape(-1, 3).float()
