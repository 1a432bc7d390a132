"""Lay overlapping tiles together, a row of tiles at a time, with smooth weights that sum to one."""

from collections.abc import Callable

import numpy as np

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats, Picture
from scumble_core.picture.weights import AxisWeights, axis_weights
from scumble_core.plan.tiles import TileGrid

# Called with a band of finished rows, from the top.
Sink = Callable[[Bounds, Floats], None]
# Called after each tile, with its box in the pixels of the picture that is walked over, and with what it became.
TileDone = Callable[[Bounds, Floats], None]

_ROWS = 16


def into(target: Picture) -> Sink:
    """A sink that writes to the picture, and cuts off what a grid's padding puts beyond it."""

    def write(band: Bounds, pixels: Floats) -> None:
        inside = band.intersect(target.bounds)
        if not inside.is_empty:
            target.write(inside, pixels[: inside.height, : inside.width])

    return write


class TileBlender:
    """Takes tiles row by row, left to right, and hands finished bands to the sink.

    `across` and `down` are the weights of the grid's columns and rows, by where they start in the blended picture. Rows
    of the grid may be left out as a whole, and tiles at either end of a row: what no tile covers comes out as 0.
    """

    def __init__(self, across: AxisWeights, down: AxisWeights, sink: Sink, channels: int = 3) -> None:
        self._across = across
        self._down = down
        self._width = max(start + len(weight) for start, weight in across.items())
        self._sink = sink
        tallest = max(len(weight) for weight in down.values())
        self._band = np.zeros((tallest, self._width, channels), np.float32)
        self._top: int | None = None

    @classmethod
    def of(cls, grid: TileGrid, sink: Sink, scale: int = 1, channels: int = 3) -> "TileBlender":
        """For a grid's tiles, each `scale` times as large as the grid says."""
        columns, rows = (tuple(start * scale for start in starts) for starts in (grid.columns, grid.rows))
        across = axis_weights(columns, grid.tile.width * scale)
        return cls(across, axis_weights(rows, grid.tile.height * scale), sink, channels)

    def add(self, x: int, y: int, pixels: Floats) -> None:
        """The tile whose corner is at x, y: height x width x channels."""
        if self._top is None:
            self._top = y
        if y != self._top:
            self._advance(y)
        height, _, channels = pixels.shape
        across = np.repeat(self._across[x], channels)
        band = self._band[:height].reshape(height, -1)[:, x * channels : x * channels + len(across)]
        tile = pixels.reshape(height, -1)
        # A few rows at a time, so that the weighted tile never leaves the processor's cache.
        for top in range(0, height, _ROWS):
            rows = slice(top, top + _ROWS)
            weighted = self._down[y][rows, None] * across
            weighted *= tile[rows]
            band[rows] += weighted

    def finish(self) -> None:
        """Hand out what is left."""
        if self._top is not None:
            rows = len(self._down[self._top])
            self._sink(Bounds(0, self._top, self._width, rows), self._band[:rows])

    def _advance(self, y: int) -> None:
        assert self._top is not None
        done = min(y - self._top, len(self._band))
        self._sink(Bounds(0, self._top, self._width, done), self._band[:done])
        kept = self._band[done:].copy()
        self._band[: len(kept)] = kept
        self._band[len(kept) :] = 0
        self._top = y
