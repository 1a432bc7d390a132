"""Anchored noise as the samplers draw it: draw by draw, for one tile's place on the output's latent grid."""

import torch
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.noise import anchored_noise


class AnchoredNoise:
    """A NoiseSource. Draws count up from `first_draw`, the same in every tile, so that overlapping tiles agree."""

    def __init__(
        self, seed: int, channels: int, latent_bounds: Bounds, device: str = "cpu", first_draw: int = 0
    ) -> None:
        self._seed = seed
        self._channels = channels
        self._bounds = latent_bounds
        self._device = device
        self._draw = first_draw

    def __call__(self, sigma: float = 0.0, sigma_next: float = 0.0) -> Tensor:  # noqa: ARG002  (no tree: any step is alike)
        """The next draw: 1 x C x H x W, float32."""
        noise = anchored_noise(self._seed, self._draw, self._channels, self._bounds)
        self._draw += 1
        return torch.from_numpy(noise)[None].to(self._device)
