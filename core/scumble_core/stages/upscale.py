"""Enlarge colour with an upscaler, tile by tile, or restore it at its own size; then bring it to the exact size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.device import Device, free_memory, is_out_of_memory
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.padding import read_mirrored
from scumble_core.picture.resample import resize_bands
from scumble_core.picture.storage import Depth, Floats, Picture, from_floats, to_floats
from scumble_core.plan.tiles import TileGrid
from scumble_core.stages.beside import Beside
from scumble_core.stages.blend import TileBlender, TileDone, into
from scumble_core.stages.store import Pixels, TaskDone, TileStore, task_key

# A tile whose longer side is shorter is not halved any more.
SMALLEST_HALVED = 128
# What a half sees of the other one.
_MARGIN = 24


class Enlarges(Protocol):
    """Pixels B x 3 x H x W in 0 to 1, float32, become `scale` times as large."""

    @property
    def scale(self) -> int: ...

    def __call__(self, pixels: Tensor) -> Tensor: ...


class Room:
    """How many pixels a tile may have for the memory there is. What was once too large is not tried again."""

    def __init__(self, pixels: int | None = None, told: Callable[[int], None] | None = None) -> None:
        """`pixels`: None for any number; `told`: of each new limit, so that the next run begins with it."""
        self._pixels = pixels
        self._told = told

    def holds(self, tile: Floats) -> bool:
        return self._pixels is None or tile.shape[0] * tile.shape[1] <= self._pixels

    def too_large(self, tile: Floats) -> None:
        """Memory ran out on this one."""
        self._pixels = tile.shape[0] * tile.shape[1] - 1
        if self._told is not None:
            self._told(self._pixels)


@dataclass(frozen=True)
class TileUpscaler:
    """Enlarges tiles; one that was enlarged before, in whatever picture and place, is found in the store.

    `identity`: what tells this upscaler from all others. `depth`: what tiles are rounded to, whether they were kept or
    come fresh, so that both are the same: float32 rounds nothing, and takes twice the room of uint16 on the disk.

    A tile that memory has no room for is halved, and so are the halves: each is a task of its own, kept by its own
    pixels, so that a job that ends in their midst goes on from there, and the same pixels come out whenever the same
    pieces are made. `multiple`: what pieces begin at.
    """

    upscaler: Enlarges
    identity: str
    device: Device
    store: TileStore
    told: TaskDone
    depth: Depth = "uint16"
    room: Room = field(default_factory=Room)
    multiple: int = 4

    @property
    def scale(self) -> int:
        return self.upscaler.scale

    def __call__(self, box: Bounds, pixels: Floats) -> Floats:
        """The tile, H x W x 3 in 0 to 1, `scale` times as large; `box` is only told of. Raises ScumbleError."""
        return to_floats(self._enlarged(box, pixels))

    def _enlarged(self, box: Bounds, pixels: Floats) -> Pixels:
        key = task_key(self._task, pixels)
        if self.room.holds(pixels) or self._cut(box) is None:
            try:
                return self.store.fetch(key, box, lambda: self._whole(pixels), self.told)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            # Outside the except clause, so that the failed call's tensors are let go.
            free_memory(self.device.name)
            if self._cut(box) is None:
                raise ScumbleError(
                    "out_of_memory",
                    f"The memory ran out at the tile at {box.x}, {box.y} while it was enlarged, even in pieces of "
                    f"{box.width} x {box.height} pixels: close other programs, or choose another upscaler.",
                )
            self.room.too_large(pixels)
        else:
            found = self.store.look(key)  # of a run that had more memory
            if found is not None:
                self.told(key, box, 0.0, found[0])
                return found[1]
        return self._in_halves(box, pixels)

    @property
    def _task(self) -> dict[str, object]:
        precision = getattr(self.upscaler, "precision", "float32")
        return {
            "upscaler": self.identity, "scale": self.scale, "device": self.device.kind, "depth": self.depth,
            "precision": precision,
        }  # fmt: skip

    def _whole(self, pixels: Floats) -> Pixels:
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        large: Floats = self.upscaler(tensor)[0].numpy().transpose(1, 2, 0)
        if not np.isfinite(large.sum()):
            raise ScumbleError(
                "internal", "The upscaler's pixels came out as NaN, in full precision too: choose another upscaler."
            )
        return from_floats(np.clip(large, 0, 1), self.depth)

    def _in_halves(self, box: Bounds, pixels: Floats) -> Pixels:
        """Each half is enlarged with a margin of the other, which is cut off."""
        scale = self.scale
        out: Pixels | None = None
        for part, seen in self._halves(box):
            rows, columns = seen.translate(-box.x, -box.y).slices
            large = self._enlarged(seen, np.ascontiguousarray(pixels[rows, columns]))
            if out is None:
                out = np.empty((box.height * scale, box.width * scale, 3), large.dtype)
            inner, own = (part.translate(-each.x, -each.y) for each in (seen, box))
            out[_times(own, scale).slices] = large[_times(inner, scale).slices]
        assert out is not None
        return out

    def _halves(self, box: Bounds) -> Iterator[tuple[Bounds, Bounds]]:
        """Each half of the longer side, and what it sees of the whole."""
        cut, margin = self._cut(box) or 0, -(-_MARGIN // self.multiple) * self.multiple
        if box.width >= box.height:
            parts = [Bounds(box.x, box.y, cut, box.height), Bounds(box.x + cut, box.y, box.width - cut, box.height)]
        else:
            parts = [Bounds(box.x, box.y, box.width, cut), Bounds(box.x, box.y + cut, box.width, box.height - cut)]
        for part in parts:
            yield part, part.pad(margin).intersect(box)

    def _cut(self, box: Bounds) -> int | None:
        """Where the longer side is cut; None where it is too short to win anything by that."""
        side, margin = max(box.width, box.height), -(-_MARGIN // self.multiple) * self.multiple
        cut = side // 2 // self.multiple * self.multiple
        return cut if side >= SMALLEST_HALVED and cut > 0 and side - cut + margin < side else None


def enlarge(
    colour: Picture, path: Path, upscaler: TileUpscaler, grid: TileGrid, boxes: tuple[Bounds, ...], done: TileDone
) -> Picture:
    """The colour picture, as many times as large as the upscaler makes it; kept at `path`.

    `done` is called from the thread that lays tiles while the next one is enlarged.
    """
    scale = upscaler.scale
    large = Extent(colour.extent.width * scale, colour.extent.height * scale)
    enlarged = Picture.create(path, large, 3, colour.dtype)
    blender = TileBlender.of(grid, into(enlarged), scale)

    def lay(box: Bounds, pixels: Floats) -> None:
        blender.add(box.x * scale, box.y * scale, pixels)
        done(box, pixels)

    with Beside() as beside:
        for box, before in beside.ahead((box, read_mirrored(colour, box)) for box in boxes):
            beside.do(partial(lay, box, upscaler(box, before)))
        beside.do(blender.finish)
    return enlarged


def resized(colour: Picture, output: Extent, folder: Path) -> Picture:
    """The colour picture at another size, by Lanczos."""
    target = Picture.create(folder / "resized.npy", output, 3, colour.dtype)
    resize_bands(colour, target)
    return target


def _times(box: Bounds, scale: int) -> Bounds:
    return Bounds(box.x * scale, box.y * scale, box.width * scale, box.height * scale)
