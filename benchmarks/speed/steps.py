"""What fewer model calls cost in quality: `python -m benchmarks.speed.steps [--pictures N]`, on the starter models.

Crops of held-out photos are enlarged 2x by a bicubic filter and refined as one tile, from the same noise, in few steps
and in many. A sampler that solves the same equation in fewer calls comes nearer to the many-step solution; what the
picture gains in detail, and how far its colour moves, are set beside it.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import torch
from benchmarks.starter import colour_shift, crops, detail, psnr, resized
from numpy.typing import NDArray
from tools.train_starter.data import VALIDATION
from torch import Tensor

from scumble_core.models.cache import ModelCache
from scumble_core.models.interface import LatentModel
from scumble_core.picture.geometry import Extent
from scumble_core.request import RefineRequest
from scumble_core.sampling.levels import start_level
from scumble_core.sampling.samplers import SAMPLERS

Floats = NDArray[np.float32]
MANY = ("dpmpp_2m", 40)
FEW = (("euler", 5), ("dpmpp_2m", 5), ("euler", 4), ("dpmpp_2m", 4), ("euler", 3), ("dpmpp_2m", 3), ("dpmpp_2m", 2))


def walked(model: LatentModel, pixels: Floats, sigma: float, sampler: str, steps: int) -> Floats:
    """One tile, H x W x 3 in and out, 0 to 1; always from the same noise."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
    clean = model.encode(tensor)
    generator = torch.Generator().manual_seed(0)

    first = torch.randn(clean.shape, generator=generator)

    def noise(sigma: float, sigma_next: float) -> Tensor:  # noqa: ARG001  (any step is alike)
        return torch.randn(clean.shape, generator=generator)

    prompt = model.encode_prompt("", Extent(pixels.shape[1], pixels.shape[0]))
    sigmas = torch.tensor(model.facts.spread(sigma, steps), dtype=torch.float64)
    latents = SAMPLERS[sampler](lambda x, s: model.denoise(x, s, prompt), clean + first * sigma, sigmas, noise)
    refined: Floats = model.decode(latents)[0].float().numpy().transpose(1, 2, 0).clip(0, 1)
    return refined


def main() -> None:
    """One row for each way to walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--side", type=int, default=256, help="of the crops, in pixels, a multiple of 32")
    parser.add_argument("--strength", type=float, default=RefineRequest().strength)
    options = parser.parse_args()
    models = ModelCache()
    model = models.latent_model("starter", "starter-refiner")
    sigma = start_level(model.facts.levels, options.strength * model.facts.reach)
    rows: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    for sharp in crops(VALIDATION, options.pictures):
        true = sharp[: options.side, : options.side]
        blurred = resized(resized(true, options.side // 2), options.side)
        many = walked(model, blurred, sigma, *MANY)
        for way in (MANY, *FEW):
            began = time.process_time()
            refined = walked(model, blurred, sigma, *way)
            seconds = time.process_time() - began
            apart = float(np.sqrt(np.mean((refined - many) ** 2))) * 255
            gained = detail(refined) / detail(blurred) - 1
            rows.setdefault(way, []).append(
                (apart, gained, psnr(refined, true), colour_shift(blurred, refined), seconds)
            )
    print(f"{options.pictures} crops of {options.side} px, strength {options.strength:g} (sigma {sigma:.3f}),", end=" ")
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print(
        "| sampler | calls | RMS from the many-step solution, levels of 8 bits | detail gained "
        "| PSNR to the true one, dB | colour shift, Delta-E | CPU, s |"
    )
    print("|---|---|---|---|---|---|---|")
    for (sampler, steps), found in rows.items():
        apart, gained, true_psnr, shift, seconds = np.mean(found, axis=0)
        print(f"| {sampler} | {steps} | {apart:.2f} | {gained:+.1%} | {true_psnr:.2f} | {shift:.2f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
