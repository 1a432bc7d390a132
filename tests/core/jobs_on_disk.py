"""Jobs as the pipeline finds them: a folder with a source, and what else a test wants in there."""

import numpy as np
from tests.core.pictures import stored

from scumble_core.pipeline import run_job
from scumble_core.request import RefineRequest


def photo(width=160, height=112, dtype=np.uint8, alpha=None, seed=0):
    """Smooth shapes with some grain, RGBA."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    grain = np.random.default_rng(seed).normal(0, 0.01, (height, width, 3))
    colour = np.stack([0.5 + 0.3 * np.sin(x / 17), 0.5 + 0.3 * np.sin(y / 13), 0.5 + 0.3 * np.sin((x + y) / 23)], 2)
    a = np.ones((height, width, 1)) if alpha is None else alpha[..., None]
    pixels = np.concatenate((np.clip(colour + grain, 0, 1), a), 2)
    return pixels.astype(dtype) if np.dtype(dtype).kind == "f" else np.round(pixels * np.iinfo(dtype).max).astype(dtype)


def job(folder, pixels, **masks):
    """A job's folder; masks are H x W x 1, by their names in there ("-" as "_")."""
    folder.mkdir(parents=True, exist_ok=True)
    stored(folder / "source.npy", pixels)
    for name, mask in masks.items():
        if mask is not None:
            stored(folder / f"{name.replace('_', '-')}.npy", mask)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(folder, models, emit=lambda event: None, cancelled=lambda: False, **request):
    """The result and both pictures. Small tiles and few steps, unless the test asks for others."""
    request = {"tile_size": 128, "steps": 2, **request}
    result = run_job(folder, RefineRequest.from_dict(request), models, emit, cancelled)
    return result, np.load(folder / "upscaled.npy"), np.load(folder / "refined.npy")
