"""sampling_toy.npz and sampling_tiny.npz: whole walks, with a toy and with tiny networks in the UNets' place."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from benchmarks.parity.recorded import Arrays, Golden
from benchmarks.parity.result import Result, compared
from benchmarks.parity.tiny import LATENT_SCALE, ToyUNet, tiny_unet
from numpy.typing import NDArray
from torch import Tensor

from scumble_core.mikey.noise import BrownianNoise
from scumble_core.mikey.phases import Phase, Settings, first_phases, tile_phase
from scumble_core.mikey.walk import run_phase, start_walk
from scumble_core.models.networks import TextConditioning
from scumble_core.sampling.guidance import Share, guided
from scumble_core.sampling.prediction import Epsilon, Network, NetworkDenoiser
from scumble_core.sampling.sigmas import training_sigmas

_TOLERANCE = 1e-5
_TABLE = functools.partial(training_sigmas, torch.float64)
_PREFIX = {"base": "base", "refiner": "ref"}
# What a recorded item is compared with, and whether it must be exact.
_EXACT_ITEMS = {"t", "noise", "noise_sigma_pairs", "tree", "tree_seed", "unet_calls"}
_NEAR_ITEMS = {"x", "denoised", "out"}


@dataclasses.dataclass(frozen=True)
class Run:
    """One recorded walk: its phase, where its latent comes from, and who is asked."""

    phase: Phase
    latent: NDArray[np.float32]
    network: Network[Any]
    positive: Any
    negative: Any
    seed: int

    @functools.cached_property
    def out(self) -> NDArray[Any]:
        """The phase's result in the autoencoder's space, as a job would get it."""
        denoise = NetworkDenoiser(self.network, Epsilon(_TABLE()))
        with torch.inference_mode():
            latent = run_phase(denoise, self.positive, self.negative, self.start, self.phase, self.seed, _TABLE())
        return (latent / LATENT_SCALE).numpy()

    @property
    def start(self) -> Tensor:
        return torch.from_numpy(self.latent) * LATENT_SCALE

    @functools.cached_property
    def trace(self) -> dict[str, NDArray[Any]]:
        """What happened on the way: the same walk again, watched."""
        times: list[int] = []
        seen: list[tuple[Tensor, Tensor]] = []
        draws: list[tuple[float, float, Tensor]] = []
        walk = start_walk(self.start, self.phase, self.seed, _TABLE())
        if walk is None:
            return {"t": np.zeros(0, int), "unet_calls": np.asarray(0)}

        def network(scaled: Tensor, time: Tensor, conditioning: Any) -> Tensor:
            # Both prompts are told the same time: one call counts.
            times.extend([int(time)] if conditioning is self.positive else [])
            return self.network(scaled, time, conditioning)

        denoise = guided(
            NetworkDenoiser(network, Epsilon(_TABLE())), [Share(self.positive)], self.negative, self.phase.cfg
        )

        def watched(x: Tensor, sigma: float) -> Tensor:
            x0 = denoise(x, sigma)
            seen.append((x, x0))
            return x0

        def drawn(sigma: float, sigma_next: float) -> Tensor:
            draws.append((sigma, sigma_next, walk.noise(sigma, sigma_next)))
            return draws[-1][2]

        with torch.inference_mode():
            dataclasses.replace(walk, noise=drawn).run(watched)
        found = {
            "t": np.asarray(times),
            "unet_calls": np.asarray(len(times)),
            "x": torch.stack([x for x, _ in seen]).numpy(),
            "denoised": torch.stack([x0 for _, x0 in seen]).numpy(),
            "noise_sigma_pairs": np.asarray([(sigma, following) for sigma, following, _ in draws]),
        }
        if draws:
            found["noise"] = torch.stack([noise for _, _, noise in draws]).numpy()
        if isinstance(walk.noise, BrownianNoise):
            found["tree"] = np.asarray([walk.noise.lowest, walk.noise.highest])
            found["tree_seed"] = np.asarray(walk.noise.seed, np.uint64)
        return found


def check(golden: Golden) -> Iterator[Result]:
    """Noise, times and sigmas exact; latents within 1e-5 of the largest."""
    for file, networks in (("sampling_toy.npz", _toy_networks), ("sampling_tiny.npz", _tiny_networks)):
        recorded = golden.arrays(file)
        if recorded is None:
            yield golden.trouble(file)
            continue
        inputs = golden.arrays("inputs.npz")
        runs: dict[str, Run | str] = {}
        for key, expected in recorded.items():
            name, _, item = key.partition("/")
            if name not in runs:
                runs[name] = _run(name, recorded, inputs, networks, golden)
            yield _check_item(file, key, item, expected, runs[name])


def _check_item(file: str, key: str, item: str, expected: NDArray[Any], run: Run | str) -> Result:
    if isinstance(run, str):
        return Result(file, key, "not compared", note=run)
    if item == "out":
        return compared(file, key, expected, lambda: run.out, _TOLERANCE, relative=True)
    if item in _NEAR_ITEMS:
        return compared(file, key, expected, lambda: run.trace[item], _TOLERANCE, relative=True)
    if item in _EXACT_ITEMS:
        return compared(file, key, expected, lambda: run.trace[item])
    return Result(file, key, "not compared", note="a key that is not known")


def _run(name: str, recorded: Arrays, inputs: Arrays | None, networks: Callable[..., Any], golden: Golden) -> Run | str:
    """The run of this name, or why there is none."""
    phase = _phase(name)
    if phase is None:
        return "a run that is not known"
    if inputs is None:
        return "inputs.npz is missing"
    try:
        latent = recorded["phase1/out"] if name == "phase2" else inputs["lat_empty" if name == "phase1" else "lat_tile"]
        network, positive, negative = networks(phase.role, inputs, golden)
        return Run(phase, latent, network, positive, negative, int(inputs["seed"]))
    except KeyError as error:
        return f"{error} is missing"


def _phase(name: str) -> Phase | None:
    """The preset's own phases; tileNN starts at step NN, whatever the tile's complexity says."""
    if name in ("phase1", "phase2"):
        return first_phases("mikey", Settings())[int(name[-1]) - 1]
    tile = re.fullmatch(r"tile_?(\d+)", name)
    return None if tile is None else dataclasses.replace(tile_phase("mikey", Settings()), first=int(tile[1]))


def _toy_networks(role: str, inputs: Arrays, _golden: Golden) -> tuple[Any, Any, Any]:
    toy = ToyUNet(torch.from_numpy(inputs["toy_mu"]), torch.from_numpy(inputs["toy_var"]))
    positive, negative = (torch.from_numpy(inputs[f"{_PREFIX[role]}_{sign}"]) for sign in ("pos", "neg"))
    return toy, positive, negative


def _tiny_networks(role: str, inputs: Arrays, golden: Golden) -> tuple[Any, Any, Any]:
    weights = golden.values("weights.json")
    if weights is None:
        raise KeyError("weights.json")
    positive, negative = (_conditioning(inputs, _PREFIX[role], sign) for sign in ("pos", "neg"))
    return tiny_unet(role, weights[role]), positive, negative


def _conditioning(inputs: Arrays, prefix: str, sign: str) -> TextConditioning:
    shared = f"{prefix}_time_ids"
    time_ids = inputs[shared if shared in inputs else f"{shared}_{sign}"]
    return TextConditioning(
        torch.from_numpy(inputs[f"{prefix}_{sign}"]),
        torch.from_numpy(inputs[f"{prefix}_{sign}_pooled"]),
        torch.from_numpy(np.atleast_2d(time_ids)).float(),
    )
