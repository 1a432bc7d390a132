"""What all samplers share: their interface, and the steps of a walk.

A sampler takes a denoiser (x, sigma) -> x0, a noisy latent, falling sigmas that end in 0, and a source of unit-variance
noise. Latents are B x C x H x W, variance-exploding (x = x0 + sigma * eps). Nothing here knows of models or tiles.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]


class NoiseSource(Protocol):
    """Unit-variance noise of the latent's shape, independent from call to call."""

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        """The noise of the step between two sigmas (a Brownian tree needs them; others need not look)."""


Sampler = Callable[[Denoiser, Tensor, Tensor, NoiseSource], Tensor]


def steps(sigmas: Tensor) -> list[tuple[float, float]]:
    """(from, to) for each step."""
    return list(pairwise(float(sigma) for sigma in sigmas))


def ancestral(sigma: float, following: float) -> tuple[float, float]:
    """How far down a stochastic step goes, and how much fresh noise brings it back up to `following`."""
    up = min(following, math.sqrt(following**2 * (sigma**2 - following**2) / sigma**2))
    return math.sqrt(following**2 - up**2), up
