"""Fetch the training pictures as Debian packages and cut them into one memory-mapped array of crops.

The packages hold freely licensed photos and illustrations (licences: the model cards).  Pictures above 3 MP are
halved first, which removes JPEG artefacts and sensor noise: a denoiser learns whatever its targets look like.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[2] / "build" / "starter"
TRAINING = ("plasma-workspace-wallpapers", "mate-backgrounds", "gnome-backgrounds", "ukui-wallpapers")
VALIDATION = "lomiri-wallpapers-16.04"
TEST = "lomiri-wallpapers-20.04"  # never looked at while training or tuning
CROP = 128
CROPS_PER_PICTURE = 260
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
Image.MAX_IMAGE_PIXELS = None


def fetch(packages: tuple[str, ...], root: Path = ROOT) -> None:
    """Download and unpack the packages below `root/pictures/<package>`; nothing is installed."""
    debs = root / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    for package in packages:
        target = root / "pictures" / package
        if target.is_dir():
            continue
        subprocess.run(["apt-get", "download", package], cwd=debs, check=True)
        (deb,) = debs.glob(f"{package}_*.deb")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", str(deb), str(target)], check=True)


def pictures(package: str, root: Path = ROOT) -> list[Path]:
    """The package's pictures: the largest version of each, no symbolic links, no thumbnails."""
    best: dict[Path | str, Path] = {}
    for path in sorted((root / "pictures" / package).rglob("*")):
        if path.suffix.lower() not in SUFFIXES or path.is_symlink() or path.stem.startswith("screenshot"):
            continue
        # Plasma keeps one folder per picture, with one file per size.
        key: Path | str = path.parent if path.stem.replace("x", "").isdigit() else path
        if key not in best or _pixels(path) > _pixels(best[key]):
            best[key] = path
    return sorted(best.values())


def _pixels(path: Path) -> int:
    with Image.open(path) as image:
        return image.width * image.height


def load(path: Path, largest: float = 3e6) -> Image.Image:
    """The picture as RGB, halved (box filter, exact 2x2 means) until it has at most `largest` pixels."""
    image = Image.open(path).convert("RGB")
    while image.width * image.height > largest:
        image = image.reduce(2)
    return image


def crops(image: Image.Image, rng: np.random.Generator, wanted: int) -> Iterator[NDArray[np.uint8]]:
    """Random crops, H x W x 3 uint8; four of five flat ones are skipped, since they teach little."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    if min(height, width) < CROP:
        return
    area_limit = max(1, height * width // (CROP * CROP) * 2)  # about twice over the whole picture, no more
    for _ in range(min(wanted, area_limit)):
        y = int(rng.integers(height - CROP + 1))
        x = int(rng.integers(width - CROP + 1))
        crop = pixels[y : y + CROP, x : x + CROP]
        luma = crop.astype(np.float32).mean(2)
        if np.abs(np.diff(luma, axis=1)).mean() < 1.5 and rng.random() < 0.8:
            continue
        yield crop


def build(root: Path = ROOT, seed: int = 0) -> Path:
    """Write `crops.npy`, N x 128 x 128 x 3 uint8, shuffled."""
    rng = np.random.default_rng(seed)
    found: list[NDArray[np.uint8]] = []
    for package in TRAINING:
        for path in pictures(package, root):
            image = load(path)
            before = len(found)
            found.extend(crops(image, rng, CROPS_PER_PICTURE))
            found.extend(crops(image.reduce(2), rng, CROPS_PER_PICTURE // 3))
            print(f"{len(found) - before:4d} crops from {package}/{path.name} ({image.width}x{image.height})")
    order = rng.permutation(len(found))
    out = root / "crops.npy"
    np.save(out, np.stack([found[i] for i in order]))
    return out


def main() -> None:
    """Fetch everything, cut the crops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-out", action="store_true", help="also fetch the validation and test pictures")
    arguments = parser.parse_args()
    fetch((*TRAINING, VALIDATION, TEST) if arguments.held_out else TRAINING)
    print(build())


if __name__ == "__main__":
    main()
