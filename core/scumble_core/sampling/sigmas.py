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


def karras(lowest: float, highest: float, steps: int, rho: float = 7.0) -> Tensor:
    """`steps` sigmas evenly spaced in sigma^(1/rho), falling, then 0 (Karras et al. 2022, equation 5)."""
    roots = torch.linspace(highest ** (1 / rho), lowest ** (1 / rho), steps, dtype=torch.float64)
    return torch.cat([roots**rho, roots.new_zeros(1)]).float()


def normal(table: Tensor, steps: int) -> Tensor:
    """`steps` sigmas at evenly spaced training steps, falling, then 0 (the even spacing of DDPM's own steps)."""
    places = torch.linspace(len(table) - 1, 0, steps)
    return torch.cat([sigma_at(table, places), table.new_zeros(1)])


def sigma_at(table: Tensor, timestep: Tensor) -> Tensor:
    """The level at a training step, whole or not: interpolated in log."""
    low = timestep.floor().long().clamp(0, len(table) - 1)
    high = (low + 1).clamp(max=len(table) - 1)
    logs = table.log()
    return torch.lerp(logs[low], logs[high], (timestep - low).to(logs.dtype)).exp()


def start_sigma(table: Tensor, strength: float) -> float:
    """Where a refinement of this strength (0 to 1) starts: that share of the way up the training steps.

    It is what artists know as "denoise" from img2img: 0.25 is sigma 0.59 with SDXL's table, 1 is the highest.
    """
    return float(sigma_at(table, torch.tensor(strength * (len(table) - 1), dtype=torch.float64)))


def falling(table: Tensor, highest: float, steps: int) -> Tensor:
    """`steps` sigmas from `highest` towards the table's lowest, evenly spaced in log, then 0.

    The last step, to 0, jumps from a level at which nothing visible is left to do.
    """
    lowest = min(max(float(table[0]), highest / 40), highest)
    sigmas = torch.linspace(math.log(highest), math.log(lowest), steps, dtype=torch.float64).exp().float()
    return torch.cat([sigmas, sigmas.new_zeros(1)])
