"""Euler's method and its relations: a straight line towards the prediction."""

from torch import Tensor

from scumble_core.sampling.walk import Denoiser, NoiseSource, ancestral, steps


def euler(denoise: Denoiser, x: Tensor, sigmas: Tensor, _noise: NoiseSource) -> Tensor:
    """Euler's method on the probability flow ODE (Karras et al. 2022, algorithm 2 without churn)."""
    for sigma, following in steps(sigmas):
        slope = (x - denoise(x, sigma)) / sigma
        x = x + slope * (following - sigma)
    return x


def euler_ancestral(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
    """Euler down to a lower level, then fresh noise back up (DDPM's ancestral step; Song et al. 2021, k-diffusion)."""
    for sigma, following in steps(sigmas):
        x0 = denoise(x, sigma)
        down, up = ancestral(sigma, following)
        x = x + (x - x0) / sigma * (down - sigma)
        if up > 0:
            x = x + noise(sigma, following) * up
    return x


def heun(denoise: Denoiser, x: Tensor, sigmas: Tensor, _noise: NoiseSource) -> Tensor:
    """Heun's second-order method, two calls a step (Karras et al. 2022, algorithm 1)."""
    for sigma, following in steps(sigmas):
        slope = (x - denoise(x, sigma)) / sigma
        ahead = x + slope * (following - sigma)
        if following > 0:
            slope = (slope + (ahead - denoise(ahead, following)) / following) / 2
        x = x + slope * (following - sigma)
    return x


def lcm(denoise: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
    """The prediction itself, with fresh noise for the next level (Luo et al. 2023): for consistency models alone."""
    for sigma, following in steps(sigmas):
        x = denoise(x, sigma)
        if following > 0:
            x = x + noise(sigma, following) * following
    return x
