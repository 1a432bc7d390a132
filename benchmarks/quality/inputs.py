"""What the tile pass is measured on: pictures already of the output's size, float32, H x W x 3, 0 to 1."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from tools.train_starter.data import ROOT, VALIDATION, fetch, load, pictures

Floats = NDArray[np.float32]
Kind = Literal["flat", "gradient", "texture", "photo"]

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "sample.png"
# Photos are enlarged by this before the tile pass, so that there is a source to be faithful to.
ENLARGED = 2


@dataclass(frozen=True)
class Input:
    """`source`: what the picture was enlarged from, at 1/ENLARGED of the size; None where it was made at that size."""

    name: str
    kind: Kind
    pixels: Floats
    source: Floats | None = None


def made(side: int, seed: int = 0) -> list[Input]:
    """The pictures made by formula, side x side."""
    return [
        Input("flat", "flat", flat(side)),
        Input("gradient", "gradient", gradient(side)),
        Input("grain", "texture", grain(side, seed)),
        Input("weave", "texture", weave(side, seed)),
    ]


def photos(side: int, count: int, say: Callable[[str], None]) -> list[Input]:
    """docs/sample.png, and `count` crops of held-out wallpapers; a package that can't be had is told and left out."""
    found = [_photo("sample", Image.open(SAMPLE).convert("RGB"), side)]
    try:
        if count > 0:
            (ROOT / "pictures").mkdir(parents=True, exist_ok=True)
            fetch((VALIDATION,))
        paths = pictures(VALIDATION)[: 3 * count : 3]
    except Exception as error:  # no apt, no network, another distribution: the rest can still be measured
        say(f"No crops of {VALIDATION}: the package could not be fetched ({error}).")
        return found
    return found + [_photo(path.stem.lower().split("_by")[0], load(path), side) for path in paths]


def flat(side: int) -> Floats:
    """One colour, a warm mid grey."""
    return np.broadcast_to(np.array([0.55, 0.5, 0.45], np.float32), (side, side, 3)).copy()


def gradient(side: int) -> Floats:
    """A slow evening sky in float: each channel falls at its own pace, so it has no 8-bit bands."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    return np.stack([0.75 - 0.3 * y + 0.05 * x, 0.55 - 0.2 * y + 0.1 * x, 0.4 + 0.25 * y], axis=2).astype(np.float32)


def grain(side: int, seed: int = 0) -> Floats:
    """Gaussian noise low-passed to about 3 pixels, mostly luma: plaster, sand, film grain enlarged."""
    rng = np.random.default_rng(seed)
    luma = _unit(gaussian_filter(rng.standard_normal((side, side, 1)), (1.2, 1.2, 0), mode="wrap"))
    chroma = _unit(gaussian_filter(rng.standard_normal((side, side, 3)), (2, 2, 0), mode="wrap"))
    return np.clip(0.5 + 0.08 * luma + 0.02 * chroma, 0, 1).astype(np.float32)


def weave(side: int, seed: int = 0) -> Floats:
    """Canvas: threads of 7.3 and 8.1 pixels, turned a little so that no two tiles begin alike, and some grain."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    u, v = x * 0.995 + y * 0.0998, y * 0.995 - x * 0.0998
    across, down = np.sin(2 * np.pi * u / 7.3), np.sin(2 * np.pi * v / 8.1)
    over = np.sign(np.sin(np.pi * u / 7.3) * np.sin(np.pi * v / 8.1))
    threads = gaussian_filter(np.where(over > 0, across, down), 0.8, mode="nearest")
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), 1.0, mode="wrap")
    luma = (0.07 * threads + 0.03 * _unit(noise))[..., None]
    cloth: Floats = np.clip(np.array([0.62, 0.56, 0.47]) + luma, 0, 1).astype(np.float32)
    return cloth


def _photo(name: str, image: Image.Image, side: int) -> Input:
    """The middle of the picture, enlarged to at most `side` pixels."""
    width, height = (min(side // ENLARGED, edge) // 8 * 8 for edge in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    crop = np.asarray(image.crop((left, top, left + width, top + height)), np.float32)
    source: Floats = crop / np.float32(255)
    return Input(name, "photo", _enlarged(source), source)


def _enlarged(pixels: Floats) -> Floats:
    """By Pillow's bicubic filter, in float."""
    size = (pixels.shape[1] * ENLARGED, pixels.shape[0] * ENLARGED)
    channels = [
        np.asarray(Image.fromarray(np.ascontiguousarray(pixels[..., channel])).resize(size, Image.Resampling.BICUBIC))
        for channel in range(3)
    ]
    enlarged: Floats = np.clip(np.stack(channels, axis=2), 0, 1).astype(np.float32)
    return enlarged


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = values / values.std()
    return unit
