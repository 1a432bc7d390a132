"""Scumble's own noise levels: where a refinement starts and how it falls. No torch: the plan shows them."""

import math

import numpy as np
from numpy.typing import NDArray

BETA_START, BETA_END, TRAINING_STEPS = 0.00085, 0.012, 1000
# The last level before 0 is this much below the first, if the table goes so far: nothing visible is left to do there.
FALL = 40
# A flow's last level has no signal; this share of the way to it, sigma is still finite (4,095 without shift).
LAST_FLOW_TIME = 1 - 2.0**-12
# What is left of the signal where a zero-terminal-SNR table has none: sigma stays finite, about 4,500.
LOWEST_SIGNAL = 4.8973451890853435e-08


def training_levels(zero_snr: bool = False) -> NDArray[np.float64]:
    """The 1,000 sigmas of SD 1.5 and SDXL, rising: "scaled linear" betas (Rombach et al. 2022).

    With `zero_snr` the last level has (almost) no signal: Lin et al. 2024, algorithm 1.
    """
    betas = np.linspace(BETA_START**0.5, BETA_END**0.5, TRAINING_STEPS) ** 2
    signal = np.cumprod(1 - betas)
    if zero_snr:
        roots = np.sqrt(signal)
        signal = np.maximum(((roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))) ** 2, LOWEST_SIGNAL)
    levels: NDArray[np.float64] = np.sqrt((1 - signal) / signal)
    return levels


def flow_levels(shift: float) -> NDArray[np.float64]:
    """A flow's 1,000 sigmas t / (1 - t), rising: t in even steps up to 1, shifted (`prediction.flow_sigmas`)."""
    time = np.minimum(np.linspace(1 / TRAINING_STEPS, 1, TRAINING_STEPS), LAST_FLOW_TIME)
    levels: NDArray[np.float64] = shift * time / (1 - time)
    return levels


def start_level(table: NDArray[np.float64], strength: float) -> float:
    """Where a refinement of this strength (0 to 1) starts: that share of the way up the training steps.

    It is what artists know as "denoise" from img2img: 0.25 is sigma 0.695 with SDXL's table, 1 is the highest. Where
    a schedule counts steps, as ComfyUI's "normal" does, it starts a little below: at 0.596 with the last 5 of 20.
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


def trailing(table: NDArray[np.float64], highest: float, steps: int) -> tuple[float, ...]:
    """`steps` sigmas from `highest` down in even steps of training time, the last of them one step above 0, then 0.

    From the top this is "trailing" spacing (Lin et al. 2024, section 3.3), which distilled models were trained on, and
    the usual schedule of flows. Where there are fewer training steps left than asked for, `falling` serves.
    """
    place = float(np.interp(math.log(highest), np.log(table), np.arange(len(table))))
    if place + 1 < 2 * steps:
        return falling(table, highest, steps)
    places = place - (place + 1) / steps * np.arange(1, steps)
    return (highest, *np.exp(np.interp(places, np.arange(len(table)), np.log(table))).tolist(), 0.0)
