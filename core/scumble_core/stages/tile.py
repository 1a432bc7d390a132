"""Refine tiles: each is a pure function of its pixels, its place, its maps, the settings and the seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scumble_core.errors import Cancelled
from scumble_core.models.device import free_memory, is_out_of_memory, sent
from scumble_core.models.interface import Conditioning, LatentModel
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Floats
from scumble_core.plan.passes import Walk
from scumble_core.sampling.anchored import Anchor, AnchoredNoise
from scumble_core.sampling.guidance import Share, guided
from scumble_core.sampling.local import locally
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.walk import Denoiser
from scumble_core.sampling.windows import merged
from scumble_core.stages.guard import Guard, Relief, is_finite
from scumble_core.stages.steering import Denoise, Steering

# The draws of what is left of a walk whose first steps were merged begin here, whatever the merged steps drew.
DRAWS_AFTER_MERGING = 1 << 16
Show = Callable[[Bounds, Tensor], None]


@dataclass(frozen=True)
class TileSettings:
    """What all tiles of a pass share. `origin`: where the picture lies on the canvas, in its own pixels.

    `prompts`: the picture's own prompt, then the regions'. `from_nothing`: walks start from noise alone, whatever is
    there.
    """

    walk: Walk
    tile: Extent
    prompts: tuple[str, ...]
    negative_prompt: str
    origin: Point
    from_nothing: bool = False


@dataclass(frozen=True, eq=False)
class Tile:
    """One tile's own part of the work. All maps are H x W of the latent.

    `noisy`: C x H x W, the latent at the first sigma after the merged steps, None where there were none. `starts`: the
    sigma at which each place joins the walk, None for all from the start. `shares`: how much each prompt counts, empty
    where the picture's own prompt is alone. All tiles of a pass have such a map, or none has.
    """

    box: Bounds
    pixels: Floats
    seed: int
    noisy: Floats | None = None
    starts: Floats | None = None
    shares: tuple[Floats, ...] = ()


class TileRefiner:
    """Refines tiles with one model and its prompts."""

    def __init__(
        self,
        model: LatentModel,
        settings: TileSettings,
        cancelled: Callable[[], bool],
        relief: Relief | None = None,
        steering: Steering | None = None,
        show: Show | None = None,
    ) -> None:
        """`show` is given what the model takes a tile for, C x H x W, at each step."""
        self._model = model
        self._settings = settings
        self._cancelled = cancelled
        self._steering = steering
        self._show = show
        told = settings.walk.guidance
        self._positive = tuple(model.encode_prompt(each, settings.tile, guidance=told) for each in settings.prompts)
        self._negative = model.encode_prompt(settings.negative_prompt, settings.tile, negative=True, guidance=told)
        self._relief = relief or Relief()
        self._batches = self._relief.batch != 1
        self._guard = Guard(model, max(settings.tile.width, settings.tile.height), self._relief)

    @property
    def model(self) -> LatentModel:
        return self._model

    @property
    def settings(self) -> TileSettings:
        return self._settings

    @property
    def guard(self) -> Guard:
        return self._guard

    @property
    def steers(self) -> bool:
        """Whether tiles' pixels are needed for as long as they are walked."""
        return self._steering is not None

    def refine(self, tiles: Sequence[Tile]) -> list[Floats]:
        """H x W x 3 each, 0 to 1, of the grid's tile size.

        What does not fit into memory is done one by one, then in smaller windows; NaN is tried again in float32. Raises
        ScumbleError, which names the tile, when that does not help either.
        """
        if len(tiles) > 1 and self._batches:
            try:
                refined = self._refine(tiles)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._batches = False
                self._relief.told(batch=1)
            else:
                if is_finite(refined):
                    return [_pixels(each) for each in refined]
            free_memory(self._model.device)
        if len(tiles) > 1:
            return [pixels for tile in tiles for pixels in self.refine([tile])]
        return [_pixels(self._guard.finite(lambda: self._refine(tiles), tiles[0].box)[0])]

    def _refine(self, tiles: Sequence[Tile]) -> Tensor:
        """B x 3 x H x W."""
        model, walk = self._model, self._settings.walk
        pixels = torch.from_numpy(np.stack([tile.pixels for tile in tiles]).transpose(0, 3, 1, 2)).contiguous()
        clean = self._clean(pixels)
        noise = self._noise(tiles)
        if tiles[0].noisy is None:
            noisy = clean + noise() * walk.sigmas[0]
        else:
            noisy = _stacked([tile.noisy for tile in tiles], model.device)
        latents = self.walk(noisy, clean, tiles, walk.sigmas[walk.merged :], noise)
        return self._guard.decode(latents).float().cpu()

    def encode(self, pixels: Floats) -> Tensor:
        """One tile's latent, 1 x C x H x W."""
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        return self._clean(tensor)

    def _clean(self, pixels: Tensor) -> Tensor:
        """B x 3 x H x W to their latents; an empty latent where the walk starts from nothing."""
        latents = self._guard.encode(sent(pixels, self._model.device))
        return torch.zeros_like(latents) if self._settings.from_nothing else latents

    def walk(
        self, noisy: Tensor, clean: Tensor, tiles: Sequence[Tile], sigmas: tuple[float, ...], noise: AnchoredNoise
    ) -> Tensor:
        """Walk B x C x H x W latents down the sigmas."""
        if len(sigmas) < 2:
            return noisy  # all steps were merged
        denoise = self.denoiser(tiles)
        if tiles[0].starts is not None:
            starts = _stacked([tile.starts for tile in tiles], self._model.device)[:, None]
            denoise = locally(denoise, clean, starts, self._settings.walk.sigmas)
        if self._show is not None:
            denoise = _shown(denoise, [tile.box for tile in tiles], self._show)
        return SAMPLERS[self._settings.walk.sampler](denoise, noisy, torch.tensor(sigmas, dtype=torch.float64), noise)

    def denoiser(self, tiles: Sequence[Tile]) -> Denoiser:
        """Guided by the prompts, each where it counts; in windows when the memory is too small for a whole tile."""
        windows = self._guard.windows(self._settings.tile, self._model.facts.factor)
        parts = [self._guided(tiles, window.bounds) for window in windows]
        return parts[0] if len(windows) == 1 else merged(parts, windows)

    def _guided(self, tiles: Sequence[Tile], bounds: Bounds) -> Denoiser:
        """`bounds`: the part of the tiles' latents that it is for."""
        walk = self._settings.walk
        denoise: Denoise = self._denoise
        if self._steering is not None:
            shown = bounds.scaled(self._model.facts.factor)
            pixels = np.stack([tile.pixels[shown.slices] for tile in tiles]).transpose(0, 3, 1, 2)
            denoise = self._steering.of(denoise, sent(torch.from_numpy(pixels.copy()), self._model.device))
        prompts = self._prompts([_cut(tile.shares, bounds) for tile in tiles])
        return guided(denoise, prompts, self._negative, walk.guidance, walk.guided)

    def _prompts(self, shares: Sequence[tuple[Floats, ...]]) -> list[Share[Conditioning]]:
        """The prompts that count anywhere in these tiles."""
        if not shares[0]:
            return [Share(self._positive[0])]
        weights = [_stacked(each, self._model.device)[:, None] for each in zip(*shares, strict=True)]
        counting = [
            Share(conditioning, weight)
            for conditioning, weight in zip(self._positive, weights, strict=True)
            if bool((weight > 0).any())
        ]
        return counting if len(counting) > 1 else [Share(counting[0].conditioning)]

    def _denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        if self._cancelled():
            raise Cancelled
        return self._model.denoise(x, sigma, conditioning)

    def _noise(self, tiles: Sequence[Tile]) -> AnchoredNoise:
        facts = self._model.facts
        first = DRAWS_AFTER_MERGING if self._settings.walk.merged else 0
        anchors = [Anchor(self.place(tile.box), tile.seed) for tile in tiles]
        return AnchoredNoise(anchors, facts.channels, self._model.device, first)

    def place(self, box: Bounds) -> Bounds:
        """Where a box of the picture lies on the canvas's latent grid."""
        origin, factor = self._settings.origin, self._model.facts.factor
        # Halves always up, so that boxes keep their distances.
        x, y = (origin.x + box.x + factor // 2) // factor, (origin.y + box.y + factor // 2) // factor
        return Bounds(x, y, box.width // factor, box.height // factor)


def _shown(denoise: Denoiser, boxes: Sequence[Bounds], show: Show) -> Denoiser:
    def prediction(x: Tensor, sigma: float) -> Tensor:
        clean = denoise(x, sigma)
        for box, latent in zip(boxes, clean, strict=True):
            show(box, latent)
        return clean

    return prediction


def _cut(shares: tuple[Floats, ...], bounds: Bounds) -> tuple[Floats, ...]:
    return tuple(share[bounds.slices] for share in shares)


def _stacked(maps: Sequence[Floats | None], device: str) -> Tensor:
    """B x ... from a map for each tile: all tiles of a pass have one, or none has."""
    return sent(torch.from_numpy(np.stack([each for each in maps if each is not None])), device)


def _pixels(values: Tensor) -> Floats:
    return np.ascontiguousarray(values.clamp(0, 1).numpy().transpose(1, 2, 0))
