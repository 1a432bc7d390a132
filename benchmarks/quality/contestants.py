"""Those that are compared. Each gets a picture already of the output's size, so that only the tile pass differs."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from benchmarks.quality.layout import Layout, overlapped
from numpy.typing import NDArray
from torch import Tensor

from scumble_core.models.cache import ModelCache
from scumble_core.models.facts import STARTER
from scumble_core.models.interface import LatentModel
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture
from scumble_core.pipeline import run_job
from scumble_core.plan.job import plan_job
from scumble_core.plan.passes import RefinePass
from scumble_core.request import RefineRequest
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.walk import NoiseSource

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """What all contestants are given. `asked`: further fields of the product's request."""

    models: ModelCache
    tile: int
    strength: float
    seed: int
    asked: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a contestant made of a picture, where its tiles show if they do, and what it cost."""

    pixels: Floats
    layout: Layout
    seconds: float
    megapixels: float


Contestant = Callable[[Floats, Settings], Outcome]


def scumble(pixels: Floats, settings: Settings) -> Outcome:
    """The product: run_job at scale 1 without an upscaler."""
    request = _request(settings, settings.tile)
    began = time.monotonic()
    refined = run(request, pixels, settings.models)
    run_pass = _tile_pass(request, pixels)
    return Outcome(refined, _layout_of(run_pass, pixels), time.monotonic() - began, run_pass.megapixels)


def untiled(pixels: Floats, settings: Settings) -> Outcome:
    """The blank: the product with a single tile, looked at along the lines of `scumble`'s plan, where it has none.

    What a metric says of it is what it says of a picture without seams.
    """
    side = -(-max(pixels.shape[:2]) // 64) * 64
    request = _request(settings, side)
    began = time.monotonic()
    refined = run(request, pixels, settings.models)
    seconds = time.monotonic() - began
    one = _tile_pass(request, pixels)
    if len(one.boxes) != 1:
        raise RuntimeError(f"the blank was planned as {len(one.boxes)} tiles")
    layout = _layout_of(_tile_pass(_request(settings, settings.tile), pixels), pixels)
    return Outcome(refined, layout, seconds, one.megapixels)


def run(request: RefineRequest, pixels: Floats, models: ModelCache) -> Floats:
    """One job in float; H x W x 3 in and out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder, pixels)
        run_job(folder, request, models, lambda _event: None, lambda: False)
        refined: Floats = np.load(folder / "refined.npy")[..., :3]
        return refined


def write_source(folder: Path, pixels: Floats) -> None:
    """The job's source: the picture, opaque."""
    source = Picture.create(folder / "source.npy", Extent(pixels.shape[1], pixels.shape[0]), 4, np.float32)
    source.write(source.bounds, np.concatenate((pixels, np.ones_like(pixels[..., :1])), axis=2))
    source.flush()


def sample(model: LatentModel, pixels: Floats, noise: NoiseSource, first: Tensor, walk: "Walk") -> Floats:
    """One tile through the model, by hand: H x W x 3 in and out. `first` is the noise that it starts from."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].to(model.device)
    prompt = model.encode_prompt("", Extent(pixels.shape[1], pixels.shape[0]))
    noisy = model.encode(tensor) + first * walk.sigmas[0]
    latents = SAMPLERS[walk.sampler](lambda x, sigma: model.denoise(x, sigma, prompt), noisy, walk.sigmas, noise)
    refined: Floats = model.decode(latents)[0].float().cpu().numpy().transpose(1, 2, 0).clip(0, 1)
    return refined


@dataclass(frozen=True)
class Walk:
    """Sigmas, falling to 0, and who walks down them."""

    sigmas: Tensor
    sampler: str


def product_walk(settings: Settings, pixels: Floats) -> Walk:
    """The product's own start, steps and sampler, so that a rival differs in its tiling alone."""
    walk = _tile_pass(_request(settings, settings.tile), pixels).walk
    return Walk(torch.tensor(walk.sigmas, dtype=torch.float32), walk.sampler)


def starter(settings: Settings) -> LatentModel:
    """Base and refiner, as a job has them."""
    return settings.models.latent_model("starter", "starter-refiner")


def _request(settings: Settings, tile: int) -> RefineRequest:
    values = {"scale": 1, "upscaler": "none", "strength": settings.strength, "seed": settings.seed, "tile_size": tile}
    return RefineRequest.from_dict({**values, **settings.asked})


def _tile_pass(request: RefineRequest, pixels: Floats) -> RefinePass:
    run_pass = plan_job(request, Extent(pixels.shape[1], pixels.shape[0])).tile_pass
    if run_pass is None:
        raise ValueError("at strength 0 there is nothing to measure")
    return run_pass


def _layout_of(run_pass: RefinePass, pixels: Floats) -> Layout:
    grid = run_pass.grid
    height, width = pixels.shape[:2]
    return Layout(
        overlapped(grid.columns, grid.tile.width, width),
        overlapped(grid.rows, grid.tile.height, height),
        plan_period(),
    )


def plan_period() -> int:
    """The starter models' grid in pixels: all contestants run on them."""
    return STARTER.grid
