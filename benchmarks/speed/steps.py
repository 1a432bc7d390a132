"""What fewer model calls cost in quality: `python -m benchmarks.speed.steps [--pictures N]`, on the starter models.

Crops of held-out photos are enlarged 2x by a bicubic filter and refined as one tile, from the same noise and sigma, in
few steps and in many. A sampler that solves the same equation in fewer calls comes nearer to its many-step solution;
what the picture gains in detail, and how far its colour moves, are set beside it.

The reference node's walk (dpmpp_3m_sde, the last of 20 steps of the "exponential" schedule) is stochastic: its solution
is that of many steps along the same Brownian tree, so that the noise is the same.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from benchmarks.starter import colour_shift, crops, detail, psnr, resized
from numpy.typing import NDArray
from tools.train_starter.data import VALIDATION

from scumble_core.cli.rival import STEPS
from scumble_core.mikey.noise import noise_source
from scumble_core.models.cache import ModelCache
from scumble_core.models.interface import LatentModel
from scumble_core.picture.geometry import Extent
from scumble_core.request import RefineRequest
from scumble_core.sampling.levels import start_level
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.schedules import SCHEDULES

Floats = NDArray[np.float32]
MANY = ("dpmpp_2m", 40)
FEW = (
    ("euler", 5), ("dpmpp_2m", 8), ("dpmpp_2m", 6), ("dpmpp_2m", 5), ("euler", 4), ("dpmpp_2m", 4), ("dpmpp_2m", 3),
)  # fmt: skip
REFERENCE = "dpmpp_3m_sde"
# So many steps for each of the reference's are its solution.
FINER = 4


@dataclass(frozen=True)
class Way:
    """A sampler and the sigmas that it walks down, which end in 0."""

    name: str
    sampler: str
    sigmas: tuple[float, ...]

    @property
    def calls(self) -> int:
        return len(self.sigmas) - 1


def walked(model: LatentModel, pixels: Floats, way: Way) -> Floats:
    """One tile, H x W x 3 in and out, 0 to 1; always from the same noise."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
    clean = model.encode(tensor)
    first = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    sigmas = torch.tensor(way.sigmas, dtype=torch.float64)
    noise = noise_source(way.sampler, first, sigmas.float(), 0)
    prompt = model.encode_prompt("", Extent(pixels.shape[1], pixels.shape[0]))
    noisy = clean + first * way.sigmas[0]
    latents = SAMPLERS[way.sampler](lambda x, s: model.denoise(x, s, prompt), noisy, sigmas, noise)
    refined: Floats = model.decode(latents)[0].float().numpy().transpose(1, 2, 0).clip(0, 1)
    return refined


def groups(model: LatentModel, strength: float) -> Iterator[tuple[Way, ...]]:
    """Ways that solve the same equation, the first of each in many steps; all start at the same of the reference's
    sigmas.
    """
    levels = model.facts.levels
    wanted = start_level(levels, strength * model.facts.reach)
    exponential = SCHEDULES["exponential"](torch.from_numpy(levels), STEPS).double().numpy()[:-1]
    theirs = exponential[np.abs(np.log(exponential / wanted)).argmin() :]
    own = (Way(f"{sampler}", sampler, model.facts.spread(float(theirs[0]), steps)) for sampler, steps in (MANY, *FEW))
    yield tuple(own)
    places = np.linspace(0, len(theirs) - 1, FINER * (len(theirs) - 1) + 1)
    fine = np.exp(np.interp(places, np.arange(len(theirs)), np.log(theirs)))
    yield tuple(Way(f"reference, {REFERENCE}", REFERENCE, (*each.tolist(), 0.0)) for each in (fine, theirs))


def main() -> None:
    """One row for each way to walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--side", type=int, default=256, help="of the crops, in pixels, a multiple of 32")
    parser.add_argument("--strength", type=float, default=RefineRequest().strength)
    options = parser.parse_args()
    model = ModelCache().latent_model("starter", "starter-refiner")
    rows: dict[Way, list[tuple[float, ...]]] = {}
    for sharp in crops(VALIDATION, options.pictures):
        true = sharp[: options.side, : options.side]
        blurred = resized(resized(true, options.side // 2), options.side)
        for ways in groups(model, options.strength):
            solution: Floats | None = None
            for way in ways:
                began = time.process_time()
                refined = walked(model, blurred, way)
                seconds = time.process_time() - began
                solution = refined if solution is None else solution
                apart = float(np.sqrt(np.mean((refined - solution) ** 2))) * 255
                gained = detail(refined) / detail(blurred) - 1
                rows.setdefault(way, []).append(
                    (apart, gained, psnr(refined, true), colour_shift(blurred, refined), seconds)
                )
    print(f"{options.pictures} crops of {options.side} px, from sigma {next(iter(rows)).sigmas[0]:.3f},", end=" ")
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print(
        "| sampler | calls | RMS from its many-step solution, levels | detail gained | PSNR to the true one, dB ",
        end="",
    )
    print("| colour shift | CPU, s |\n|---|---|---|---|---|---|---|")
    for way, found in rows.items():
        apart, gained, true_psnr, shift, seconds = np.mean(found, axis=0)
        print(f"| {way.name} | {way.calls} | {apart:.2f} | {gained:+.1%} | {true_psnr:.2f}", end=" ")
        print(f"| {shift:.2f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
