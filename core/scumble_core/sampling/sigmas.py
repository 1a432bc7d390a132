"""Sigmas: the noise levels a sampler walks down, in variance-exploding form (x = x0 + sigma * eps)."""

import math

import torch
from torch import Tensor

TRAINING_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012


def training_sigmas() -> Tensor:
    """The 1,000 sigmas of SD 1.5 and SDXL, rising, float32: "scaled linear" betas, whose roots rise evenly."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAINING_STEPS, dtype=torch.float64) ** 2
    signal = torch.cumprod(1 - betas, dim=0)
    return (((1 - signal) / signal) ** 0.5).float()


def exponential(table: Tensor, steps: int) -> Tensor:
    """`steps` sigmas evenly spaced in log from the table's highest to its lowest, then 0 (k-diffusion's)."""
    highest, lowest = float(table[-1]), float(table[0])
    sigmas = torch.linspace(math.log(highest), math.log(lowest), steps).exp()
    return torch.cat([sigmas, sigmas.new_zeros(1)])


def nearest_timestep(table: Tensor, sigma: Tensor) -> Tensor:
    """The index into `table` of the level nearest to each sigma in log: what an epsilon model is told."""
    return (sigma.log() - table.log()[:, None]).abs().argmin(dim=0)
