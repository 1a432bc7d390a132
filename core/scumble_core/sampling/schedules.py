"""Schedules: how the steps of a whole walk, from the table's highest sigma to 0, are spread.

Each takes a table of training sigmas (rising; float64 where the logs must be exact) and a number of steps, and gives
falling sigmas, float32, the last of them 0. They do the reference engine's float32 operations in its order, so that
its recorded numbers come out to the bit.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from scumble_core.sampling.sigmas import log_sigmas

Schedule = Callable[[Tensor, int], Tensor]

_RHO = 7.0
_BETA_SHAPE = 0.6


def exponential(table: Tensor, steps: int) -> Tensor:
    """Evenly spaced in log from the table's highest to its lowest (k-diffusion's)."""
    highest, lowest = _ends(table)
    return _closed(torch.linspace(math.log(highest), math.log(lowest), steps).exp())


def karras(table: Tensor, steps: int) -> Tensor:
    """Evenly spaced in sigma^(1/7) (Karras et al. 2022, equation 5)."""
    highest, lowest = (end ** (1 / _RHO) for end in _ends(table))
    return _closed((highest + torch.linspace(0, 1, steps) * (lowest - highest)) ** _RHO)


def normal(table: Tensor, steps: int) -> Tensor:
    """At evenly spaced training steps, both ends included."""
    return _closed(_at(table, torch.linspace(len(table) - 1, 0, steps)))


def sgm_uniform(table: Tensor, steps: int) -> Tensor:
    """At evenly spaced training steps, the lowest of them left out (Stability's generative models)."""
    return _closed(_at(table, torch.linspace(len(table) - 1, 0, steps + 1)[:-1]))


def simple(table: Tensor, steps: int) -> Tensor:
    """Every so many of the table's own levels, counted from the highest."""
    stride = len(table) / steps
    return _closed(_levels(table, (-(1 + int(step * stride)) for step in range(steps))))


def ddim_uniform(table: Tensor, steps: int) -> Tensor:
    """Every so many of the table's own levels, counted from the second lowest (Song et al. 2021).

    Where the table's length is no multiple of `steps`, there are more steps than asked for.
    """
    stride = max(len(table) // steps, 1)
    return _closed(_levels(table, reversed(range(1, len(table), stride))))


def beta(table: Tensor, steps: int) -> Tensor:
    """At the training steps of a beta(0.6, 0.6) distribution's quantiles, denser at both ends (Lee et al. 2024).

    With many steps neighbours fall on the same training step: such steps are left out.
    """
    quantiles = betaincinv(_BETA_SHAPE, _BETA_SHAPE, 1 - np.linspace(0, 1, steps, endpoint=False))
    places = np.rint(quantiles * (len(table) - 1)).astype(int)
    return _closed(_levels(table, dict.fromkeys(places.tolist())))


SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "exponential": exponential,
        "karras": karras,
        "normal": normal,
        "simple": simple,
        "sgm_uniform": sgm_uniform,
        "ddim_uniform": ddim_uniform,
        "beta": beta,
    }
)


def _ends(table: Tensor) -> tuple[float, float]:
    """The highest and the lowest level, as float32 holds them."""
    return float(table[-1].float()), float(table[0].float())


def _levels(table: Tensor, places: Iterable[int]) -> Tensor:
    return table.float()[torch.tensor(list(places), dtype=torch.long)]


def _at(table: Tensor, timesteps: Tensor) -> Tensor:
    """The levels at training steps, whole or not, interpolated in log.

    One at a time: vectorised `exp` may round otherwise than that of a single number, which the reference takes.
    """
    logs = log_sigmas(table)
    levels = []
    for timestep in timesteps:
        low, high, part = timestep.floor().long(), timestep.ceil().long(), timestep.frac()
        levels.append(float(((1 - part) * logs[low] + part * logs[high]).exp()))
    return torch.tensor(levels, dtype=torch.float32)


def _closed(sigmas: Tensor) -> Tensor:
    return torch.cat([sigmas, sigmas.new_zeros(1)])
