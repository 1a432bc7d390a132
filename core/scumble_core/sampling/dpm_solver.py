"""DPM-Solver++: the exponential part of the step solved exactly, the prediction extrapolated (Lu et al. 2022)."""

import math

import torch
from torch import Tensor

from scumble_core.sampling.walk import Denoiser, NoiseSource, ancestral, steps


def dpmpp_2s_ancestral(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
    """Second order, single step: a call at the middle, then ancestral noise (k-diffusion's)."""
    for sigma, following in steps(sigmas):
        x0 = denoise(x, sigma)
        down, up = ancestral(sigma, following)
        if down == 0:
            x = x0
        else:
            middle = math.sqrt(sigma * down)
            halfway = _towards(x, x0, sigma, middle)
            x = _towards(x, denoise(halfway, middle), sigma, down)
        if up > 0:
            x = x + noise(sigma, following) * up
    return x


def dpmpp_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
    """Second order, stochastic, single step: noise at the middle, too (k-diffusion's, eta 1).

    The middle is computed in the sigmas' own precision: a Brownian tree's noise differs for the next number, too.
    """
    for step, (sigma, following) in enumerate(steps(sigmas)):
        x0 = denoise(x, sigma)
        if following == 0:
            return x0
        log, log_following = sigmas[step].log(), sigmas[step + 1].log()
        middle = float((log + 0.5 * (log_following - log)).exp())
        down, up = ancestral(sigma, middle)
        halfway = _towards(x, x0, sigma, down) + noise(sigma, middle) * up
        x0 = denoise(halfway, middle)
        down, up = ancestral(sigma, following)
        x = _towards(x, x0, sigma, down) + noise(sigma, following) * up
    return x


def dpmpp_2m(denoise: Denoiser, x: Tensor, sigmas: Tensor, _noise: NoiseSource) -> Tensor:
    """DPM-Solver++(2M): second order, one call a step (Lu et al. 2022, algorithm 2)."""
    before: Tensor | None = None
    h_before = 0.0
    for sigma, following in steps(sigmas):
        x0 = denoise(x, sigma)
        if following == 0:
            return x0
        h = math.log(sigma / following)
        ahead = x0 if before is None else x0 + (x0 - before) * (h / (2 * h_before))
        x = x * (following / sigma) - ahead * math.expm1(-h)
        before, h_before = x0, h
    return x


def dpmpp_2m_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
    """DPM-Solver++(2M) SDE: second order, stochastic, one call a step (k-diffusion's midpoint form, eta 1)."""
    before: Tensor | None = None
    h_before = 0.0
    for sigma, following in steps(sigmas):
        x0 = denoise(x, sigma)
        if following == 0:
            return x0
        h = math.log(sigma / following)
        reach = -math.expm1(-2 * h)
        x = x * (following / sigma) * math.exp(-h) + x0 * reach
        if before is not None:
            x = x + (x0 - before) * (0.5 * reach * h / h_before)
        x = x + noise(sigma, following) * (following * math.sqrt(reach))
        before, h_before = x0, h
    return x


def dpmpp_3m_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource, eta: float = 1.0) -> Tensor:
    """DPM-Solver++(3M) SDE: third order, stochastic, one call a step (Lu et al. 2022; k-diffusion's third order).

    The last two predictions give the first and second derivative of x0 in log sigma. Coefficients are computed in the
    sigmas' own precision, so that results equal the reference's to rounding.
    """
    x0_1 = x0_2 = x
    h_1 = h_2 = torch.zeros(())
    for step, (sigma, following) in enumerate(steps(sigmas)):
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


def _towards(x: Tensor, x0: Tensor, sigma: float, following: float) -> Tensor:
    """The exact step for a prediction that stays as it is."""
    return x * (following / sigma) + x0 * (1 - following / sigma)
