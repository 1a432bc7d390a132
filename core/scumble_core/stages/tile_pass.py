"""Refine a picture tile by tile: finished tiles go to the store, then all are laid together."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.padding import read_mirrored
from scumble_core.picture.storage import Floats, Picture
from scumble_core.plan.blocks import Block
from scumble_core.plan.passes import RefinePass
from scumble_core.request import Reseeded
from scumble_core.stages.blend import TileBlender, TileDone, into
from scumble_core.stages.evened import CHANNELS, Evened, change_of
from scumble_core.stages.maps import Maps
from scumble_core.stages.merge import MergedWalk
from scumble_core.stages.store import TaskDone, TileStore, task_key, untold
from scumble_core.stages.tile import Tile, TileRefiner

StepDone = Callable[[Bounds], None]


@dataclass(frozen=True)
class TileSeeds:
    """The seed of each tile: the job's, but for those that were asked to be drawn anew."""

    seed: int
    reseeded: tuple[Reseeded, ...] = ()

    def of(self, box: Bounds) -> int:
        return next((each.seed for each in self.reseeded if (each.x, each.y) == (box.x, box.y)), self.seed)


class TilePass:
    """One pass over a picture.

    `task`: what determines its tiles beside their pixels, places, maps and seeds: models and settings, fit for JSON.
    """

    def __init__(
        self,
        picture: Picture,
        run: RefinePass,
        refiner: TileRefiner,
        maps: Maps,
        seeds: TileSeeds,
        store: TileStore,
        task: Mapping[str, object],
    ) -> None:
        self._picture = picture
        self._run = run
        self._refiner = refiner
        self._maps = maps
        self._seeds = seeds
        self._store = store
        self._task = {**task, "walk": [str(run.walk)], "batch": run.batch}
        self._keys: dict[Bounds, str] = {}
        self._latent: Picture | None = None

    def merge(self, work: Path, step_done: StepDone, told: TaskDone = untold) -> None:
        """The merged steps of a strong walk, before any tile goes its own way; `work` takes the latent."""
        facts, grid = self._refiner.model.facts, self._run.grid
        width, height = grid.columns[-1] + grid.tile.width, grid.rows[-1] + grid.tile.height
        extent = Extent(width // facts.factor, height // facts.factor)
        latent = Picture.create(work / "latent.npy", extent, facts.channels, "float32")
        walk = MergedWalk(self._run, self._refiner, self._tile, self._seeds.seed, step_done)
        walk.into(latent, self._store, self._block_key, told)
        self._latent = latent

    def refine(self, done: TileDone, told: TaskDone = untold) -> None:
        """All tiles that the store does not hold yet; `told` of every one, those that it holds too."""
        waiting = []
        for box in self._run.refined:
            tile = self._tile(box)
            self._keys[box] = self._key(tile)
            found = self._store.look(self._keys[box])
            if found is not None:
                told(self._keys[box], box, 0.0, found[0])
                done(box, found[1])
                continue
            waiting.append(tile)
            if len(waiting) == self._run.batch:
                self._finish(waiting, done, told)
                waiting = []
        if waiting:
            self._finish(waiting, done, told)

    def blend(self, target: Picture, told: TaskDone = untold) -> None:
        """Lay all tiles together into `target`; what is left alone is the picture's own.

        A tile that was damaged since it was finished is done again, and told of once more.
        """
        if self._refiner.settings.from_nothing:
            # There is no picture yet that tiles could have changed.
            plain = TileBlender.of(self._run.grid, into(target))
            for box in self._run.boxes:
                plain.add(box.x, box.y, self._finished(box, told))
            plain.finish()
            return
        evened = Evened(self._picture, into(target))
        blender = TileBlender.of(self._run.grid, evened, channels=CHANNELS)
        for box in self._run.boxes:
            refined = None if box in self._run.untouched else self._finished(box, told)
            blender.add(box.x, box.y, change_of(refined, read_mirrored(self._picture, box)))
        blender.finish()
        evened.finish()

    def _finish(self, tiles: Sequence[Tile], done: TileDone, told: TaskDone) -> None:
        began = time.monotonic()
        refined = self._refiner.refine(tiles)
        seconds = (time.monotonic() - began) / len(tiles)
        for tile, pixels in zip(tiles, refined, strict=True):
            self._store.put(self._keys[tile.box], pixels)
            told(self._keys[tile.box], tile.box, seconds, "done")
            done(tile.box, pixels)

    def _finished(self, box: Bounds, told: TaskDone) -> Floats:
        def again() -> Floats:
            began = time.monotonic()
            (pixels,) = self._refiner.refine([self._tile(box)])
            told(self._keys[box], box, time.monotonic() - began, "done")
            return pixels

        return self._store.whole(self._keys[box], again)

    def _tile(self, box: Bounds) -> Tile:
        return Tile(
            box=box,
            pixels=read_mirrored(self._picture, box),
            seed=self._seeds.of(box),
            noisy=None if self._latent is None else self._noisy(self._latent, box),
            starts=self._maps.starts(box),
            shares=self._maps.shares(box),
        )

    def _noisy(self, latent: Picture, box: Bounds) -> Floats:
        """The merged latent's part, C x H x W."""
        factor = self._refiner.model.facts.factor
        part = Bounds(box.x // factor, box.y // factor, box.width // factor, box.height // factor)
        return latent.read(part).transpose(2, 0, 1).copy()

    def _key(self, tile: Tile) -> str:
        place = self._refiner.place(tile.box)
        settings = {**self._task, "place": [place.x, place.y], "seed": tile.seed}
        return task_key(settings, *_arrays(tile))

    def _block_key(self, block: Block) -> str:
        """Made tile by tile, so that a block's pixels are never all in memory."""
        parts = [self._key(self._tile(box)) for box in block.boxes]
        left_alone = [box in self._run.untouched for box in block.boxes]
        return task_key({**self._task, "block": parts, "left_alone": left_alone, "seed": self._seeds.seed})


def _arrays(tile: Tile) -> Iterator[Floats]:
    yield tile.pixels
    for each in (tile.noisy, tile.starts, *tile.shares):
        if each is not None:
            yield each
