"""The first steps of a strong walk, over the whole latent: at high sigma tiles by themselves would not agree.

The tiles' predictions are merged at each step (sampling/windows.py) down to the sigma below which anchored noise alone
makes them agree; from there on each tile goes its own way. A latent too large for memory is walked in blocks of tiles
that share a row or column with their neighbours, and blended there.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats, Picture
from scumble_core.picture.weights import axis_weights
from scumble_core.plan.blocks import MOST_VALUES, Block, blocks_of, covered
from scumble_core.plan.passes import RefinePass
from scumble_core.sampling.anchored import Anchor, AnchoredNoise
from scumble_core.sampling.local import locally
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.walk import Denoiser
from scumble_core.sampling.windows import Window, merged, windows_of
from scumble_core.stages.blend import TileBlender, into
from scumble_core.stages.store import TaskDone, TileStore, untold
from scumble_core.stages.tile import Tile, TileRefiner

TileOf = Callable[[Bounds], Tile]


class MergedWalk:
    """Walks the merged steps of a pass and leaves the noisy latent for its tiles in `target`.

    `tile_of` makes a box's tile; `step_done` is told of every prediction for a block; `most`: values in a block.
    """

    def __init__(
        self,
        run: RefinePass,
        refiner: TileRefiner,
        tile_of: TileOf,
        seed: int,
        step_done: Callable[[Bounds], None],
        most: int = MOST_VALUES,
    ) -> None:
        self._run = run
        self._refiner = refiner
        self._tile_of = tile_of
        self._seed = seed
        self._step_done = step_done
        self._most = most

    def into(self, target: Picture, store: TileStore, key_of: Callable[[Block], str], told: TaskDone = untold) -> None:
        """Walk all blocks that hold a box of the pass; `target` is the latent, H x W x C."""
        factor, channels = self._refiner.model.facts.factor, self._refiner.model.facts.channels
        rows = blocks_of(self._run.grid, channels / factor**2, self._most)
        across, down = _weights([row[0] for row in rows], rows[0], factor)
        blender = TileBlender(across, down, into(target), channels)
        part = covered(self._run.boxes)
        for block in (block for row in rows for block in row if block.touches(part)):
            latent = store.fetch(key_of(block), block.bounds, partial(self._walk, block), told)
            blender.add(block.bounds.x // factor, block.bounds.y // factor, latent)
        blender.finish()

    def _walk(self, block: Block) -> Floats:
        """The block's latent at the first sigma after the merged steps, H x W x C."""
        latent = self._refiner.guard.finite(lambda: self._latent(block), block.bounds)
        return np.ascontiguousarray(latent[0].cpu().numpy().transpose(1, 2, 0))

    def _latent(self, block: Block) -> Tensor:
        """1 x C x H x W."""
        model, walk = self._refiner.model, self._run.walk
        windows = windows_of(block.grid, model.facts.factor, model.device)
        tiles, clean = self._encoded(block, windows)
        anchor = Anchor(self._refiner.place(block.bounds), self._seed, self._patches(tiles))
        noise = AnchoredNoise([anchor], model.facts.channels, model.device)
        parts = [self._denoiser(tile, clean, window.bounds) for tile, window in zip(tiles, windows, strict=True)]
        denoise = merged(parts, windows)
        if tiles[0].starts is not None:
            denoise = locally(denoise, clean, _starts(tiles, windows, clean), walk.sigmas)
        sigmas = torch.tensor(walk.sigmas[: walk.merged + 1], dtype=torch.float64)
        noisy = clean + noise() * walk.sigmas[0]
        return SAMPLERS[walk.sampler](self._counted(denoise, block.bounds), noisy, sigmas, noise)

    def _encoded(self, block: Block, windows: tuple[Window, ...]) -> tuple[list[Tile], Tensor]:
        """The block's tiles, without their pixels (of a large canvas they would fill the memory), and its latent."""
        model, place = self._refiner.model, self._refiner.place(block.bounds)
        clean = torch.zeros(1, model.facts.channels, place.height, place.width, device=model.device)
        tiles = []
        for box, window in zip(block.boxes, windows, strict=True):
            tile = self._tile_of(box)
            rows, columns = window.bounds.slices
            clean[..., rows, columns] += self._refiner.encode(tile.pixels) * window.weight
            tiles.append(replace(tile, pixels=tile.pixels[:0].copy()))
        return tiles, clean

    def _denoiser(self, tile: Tile, clean: Tensor, bounds: Bounds) -> Denoiser:
        """One tile's; what is left alone is predicted to stay as it is, and costs no call."""
        if tile.box in self._run.untouched:
            rows, columns = bounds.slices
            kept = clean[..., rows, columns]
            return lambda _x, _sigma: kept
        if self._refiner.steers:
            return self._steered(tile.box)
        return self._refiner.denoiser([tile])

    def _steered(self, box: Bounds) -> Denoiser:
        """Reads the tile's pixels again each time: those of all tiles together would fill the memory."""

        def prediction(x: Tensor, sigma: float) -> Tensor:
            return self._refiner.denoiser([self._tile_of(box)])(x, sigma)

        return prediction

    def _counted(self, denoise: Denoiser, bounds: Bounds) -> Denoiser:
        def prediction(x: Tensor, sigma: float) -> Tensor:
            predicted = denoise(x, sigma)
            self._step_done(bounds)
            return predicted

        return prediction

    def _patches(self, tiles: list[Tile]) -> tuple[tuple[Bounds, int], ...]:
        """Where tiles have a seed of their own."""
        return tuple((self._refiner.place(tile.box), tile.seed) for tile in tiles if tile.seed != self._seed)


def _starts(tiles: list[Tile], windows: tuple[Window, ...], clean: Tensor) -> Tensor:
    """Where each place of the block joins the walk; tiles agree on it where they overlap."""
    starts = torch.zeros_like(clean[:, :1])
    for tile, window in zip(tiles, windows, strict=True):
        rows, columns = window.bounds.slices
        assert tile.starts is not None
        starts[0, 0, rows, columns] = torch.from_numpy(tile.starts).to(starts.device)
    return starts


def _weights(column: list[Block], row: tuple[Block, ...], factor: int) -> tuple[dict[int, Floats], dict[int, Floats]]:
    across = axis_weights([block.bounds.x // factor for block in row], [block.bounds.width // factor for block in row])
    down = axis_weights(
        [block.bounds.y // factor for block in column], [block.bounds.height // factor for block in column]
    )
    return dict(across), dict(down)
