"""What a job has shown so far, for a client that comes back: a small picture of the output, pasted together.

Theory of operation: a mosaic pixel stands for `step` x `step` output pixels, `step` being the smallest power of two
with which all that was shown fits; it grows as the finished part does, so that nobody need know the output's size
before. It takes at most 4 MiB while its job runs. When the job stops it goes to a file in the job's folder, and is read
from there when it is asked for, also by the next core; a file that is damaged is as good as none.
"""

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scumble_bridge.fields import MOST_SIDE
from scumble_bridge.messages import Preview
from scumble_core.picture.geometry import Bounds

PREVIEWS = "previews"
SIDE = 1024
PIECE = 256
MOST_PIECES = 512
_HEAD = struct.Struct("<4s8q")
_MAGIC = b"SCMP"

Bytes = NDArray[np.uint8]

_log = logging.getLogger("scumble.previews")


@dataclass(frozen=True, eq=False)
class Mosaic:
    """`seen`: the box of all that was shown, in output pixels. `cells`: where the pixels lie, in mosaic pixels.

    `pixels`: uint8, H x W x 4; the last channel is 255 where something was shown, else 0.
    """

    step: int
    seen: Bounds
    cells: Bounds
    pixels: Bytes

    def pieces(self) -> Iterator[tuple[Bounds, Bytes]]:
        """What was shown, in boxes of output pixels with their H x W x 3 pixels, at most 256 a side."""
        known = self.pixels[..., 3] > 0
        height, width = known.shape
        for top in range(0, height, PIECE):
            for left in range(0, width, PIECE):
                block = known[top : top + PIECE, left : left + PIECE]
                for box in _rectangles(block):
                    own = box.translate(left, top)
                    place = _times(own.translate(self.cells.x, self.cells.y), self.step).intersect(self.seen)
                    if not place.is_empty:
                        yield place, self.pixels[own.slices][..., :3]


def pasted(mosaic: Mosaic | None, box: Bounds, pixels: Bytes) -> Mosaic:
    """With one preview more: `box` in output pixels, `pixels` H x W x 3. The old one is used up."""
    seen = box if mosaic is None else mosaic.seen.union(box)
    step = 1 if mosaic is None else mosaic.step
    while max(_cells(seen, step).extent.width, _cells(seen, step).extent.height) > SIDE:
        step *= 2
    cells = _cells(seen, step)
    if mosaic is not None and (mosaic.step, mosaic.cells) == (step, cells):
        canvas = mosaic.pixels
    else:
        canvas = np.zeros((cells.height, cells.width, 4), np.uint8)
        if mosaic is not None:
            old = _coarser(mosaic, step)
            canvas[old.cells.translate(-cells.x, -cells.y).slices] = old.pixels
    # To the nearest whole pixel, not inward: else lines would stay open where tiles hardly overlap.
    left, top, right, bottom = (round(edge / step) for edge in (box.x, box.y, box.right, box.bottom))
    own = Bounds.between(left, top, max(left + 1, right), max(top + 1, bottom)).intersect(cells)
    if not own.is_empty:
        target = own.translate(-cells.x, -cells.y).slices
        canvas[target][..., :3] = _resized(pixels, own.width, own.height)
        canvas[target][..., 3] = 255
    return Mosaic(step, seen, cells, canvas)


def to_bytes(mosaic: Mosaic) -> bytes:
    """As it lies in a file."""
    seen, cells = mosaic.seen, mosaic.cells
    head = _HEAD.pack(
        _MAGIC, mosaic.step, seen.x, seen.y, seen.width, seen.height, cells.x, cells.y, cells.width
    )  # fmt: skip
    return head + mosaic.pixels.tobytes()


def from_bytes(data: bytes) -> Mosaic:
    """The opposite of `to_bytes`. Raises ValueError when it is no such thing."""
    if len(data) <= _HEAD.size:
        raise ValueError("it is too short")
    magic, step, *box, left, top, width = _HEAD.unpack_from(data)
    seen = Bounds(*box)
    height, rest = divmod(len(data) - _HEAD.size, 4 * max(1, width))
    cells = Bounds(left, top, width, height)
    good = magic == _MAGIC and 0 < step <= MOST_SIDE and max(map(abs, box)) <= MOST_SIDE and not rest
    if not good or not 0 < width <= SIDE or height > SIDE or cells != _cells(seen, step):
        raise ValueError("it makes no sense")
    pixels = np.frombuffer(bytearray(data[_HEAD.size :]), np.uint8).reshape(height, width, 4)
    return Mosaic(step, seen, cells, pixels)


class Previews:
    """Those of one job: in memory while they come, else in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mosaic: Mosaic | None = None
        self._unsaved = False

    def keep(self, preview: Preview) -> None:
        """One more was shown."""
        if self._mosaic is None:
            self._mosaic = self._read()
        shape = (preview.pixel_height, preview.pixel_width, 3)
        if preview.width and preview.height:
            pixels = np.frombuffer(preview.data, np.uint8).reshape(shape)
            box = Bounds(preview.x, preview.y, preview.width, preview.height)
            self._mosaic, self._unsaved = pasted(self._mosaic, box, pixels), True

    def replay(self, job: str) -> Iterator[Preview]:
        """All that was shown, anew."""
        mosaic = self._mosaic or self._read()
        pieces = iter(()) if mosaic is None else mosaic.pieces()
        for (place, pixels), _ in zip(pieces, range(MOST_PIECES), strict=False):
            height, width = pixels.shape[:2]
            yield Preview(job, place.x, place.y, place.width, place.height, width, height, pixels.tobytes())

    def save(self) -> None:
        """To the file, if there is something new. What can't be written is lost, and no harm done."""
        mosaic = self._mosaic
        if mosaic is None or not self._unsaved:
            return
        self._unsaved = False
        side = self._path.with_suffix(".part")
        try:
            side.write_bytes(to_bytes(mosaic))
            side.replace(self._path)
        except OSError as error:
            _log.info("%s was not written: %s", self._path, error)

    def let_go(self) -> None:
        """Of the memory; what was saved is read from the file again."""
        if not self._unsaved:
            self._mosaic = None

    def drop(self) -> None:
        """Nobody needs them any more."""
        self._mosaic, self._unsaved = None, False
        self._path.unlink(missing_ok=True)

    def _read(self) -> Mosaic | None:
        try:
            if self._path.stat().st_size > _HEAD.size + 4 * SIDE * SIDE:
                raise ValueError("it is too long")
            return from_bytes(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.info("%s is of no use: %s", self._path, error)
            return None


def _cells(box: Bounds, step: int) -> Bounds:
    """The mosaic pixels that a box of output pixels touches."""
    return Bounds.between(box.x // step, box.y // step, -(-box.right // step), -(-box.bottom // step))


def _times(box: Bounds, step: int) -> Bounds:
    return Bounds(box.x * step, box.y * step, box.width * step, box.height * step)


def _coarser(mosaic: Mosaic, step: int) -> Mosaic:
    """The same with a larger step: means of what was shown; known where half of it was."""
    factor = step // mosaic.step
    if factor == 1:
        return mosaic
    cells = _cells(mosaic.seen, step)
    fine = _times(cells, factor)
    full = np.zeros((fine.height, fine.width, 4), np.uint8)
    full[mosaic.cells.translate(-fine.x, -fine.y).slices] = mosaic.pixels
    blocks = full.reshape(cells.height, factor, cells.width, factor, 4)
    known = (blocks[..., 3:] > 0).sum((1, 3), dtype=np.uint32)
    sums = (blocks[..., :3] * (blocks[..., 3:] > 0)).sum((1, 3), dtype=np.uint32)
    pixels = np.zeros((cells.height, cells.width, 4), np.uint8)
    pixels[..., :3] = sums // np.maximum(known, 1)
    pixels[..., 3:] = np.where(2 * known >= factor * factor, 255, 0)
    return Mosaic(step, mosaic.seen, cells, pixels)


def _resized(pixels: Bytes, width: int, height: int) -> NDArray[Any]:
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def _rectangles(known: NDArray[np.bool_]) -> list[Bounds]:
    """What is true, as boxes that don't overlap: equal runs of following rows are one."""
    found: list[Bounds] = []
    last: dict[tuple[int, int], int] = {}  # runs of the last row, and in which row each began
    for row in range(len(known) + 1):
        runs = _runs(known[row]) if row < len(known) else []
        for (start, end), first in last.items():
            if (start, end) not in runs:
                found.append(Bounds.between(start, first, end, row))
        last = {run: last.get(run, row) for run in runs}
    return found


def _runs(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(row, 1).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
