"""Measure the starter models on held-out pictures and print the model cards' tables.

`python -m benchmarks.starter [--pictures N] [--package lomiri-wallpapers-16.04]` fetches the package (Debian, apt).
All figures are means over pictures, from centre crops of what was never trained on.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage.color import deltaE_ciede2000, rgb2lab
from tools.train_starter.data import VALIDATION, fetch, load, pictures

from scumble_core.models.cache import ModelCache
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture
from scumble_core.pipeline import run_job
from scumble_core.request import RefineRequest

Floats = NDArray[np.float32]
SIGMAS = (0.1, 0.3, 0.6, 1.0, 2.0)
SIDE = 512


def crops(package: str, count: int) -> list[Floats]:
    """Centre crops, SIDE x SIDE x 3 in 0 to 1; pictures are halved first, as in training."""
    found = []
    for path in pictures(package)[:count]:
        image = load(path)
        left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
        crop = image.crop((left, top, left + SIDE, top + SIDE))
        found.append(np.asarray(crop, np.float32) / 255)
    return found


def tensor(pixels: Floats) -> torch.Tensor:
    """1 x 3 x H x W."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


def psnr(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """In dB, for values in 0 to 1."""
    return float(-10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2)))


def luma(pixels: Floats) -> Floats:
    """Y of BT.601 in studio range, as super-resolution papers measure it."""
    return ((65.481 * pixels[..., 0] + 128.553 * pixels[..., 1] + 24.966 * pixels[..., 2] + 16) / 255).astype(
        np.float32
    )


def resized(pixels: Floats, side: int) -> Floats:
    """Pillow's bicubic with antialiasing, rounded to 8 bits, as a file would be."""
    image = Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255


def upscaler_table(models: ModelCache, sharp: list[Floats]) -> None:
    """PSNR-Y against bicubic."""
    print("| upscaler | bicubic, dB | starter, dB | gain, dB | wanted |\n|---|---|---|---|---|")
    for scale, wanted in ((2, 1.0), (4, 0.6)):
        plain, ours = [], []
        for picture in sharp:
            small = resized(picture, SIDE // scale)
            large = models.upscaler(f"starter-x{scale}")(tensor(small))[0].numpy().transpose(1, 2, 0).clip(0, 1)
            inner = (slice(scale, -scale),) * 2
            plain.append(psnr(luma(resized(small, SIDE))[inner], luma(picture)[inner]))
            ours.append(psnr(luma(large)[inner], luma(picture)[inner]))
        gain = np.mean(ours) - np.mean(plain)
        print(f"| x{scale} | {np.mean(plain):.2f} | {np.mean(ours):.2f} | **{gain:+.2f}** | +{wanted} |")


def denoising_table(models: ModelCache, sharp: list[Floats]) -> None:
    """One call of the model on latents with white noise; PSNR in pixels."""
    wanted = {0.1: "3.3", 0.3: "7", 0.6: "9", 1.0: "10"}
    both = models.latent_model("starter", "starter-refiner")
    alone = {"base": models.latent_model("starter"), "refiner": models.latent_model("starter-refiner")}
    print("\n| sigma | noisy, dB | base, dB | refiner, dB | serving, dB | gain, dB | wanted |")
    print("|---|---|---|---|---|---|---|")
    generator = torch.Generator().manual_seed(0)
    for sigma in SIGMAS:
        scores: dict[str, list[float]] = {"noisy": [], "base": [], "refiner": [], "serving": []}
        for picture in sharp:
            clean = both.encode(tensor(picture))
            noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
            guesses = {name: model.denoise(noisy, sigma, model.encode_prompt("", Extent(SIDE, SIDE)))
                       for name, model in (*alone.items(), ("serving", both))}  # fmt: skip
            for name, latents in (("noisy", noisy), *guesses.items()):
                pixels = both.decode(latents)[0].numpy().transpose(1, 2, 0)
                scores[name].append(psnr(pixels.clip(0, 1) if name != "noisy" else pixels, picture))
        mean = {name: float(np.mean(values)) for name, values in scores.items()}
        row = " | ".join(f"{mean[name]:.2f}" for name in scores)
        print(f"| {sigma} | {row} | **{mean['serving'] - mean['noisy']:+.2f}** | {wanted.get(sigma, '-')} |")


def detail(pixels: Floats) -> float:
    """Standard deviation of the 3 x 3 high pass of luma."""
    grey = luma(pixels)
    return float(np.std(grey - uniform_filter(grey, 3)))


def colour_shift(a: Floats, b: Floats) -> float:
    """Mean CIEDE2000 of both low-passed."""
    low = [gaussian_filter(pixels, (8, 8, 0)) for pixels in (a, b)]
    return float(np.mean(deltaE_ciede2000(*(rgb2lab(pixels) for pixels in low))))


def refine(models: ModelCache, pixels: Floats, **request: object) -> Floats:
    """One job at scale 1."""
    with tempfile.TemporaryDirectory() as folder:
        source = Picture.create(Path(folder, "source.npy"), Extent(pixels.shape[1], pixels.shape[0]), 4, np.float32)
        source.write(source.bounds, np.concatenate((pixels, np.ones_like(pixels[..., :1])), 2))
        source.flush()
        values = {"scale": 1, "upscaler": "none", **request}
        run_job(Path(folder), RefineRequest.from_dict(values), models, lambda _event: None, lambda: False)
        return np.load(Path(folder, "refined.npy"))[..., :3]


def refinement_table(models: ModelCache, sharp: list[Floats], save: Path | None, strengths: list[float]) -> None:
    """Refining a bicubic 2x enlargement."""
    print("\n| strength | detail of input | refined | gained | true | of true | colour shift, Delta-E |")
    print("|---|---|---|---|---|---|---|")
    for strength in strengths:
        rows = []
        for number, picture in enumerate(sharp):
            blurred = resized(resized(picture, SIDE // 2), SIDE)
            refined = refine(models, blurred, strength=strength)
            rows.append((detail(blurred), detail(refined), detail(picture), colour_shift(blurred, refined)))
            if save is not None:
                row = np.concatenate((blurred, refined, picture), axis=1).clip(0, 1)
                Image.fromarray(np.round(row * 255).astype(np.uint8)).save(save / f"{number}-{strength:g}.png")
        before, after, true, shift = np.mean(rows, axis=0)
        gained, share = f"**{after / before - 1:+.0%}**", f"{after / true:.0%}"
        print(f"| {strength:g} | {before:.4f} | {after:.4f} | {gained} | {true:.4f} | {share} | {shift:.2f} |")


def main() -> None:
    """All three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", default=VALIDATION)
    parser.add_argument("--pictures", type=int, default=15)
    parser.add_argument("--save", type=Path, help="a folder for pictures: input, refined, true side by side")
    parser.add_argument("--strength", type=float, nargs="*", default=[RefineRequest().strength])
    parser.add_argument("--only", choices=["upscaler", "denoising", "refinement"])
    arguments = parser.parse_args()
    fetch((arguments.package,))
    models = ModelCache()
    sharp = crops(arguments.package, arguments.pictures)
    print(f"{len(sharp)} crops of {SIDE} x {SIDE} from {arguments.package}, on {models.device.name}\n")
    if arguments.only in (None, "upscaler"):
        upscaler_table(models, sharp)
    if arguments.only in (None, "denoising"):
        denoising_table(models, sharp)
    if arguments.only in (None, "refinement"):
        refinement_table(models, sharp, arguments.save, arguments.strength)


if __name__ == "__main__":
    main()
