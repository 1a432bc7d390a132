"""Scumble's own noise levels: where a refinement starts and how it falls. No torch: the plan shows them."""

import math

import numpy as np
from numpy.typing import NDArray

BETA_START, BETA_END, TRAINING_STEPS = 0.00085, 0.012, 1000
# The last level before 0 is this much below the first, if the table goes so far: nothing visible is left to do there.
FALL = 40


def training_levels() -> NDArray[np.float64]:
    """The 1,000 sigmas of SD 1.5 and SDXL, rising: "scaled linear" betas (Rombach et al. 2022)."""
    betas = np.linspace(BETA_START**0.5, BETA_END**0.5, TRAINING_STEPS) ** 2
    signal = np.cumprod(1 - betas)
    return np.sqrt((1 - signal) / signal)


def start_level(table: NDArray[np.float64], strength: float) -> float:
    """Where a refinement of this strength (0 to 1) starts: that share of the way up the training steps.

    It is what artists know as "denoise" from img2img: 0.25 is sigma 0.59 with SDXL's table, 1 is the highest.
    """
    return float(np.exp(np.interp(strength * (len(table) - 1), np.arange(len(table)), np.log(table))))


def table_below(table: NDArray[np.float64], highest: float) -> NDArray[np.float64]:
    """A table as long as this one, whose training steps are those from `highest` down: for schedules that start there.

    It falls to half of `highest` at least, as `falling` does.
    """
    logs = np.log(table)
    last = np.interp(math.log(highest), logs, np.arange(len(table)))
    part = np.interp(np.linspace(0, last, len(table)), np.arange(len(table)), logs)
    stretch = min(0.0, math.log(highest / 2) - float(part[0]))
    below: NDArray[np.float64] = np.exp(part + stretch * np.linspace(1, 0, len(table)))
    return below


def falling(table: NDArray[np.float64], highest: float, steps: int) -> tuple[float, ...]:
    """`steps` sigmas from `highest` towards the table's lowest, evenly spaced in log, then 0: `steps` + 1 numbers.

    They fall to half of `highest` at least, even from near the table's lowest: multistep samplers divide by the steps'
    lengths.
    """
    lowest = min(max(float(table[0]), highest / FALL), highest / 2)
    return (*np.exp(np.linspace(math.log(highest), math.log(lowest), steps)).tolist(), 0.0)
