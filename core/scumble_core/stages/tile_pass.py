"""Refine a picture tile by tile: finished tiles go to the store, and are laid together."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from scumble_core.events import How
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.padding import read_mirrored
from scumble_core.picture.storage import Floats, Picture
from scumble_core.plan.blocks import Block
from scumble_core.plan.passes import RefinePass
from scumble_core.plan.tiles import TileGrid
from scumble_core.request import Reseeded
from scumble_core.stages.beside import Beside
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

    def refine(self, target: Picture, done: TileDone, told: TaskDone = untold) -> None:
        """Refine all tiles that the store does not hold yet, and lay all together into `target` as they come.

        What is left alone is the picture's own. `told` of every tile, those that the store holds too. While the model
        computes, the next tile is read and the last one kept, told of and laid: `done` and `told` are called from the
        thread that does so, one after the other, in the boxes' order.
        """
        laid = _Laid(self._picture, self._run.grid, target, self._refiner.settings.from_nothing)

        def finish(places: Sequence[_Place], refined: Iterator[Floats], seconds: float) -> None:
            for place in places:
                if place.tile is None:
                    laid.add(place.box, place.pixels, None)
                    continue
                pixels = place.found
                if pixels is None:
                    pixels = next(refined)
                    self._store.put(place.key, pixels)
                told(place.key, place.box, seconds if place.how == "done" else 0.0, place.how)
                done(place.box, pixels)
                laid.add(place.box, place.pixels, pixels)

        with Beside() as beside:
            for places in beside.ahead(self._batches()):
                tiles = [place.tile for place in places if place.tile is not None and place.found is None]
                began = time.monotonic()
                refined = self._refiner.refine(tiles) if tiles else []
                seconds = (time.monotonic() - began) / max(1, len(tiles))
                beside.do(partial(finish, places, iter(refined), seconds))
            beside.do(laid.finish)

    def _batches(self) -> Iterator[list["_Place"]]:
        """All boxes in order, cut after each batch of tiles that are to be done."""
        places, waiting = [], 0
        for box in self._run.boxes:
            places.append(self._place(box))
            waiting += places[-1].how == "done"
            # What needs no work goes on at once, unless tiles wait before it.
            if waiting == self._run.batch or not waiting:
                yield places
                places, waiting = [], 0
        if places:
            yield places

    def _place(self, box: Bounds) -> "_Place":
        if box in self._run.untouched:
            return _Place(box, np.broadcast_to(np.float32(0), (box.height, box.width, 3)))
        tile = self._tile(box)
        key = self._key(tile)
        found = self._store.look(key)
        return _Place(box, tile.pixels, tile, key, *(found or ("done",)))

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


@dataclass(frozen=True, eq=False)
class _Place:
    """A box of the pass and its pixels before. `tile`: None where it is left alone. `found`: what the store held."""

    box: Bounds
    pixels: Floats
    tile: Tile | None = None
    key: str = ""
    how: How = "kept"
    found: Floats | None = None


class _Laid:
    """Lays tiles together into `target`, in their grid's order."""

    def __init__(self, picture: Picture, grid: TileGrid, target: Picture, from_nothing: bool) -> None:
        # Where a picture is made from nothing there is none yet that tiles could have changed.
        self._evened = None if from_nothing else Evened(picture, into(target))
        sink, channels = (into(target), 3) if self._evened is None else (self._evened, CHANNELS)
        self._blender = TileBlender.of(grid, sink, channels=channels)

    def add(self, box: Bounds, before: Floats, refined: Floats | None) -> None:
        """`refined` is None for a tile that is left alone."""
        if self._evened is None and refined is not None:
            self._blender.add(box.x, box.y, refined)
        else:
            self._blender.add(box.x, box.y, change_of(refined, before))

    def finish(self) -> None:
        self._blender.finish()
        if self._evened is not None:
            self._evened.finish()


def _arrays(tile: Tile) -> Iterator[Floats]:
    yield tile.pixels
    for each in (tile.noisy, tile.starts, *tile.shares):
        if each is not None:
            yield each
