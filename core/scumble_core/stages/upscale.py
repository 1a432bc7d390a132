"""Enlarge the colour with an upscaler, tile by tile, then bring it to the exact output size."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from scumble_core.models.device import Device, free_memory, is_out_of_memory
from scumble_core.models.upscalers import Upscaler
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.padding import read_mirrored
from scumble_core.picture.resample import resize_bands
from scumble_core.picture.storage import Depth, Floats, Picture, from_floats, to_floats
from scumble_core.plan.tiles import TileGrid
from scumble_core.stages.blend import TileBlender, TileDone, into
from scumble_core.stages.store import Pixels, TaskDone, TileStore, task_key

_SMALLEST_TILE = 64


@dataclass(frozen=True)
class TileUpscaler:
    """Enlarges tiles; one that was enlarged before, in whatever picture and place, is found in the store.

    `identity`: what tells this upscaler from all others. `depth`: what tiles are rounded to, whether they were kept or
    come fresh, so that both are the same: float32 rounds nothing, and takes twice the room of uint16 on the disk.
    """

    upscaler: Upscaler
    identity: str
    device: Device
    store: TileStore
    told: TaskDone
    depth: Depth = "uint16"

    @property
    def scale(self) -> int:
        return self.upscaler.scale

    def __call__(self, box: Bounds, pixels: Floats) -> Floats:
        """The tile, H x W x 3 in 0 to 1, `scale` times as large; `box` is only told of."""
        task = {"upscaler": self.identity, "scale": self.scale, "device": self.device.kind, "depth": self.depth}

        def enlarged() -> Pixels:
            return from_floats(upscale_pixels(pixels, self.upscaler, self.device), self.depth)

        return to_floats(self.store.fetch(task_key(task, pixels), box, enlarged, self.told))


def upscale(
    colour: Picture, output: Extent, folder: Path, upscaler: TileUpscaler, grid: TileGrid, boxes: tuple[Bounds, ...],
    done: TileDone,
) -> Picture:  # fmt: skip
    """The colour picture enlarged to `output`; kept in `folder`."""
    scale = upscaler.scale
    large = Extent(colour.extent.width * scale, colour.extent.height * scale)
    enlarged = Picture.create(folder / "enlarged.npy", large, 3, colour.dtype)
    blender = TileBlender.of(grid, into(enlarged), scale)
    for box in boxes:
        pixels = upscaler(box, read_mirrored(colour, box))
        blender.add(box.x * scale, box.y * scale, pixels)
        done(box, pixels)
    blender.finish()
    return enlarged if large == output else resized(enlarged, output, folder)


def resized(colour: Picture, output: Extent, folder: Path) -> Picture:
    """The colour picture at another size, by Lanczos."""
    target = Picture.create(folder / "resized.npy", output, 3, colour.dtype)
    resize_bands(colour, target)
    return target


def upscale_pixels(pixels: Floats, upscaler: Upscaler, device: Device) -> Floats:
    """One tile, H x W x 3. Where memory runs out, its quarters one by one, each with a margin that is cut off."""
    try:
        tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        large: Floats = upscaler(tensor)[0].numpy().transpose(1, 2, 0)
        return np.clip(large, 0, 1)
    except Exception as error:
        if not is_out_of_memory(error) or min(pixels.shape[:2]) < 2 * _SMALLEST_TILE:
            raise
    # Outside the except clause, so that the failed call's tensors are let go.
    free_memory(device.name)
    scale = upscaler.scale
    out = np.empty((pixels.shape[0] * scale, pixels.shape[1] * scale, 3), np.float32)
    for part, with_margin in _quarters(pixels.shape[0], pixels.shape[1]):
        rows, columns = with_margin.slices
        large = upscale_pixels(pixels[rows, columns], upscaler, device)
        y, x = (part.y - with_margin.y) * scale, (part.x - with_margin.x) * scale
        own = large[y : y + part.height * scale, x : x + part.width * scale]
        out[part.y * scale : part.bottom * scale, part.x * scale : part.right * scale] = own
    return out


def _quarters(height: int, width: int) -> Iterator[tuple[Bounds, Bounds]]:
    """Each quarter, and the same with a margin inside the whole."""
    whole = Bounds(0, 0, width, height)
    middle_x, middle_y = width // 2, height // 2
    for top, bottom in ((0, middle_y), (middle_y, height)):
        for left, right in ((0, middle_x), (middle_x, width)):
            part = Bounds.between(left, top, right, bottom)
            yield part, part.pad(24).intersect(whole)
