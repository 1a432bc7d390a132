"""sigmas.npz, and the noises of inputs.npz: the training table, schedules, timesteps, first noise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch
from benchmarks.parity.recorded import Golden
from benchmarks.parity.result import Result, compared
from numpy.typing import NDArray

from scumble_core.mikey.noise import first_noise
from scumble_core.sampling.schedules import SCHEDULES
from scumble_core.sampling.sigmas import nearest_timestep, training_sigmas

_SCHEDULE = re.compile(r"(?P<schedule>[a-z]\w*?)_(?P<steps>\d+)")
# Without a schedule's name the timesteps are those of `exponential`.
_TIMESTEPS = re.compile(r"(?:(?P<before>[a-z]\w*?)_)?timesteps?_(?:(?P<after>[a-z]\w*?)_)?(?P<steps>\d+)")
_NOISE = re.compile(r"noise_seed(?P<seed>\d+|max)?(?:_batch\d+)?")
_INPUTS = re.compile(r"seed|lat\w*|toy_\w+|\w+_(?:pos|neg)(?:_pooled)?|\w+_time_ids(?:_pos|_neg)?")


def check(golden: Golden) -> Iterator[Result]:
    """Everything here is exact."""
    recorded = golden.arrays("sigmas.npz")
    if recorded is None:
        yield golden.trouble("sigmas.npz")
    for key, expected in (recorded or {}).items():
        yield _check_sigmas(key, expected)
    inputs = golden.arrays("inputs.npz")
    if inputs is None:
        yield golden.trouble("inputs.npz")
    for key, expected in (inputs or {}).items():
        yield _check_input(key, expected, int(inputs["seed"]) if inputs and "seed" in inputs else None)


def _check_sigmas(key: str, expected: NDArray[Any]) -> Result:
    table = training_sigmas(torch.float64)
    if key == "sigmas_table":
        return compared("sigmas.npz", key, expected, lambda: training_sigmas().numpy())
    timesteps = _TIMESTEPS.fullmatch(key)
    if timesteps is not None:
        name, steps = timesteps["before"] or timesteps["after"] or "exponential", int(timesteps["steps"])
        if name in SCHEDULES:
            told = lambda: nearest_timestep(table, SCHEDULES[name](table, steps)[:-1]).numpy()  # noqa: E731
            return compared("sigmas.npz", key, expected, told)
    schedule = _SCHEDULE.fullmatch(key)
    if schedule is not None and schedule["schedule"] in SCHEDULES:
        name, steps = schedule["schedule"], int(schedule["steps"])
        return compared("sigmas.npz", key, expected, lambda: SCHEDULES[name](table, steps).numpy())
    return Result("sigmas.npz", key, "not compared", note="a key that is not known")


def _check_input(key: str, expected: NDArray[Any], seed: int | None) -> Result:
    noise = _NOISE.fullmatch(key)
    if noise is not None:
        named = noise["seed"]
        own = 2**64 - 1 if named == "max" else seed if named is None else int(named)
        if own is None:
            return Result("inputs.npz", key, "not compared", note="its seed is missing")
        return compared("inputs.npz", key, expected, lambda: first_noise(own, expected.shape).numpy())
    if _INPUTS.fullmatch(key):
        return Result("inputs.npz", key, "input")
    return Result("inputs.npz", key, "not compared", note="a key that is not known")
