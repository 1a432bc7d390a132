"""Samplers: ways to walk from a noisy latent to a clean one.

All share one interface: a denoiser (x, sigma) -> x0, falling sigmas that end in 0, and a source of unit-variance
noise. Latents are B x C x H x W, variance-exploding (x = x0 + sigma * eps). Nothing here knows of models or tiles.
"""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]


class NoiseSource(Protocol):
    """Unit-variance noise of the latent's shape, independent from call to call."""

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        """The noise of the step between two sigmas (a Brownian tree needs them; others need not look)."""


Sampler = Callable[[Denoiser, Tensor, Tensor, NoiseSource], Tensor]


def euler(denoise: Denoiser, x: Tensor, sigmas: Tensor, _noise: NoiseSource) -> Tensor:
    """Euler's method on the probability flow ODE (Karras et al. 2022, algorithm 2 without churn)."""
    for sigma, following in _steps(sigmas):
        slope = (x - denoise(x, sigma)) / sigma
        x = x + slope * (following - sigma)
    return x


def euler_ancestral(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
    """Euler down to a lower level, then fresh noise back up (DDPM's ancestral step; Song et al. 2021, k-diffusion)."""
    for sigma, following in _steps(sigmas):
        x0 = denoise(x, sigma)
        up = min(following, math.sqrt(following**2 * (sigma**2 - following**2) / sigma**2))
        down = math.sqrt(following**2 - up**2)
        x = x + (x - x0) / sigma * (down - sigma)
        if up > 0:
            x = x + noise(sigma, following) * up
    return x


def dpmpp_2m(denoise: Denoiser, x: Tensor, sigmas: Tensor, _noise: NoiseSource) -> Tensor:
    """DPM-Solver++(2M): second order, one call a step (Lu et al. 2022, algorithm 2)."""
    before: Tensor | None = None
    h_before = 0.0
    for sigma, following in _steps(sigmas):
        x0 = denoise(x, sigma)
        if following == 0:
            return x0
        h = math.log(sigma / following)
        ahead = x0 if before is None else x0 + (x0 - before) * (h / (2 * h_before))
        x = x * (following / sigma) - ahead * math.expm1(-h)
        before, h_before = x0, h
    return x


def dpmpp_3m_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource, eta: float = 1.0) -> Tensor:
    """DPM-Solver++(3M) SDE: third order, stochastic, one call a step (Lu et al. 2022; k-diffusion's third order).

    The last two predictions give the first and second derivative of x0 in log sigma. Coefficients are computed in the
    sigmas' own precision, so that results equal the reference's to rounding.
    """
    x0_1 = x0_2 = x
    h_1 = h_2 = torch.zeros(())
    for step, (sigma, following) in enumerate(_steps(sigmas)):
        x0 = denoise(x, sigma)
        if following == 0:
            return x0
        h = sigmas[step].log() - sigmas[step + 1].log()
        damped = h * (eta + 1)
        x = x * torch.exp(-damped) - x0 * torch.expm1(-damped)
        phi_2 = torch.expm1(-damped) / damped + 1
        if step == 1:
            x = x + phi_2 * ((x0 - x0_1) * (h / h_1))
        elif step > 1:
            r0, r1 = h_1 / h, h_2 / h
            near, far = (x0 - x0_1) / r0, (x0_1 - x0_2) / r1
            first = near + (near - far) * (r0 / (r0 + r1))
            second = (near - far) / (r0 + r1)
            x = x + phi_2 * first - (phi_2 / damped - 0.5) * second
        if eta > 0:
            x = x + noise(sigma, following) * (following * torch.sqrt(-torch.expm1(-2 * h * eta)))
        x0_1, x0_2, h_1, h_2 = x0, x0_1, h, h_1
    return x


def _steps(sigmas: Tensor) -> list[tuple[float, float]]:
    """(from, to) for each step."""
    values = [float(sigma) for sigma in sigmas]
    return list(pairwise(values))


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {"euler": euler, "euler_ancestral": euler_ancestral, "dpmpp_2m": dpmpp_2m, "dpmpp_3m_sde": dpmpp_3m_sde}
)
