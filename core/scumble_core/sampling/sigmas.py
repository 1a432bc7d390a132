"""Sigmas: the noise levels a sampler walks down, in variance-exploding form (x = x0 + sigma * eps)."""

import torch
from torch import Tensor

from scumble_core.sampling.levels import BETA_END, BETA_START, LOWEST_SIGNAL, TRAINING_STEPS


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
