"""Refine a picture tile by tile: each tile is a pure function of its pixels, its place, the settings and the seed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.models.interface import Conditioning, LatentModel
from scumble_core.picture.geometry import Bounds, Point
from scumble_core.picture.padding import read_mirrored
from scumble_core.picture.storage import Floats, Picture, from_floats, to_floats
from scumble_core.plan.job import RefinePass
from scumble_core.sampling.anchored import AnchoredNoise
from scumble_core.sampling.guidance import guided
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.sigmas import falling, start_sigma
from scumble_core.stages.blend import TileBlender, TileDone, into

# The colour lock's cell in pixels: structure larger than this keeps the input's colour.
LOCK_CELL = 32
# Below this sigma the negative prompt changes little (Kynkaanniemi et al. 2024).
LOWEST_GUIDED_SIGMA = 0.28


@dataclass(frozen=True)
class TileSettings:
    """What all tiles of a pass share. `origin`: where the picture lies on the canvas, in its own pixels."""

    run: RefinePass
    seed: int
    prompt: str
    negative_prompt: str
    origin: Point


class TileRefiner:
    """Refines one tile at a time with one model and one prompt."""

    def __init__(self, model: LatentModel, settings: TileSettings, cancelled: Callable[[], bool]) -> None:
        self._model = model
        self._settings = settings
        self._cancelled = cancelled
        tile = settings.run.grid.tile
        self._positive = model.encode_prompt(settings.prompt, tile)
        self._negative = model.encode_prompt(settings.negative_prompt, tile, negative=True)
        sigma = start_sigma(model.sigma_table, settings.run.strength * model.facts.reach)
        self._sigmas = falling(model.sigma_table, sigma, settings.run.steps)

    def refine(self, pixels: Floats, box: Bounds) -> Floats:
        """H x W x 3, 0 to 1, of the grid's tile size, to the same; `box` is the tile's place in the picture."""
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        refined = self._sample(tensor, box)
        if not bool(torch.isfinite(refined).all()):
            with self._model.precise():
                refined = self._sample(tensor, box)
        if not bool(torch.isfinite(refined).all()):
            raise ScumbleError(
                "internal",
                f"The tile at {box.x}, {box.y} came out as NaN, in full precision too: lower the strength or guidance, "
                "or choose another model.",
            )
        locked = lock_colour(refined, tensor).clamp(0, 1)
        return np.asarray(locked[0].numpy().transpose(1, 2, 0))

    def _sample(self, pixels: Tensor, box: Bounds) -> Tensor:
        model, facts = self._model, self._model.facts
        clean = model.encode(pixels.to(model.device))
        place = Bounds(
            round((self._settings.origin.x + box.x) / facts.factor),
            round((self._settings.origin.y + box.y) / facts.factor),
            clean.shape[-1],
            clean.shape[-2],
        )
        noise = AnchoredNoise(self._settings.seed, facts.channels, place, model.device)
        noisy = clean + noise() * self._sigmas[0].to(clean.device)
        denoise = guided(
            self._denoise, self._positive, self._negative, self._settings.run.guidance, LOWEST_GUIDED_SIGMA
        )
        latents = SAMPLERS[self._settings.run.sampler](denoise, noisy, self._sigmas, noise)
        return model.decode(latents).float().cpu()

    def _denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        if self._cancelled():
            raise Cancelled
        return self._model.denoise(x, sigma, conditioning)


def lock_colour(refined: Tensor, source: Tensor) -> Tensor:
    """Put back the source's low frequencies (B x 3 x H x W both): tone and colour can't drift, detail is left alone."""
    return refined + _low_frequencies(source - refined)


def _low_frequencies(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[-2:]
    cells = (max(1, round(height / LOCK_CELL)), max(1, round(width / LOCK_CELL)))
    coarse = F.adaptive_avg_pool2d(pixels, cells)
    # A binomial blur over the cells; cubic growth from them has no visible grid.
    padded = F.pad(coarse, (1, 1, 1, 1), mode="replicate")
    line = torch.tensor([0.25, 0.5, 0.25], dtype=pixels.dtype)
    kernel = torch.outer(line, line).expand(3, 1, 3, 3)
    return F.interpolate(F.conv2d(padded, kernel, groups=3), (height, width), mode="bicubic", align_corners=False)


def tile_path(folder: Path, box: Bounds) -> Path:
    """Where a finished tile is kept."""
    return folder / f"tile_{box.y}_{box.x}.npy"


def refine_tiles(picture: Picture, folder: Path, run: RefinePass, refiner: TileRefiner, done: TileDone) -> None:
    """Refine every box of the pass; each finished tile is one file in `folder`, H x W x 3 in the picture's type."""
    for box in run.boxes:
        pixels = refiner.refine(read_mirrored(picture, box), box)
        np.save(tile_path(folder, box), from_floats(pixels, picture.dtype))
        done(box, pixels)


def blend_tiles(folder: Path, run: RefinePass, target: Picture) -> None:
    """Lay the finished tiles together into `target`."""
    grid = run.grid
    blender = TileBlender(grid.columns, grid.rows, grid.tile.width, grid.tile.height, into(target))
    for box in run.boxes:
        blender.add(box.x, box.y, to_floats(np.load(tile_path(folder, box))))
    blender.finish()
