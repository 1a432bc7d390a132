"""Anchored noise as the samplers draw it: draw by draw, for the tiles' places on the output's latent grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.noise import anchored_noise


@dataclass(frozen=True)
class Anchor:
    """Where a latent lies on the output's latent grid, and the seed that its noise is drawn from.

    `patches`: parts of the grid where another seed serves instead.
    """

    bounds: Bounds
    seed: int
    patches: tuple[tuple[Bounds, int], ...] = ()


class AnchoredNoise:
    """A NoiseSource for a batch of latents of one size.

    Draws count up from `first_draw`, the same in every tile, so that overlapping tiles agree.
    """

    def __init__(self, anchors: Sequence[Anchor], channels: int, device: str = "cpu", first_draw: int = 0) -> None:
        self._anchors = tuple(anchors)
        self._channels = channels
        self._device = device
        self._draw = first_draw

    def __call__(self, sigma: float = 0.0, sigma_next: float = 0.0) -> Tensor:  # noqa: ARG002  (no tree: any step is alike)
        """The next draw: B x C x H x W, float32."""
        noise = [self._drawn(anchor) for anchor in self._anchors]
        self._draw += 1
        return torch.from_numpy(np.stack(noise)).to(self._device)

    def _drawn(self, anchor: Anchor) -> NDArray[np.float32]:
        noise = anchored_noise(anchor.seed, self._draw, self._channels, anchor.bounds)
        for bounds, seed in anchor.patches:
            part = bounds.intersect(anchor.bounds)
            if not part.is_empty:
                rows, columns = part.translate(-anchor.bounds.x, -anchor.bounds.y).slices
                noise[:, rows, columns] = anchored_noise(seed, self._draw, self._channels, part)
        return noise
