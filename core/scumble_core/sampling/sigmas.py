"""Sigmas: the noise levels a sampler walks down, in variance-exploding form (x = x0 + sigma * eps)."""

import math

import torch
from torch import Tensor

TRAINING_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012
# What is left of the signal where a zero-terminal-SNR table has none: sigma stays finite, about 4,500.
LOWEST_SIGNAL = 4.8973451890853435e-08


def training_sigmas(
    dtype: torch.dtype = torch.float32,
    *,
    beta_start: float = BETA_START,
    beta_end: float = BETA_END,
    steps: int = TRAINING_STEPS,
    zero_snr: bool = False,
) -> Tensor:
    """The sigmas of "scaled linear" betas, whose roots rise evenly: by default the 1,000 of SD 1.5 and SDXL, rising.

    Computed in float64. As float64 they give schedules equal to the reference's to the bit, which takes the logs of
    unrounded sigmas. With `zero_snr` the last level has (almost) no signal: Lin et al. 2024, algorithm 1.
    """
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, steps, dtype=torch.float64) ** 2
    signal = torch.cumprod(1 - betas, dim=0)
    if zero_snr:
        roots = signal.sqrt()
        signal = ((roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))) ** 2
    return sigmas_of(signal).to(dtype)


def sigmas_of(signal: Tensor) -> Tensor:
    """The sigmas of cumulative signal shares (the product of 1 - beta), always finite."""
    signal = signal.clamp(min=LOWEST_SIGNAL)
    return ((1 - signal) / signal) ** 0.5


def log_sigmas(table: Tensor) -> Tensor:
    """The logs of a table, float32."""
    return table.double().log().float()


def nearest_timestep(table: Tensor, sigma: Tensor) -> Tensor:
    """The index into `table` of the level nearest to each sigma in log: what an epsilon model is told."""
    return (sigma.log() - log_sigmas(table)[:, None]).abs().argmin(dim=0)


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
