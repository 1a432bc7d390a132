"""Lay overlapping tiles together, a row of tiles at a time, with smooth weights that sum to one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats, Picture

# Called with a band of finished rows, from the top.
Sink = Callable[[Bounds, Floats], None]
# Called after each tile, with its box in the pixels of the picture that is walked over, and with what it became.
TileDone = Callable[[Bounds, Floats], None]


def into(target: Picture) -> Sink:
    """A sink that writes to the picture, and cuts off what a grid's padding puts beyond it."""

    def write(band: Bounds, pixels: Floats) -> None:
        inside = band.intersect(target.bounds)
        if not inside.is_empty:
            target.write(inside, pixels[: inside.height, : inside.width])

    return write


def axis_weights(starts: tuple[int, ...], side: int) -> list[Floats]:
    """For each tile along one axis its weights, `side` values; at every place they sum to 1 over the tiles.

    Each overlap is crossed with a smoothstep: no kink at either end that an eye could find.
    """
    length = starts[-1] + side
    raw = []
    for index, start in enumerate(starts):
        place = np.arange(side) + 0.5
        weight = np.ones(side)
        if index > 0:
            weight *= _smoothstep(place / (starts[index - 1] + side - start))
        if index + 1 < len(starts):
            weight *= _smoothstep((side - place) / (start + side - starts[index + 1]))
        raw.append(weight)
    total = np.zeros(length)
    for start, weight in zip(starts, raw, strict=True):
        total[start : start + side] += weight
    pairs = zip(starts, raw, strict=True)
    return [(weight / total[start : start + side]).astype(np.float32) for start, weight in pairs]


def _smoothstep(t: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


class TileBlender:
    """Takes tiles row by row, left to right, and hands finished bands to the sink.

    `columns`, `rows`, `width`, `height` describe the grid in the blended picture's pixels. Rows of the grid may be left
    out as a whole, and tiles at either end of a row: what no tile covers comes out as 0.
    """

    def __init__(
        self, columns: tuple[int, ...], rows: tuple[int, ...], width: int, height: int, sink: Sink, channels: int = 3
    ) -> None:
        self._across = dict(zip(columns, axis_weights(columns, width), strict=True))
        self._down = dict(zip(rows, axis_weights(rows, height), strict=True))
        self._width, self._height = columns[-1] + width, height
        self._sink = sink
        self._band = np.zeros((height, self._width, channels), np.float32)
        self._top: int | None = None

    def add(self, x: int, y: int, pixels: Floats) -> None:
        """The tile whose corner is at x, y: height x width x channels."""
        if self._top is None:
            self._top = y
        if y != self._top:
            self._advance(y)
        weight = self._down[y][:, None] * self._across[x][None, :]
        self._band[:, x : x + pixels.shape[1]] += pixels * weight[..., None]

    def finish(self) -> None:
        """Hand out what is left."""
        if self._top is not None:
            self._sink(Bounds(0, self._top, self._width, self._height), self._band)

    def _advance(self, y: int) -> None:
        assert self._top is not None
        done = min(y - self._top, self._height)
        self._sink(Bounds(0, self._top, self._width, done), self._band[:done])
        kept = self._band[done:].copy()
        self._band[: len(kept)] = kept
        self._band[len(kept) :] = 0
        self._top = y
