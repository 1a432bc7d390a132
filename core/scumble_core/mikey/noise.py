"""The noise of the reference node "Mikey Sampler Tiled": one generator for all tiles, a Brownian tree for SDE samplers.

All of it is drawn on the CPU, so that every machine draws the same; a reference that runs its tree on a GPU differs.
"""

import warnings

import torch
from diffusers.schedulers.scheduling_dpmsolver_sde import BrownianTreeNoiseSampler
from torch import Tensor

from scumble_core.sampling.walk import NoiseSource

_SEEDS = 2**64
_BROWNIAN = frozenset({"dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde"})


def shifted_seed(seed: int, by: int) -> int:
    """A seed and its neighbours; past 2^64 - 1, where the node would crash, it begins anew at 0."""
    return (seed + by) % _SEEDS


def first_noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    """The noise that a phase adds to its latent: standard normal, float32, from torch's CPU generator."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def noise_source(sampler: str, latent: Tensor, sigmas: Tensor, seed: int) -> NoiseSource:
    """What a sampler draws while it walks down `sigmas`: noise of the latent's shape, on its device."""
    if sampler in _BROWNIAN:
        return BrownianNoise(tuple(latent.shape), sigmas, seed, latent.device)
    return SequentialNoise(tuple(latent.shape), shifted_seed(seed, 1), latent.device)


class BrownianNoise:
    """Increments of one Brownian path over the walk's own sigmas, scaled to unit variance (k-diffusion's; torchsde)."""

    def __init__(self, shape: tuple[int, ...], sigmas: Tensor, seed: int, device: torch.device | str = "cpu") -> None:
        positive = sigmas[sigmas > 0]
        self.lowest, self.highest = float(positive.min()), float(sigmas.max())
        self.seed = seed
        self._shape, self._device = shape, device
        self._tree: BrownianTreeNoiseSampler | None = None

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        # Made when first asked: a walk of a single step has no range to make a tree over, and never asks.
        if self._tree is None:
            self._tree = BrownianTreeNoiseSampler(torch.zeros(self._shape), self.lowest, self.highest, self.seed)
        # At its ends the tree cuts off a hair of float rounding, and says so each time.
        with warnings.catch_warnings(category=UserWarning, action="ignore"):
            increment: Tensor = self._tree(sigma, sigma_next)
        return increment.to(self._device)


class SequentialNoise:
    """Draw after draw from one generator, whatever the sigmas: for ancestral samplers."""

    def __init__(self, shape: tuple[int, ...], seed: int, device: torch.device | str = "cpu") -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._shape, self._device = shape, device

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:  # noqa: ARG002  (any step is alike)
        return torch.randn(self._shape, generator=self._generator).to(self._device)
