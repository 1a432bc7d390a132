"""The colour lock: the refined picture keeps the upscaled one's tone and colour, and its own detail.

The low frequencies of what refining changed are taken away again, over the whole picture at once: one linear filter,
the same everywhere, which can't make a seam. (Tile by tile it could: each tile's edge would be filtered otherwise.)
Wavelet colour fixes do the same (StableSR: Wang et al. 2023); here the low-pass is a cubic B-spline pyramid level
(Unser 1999): means of small cells, smoothed, and a bicubic spline through them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Floats, Picture

Places = NDArray[np.int64]

# The side of a cell in pixels. Half of a wave is locked that is about six cells long: a weak walk only has detail to
# give, and is locked above some 50 pixels; a strong one may reshape what is smaller than some 100.
FINE, COARSE = 8, 16
MOST_SIGMA_FOR_FINE = 0.6
_BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
# How far the lock looks around a pixel, in cells: its own, the smoothing's and the spline's two each, and rounding.
_REACHED_CELLS = 6
REACH = _REACHED_CELLS * COARSE


@dataclass(frozen=True)
class Lock:
    """How much of the colour is kept, 0 to 1, and the side of the cells that tell colour from detail."""

    strength: float
    cell: int = COARSE

    @classmethod
    def of(cls, strength: float, sigma: float) -> "Lock":
        """For a walk that starts at `sigma`."""
        return cls(strength, FINE if sigma <= MOST_SIGMA_FOR_FINE else COARSE)


def lock_colour(refined: Picture, upscaled: Picture, lock: Lock, origin: Point, region: Bounds) -> None:
    """Change `refined`, in place, within `region`. `origin`: where the pictures lie on the canvas.

    Pixels beyond the region, as far as REACH, must be there in both.
    """
    if lock.strength == 0:
        return
    cells = CellGrid(refined.extent, origin, lock.cell)
    around = region.pad(_REACHED_CELLS * lock.cell).intersect(refined.bounds)
    low = smoothed(cells.sums(refined, upscaled, around))
    # Divided after smoothing: a sliver of a cell at the picture's edge, nearly all detail, counts by its few pixels.
    low /= smoothed(cells.counts())
    for band in cells.bands(region.intersect(refined.bounds)):
        pixels = refined.read(band)
        pixels += cells.spline(low, band) * np.float32(lock.strength)
        refined.write(band, np.clip(pixels, 0, 1, out=pixels))


def smoothed(low: Floats) -> Floats:
    """Rows x columns x channels, by a binomial kernel of five cells each way; the edges are continued."""
    for axis in (0, 1):
        padding = [(2, 2) if each == axis else (0, 0) for each in range(3)]
        padded = np.pad(low, padding, mode="edge")
        size = low.shape[axis]
        low = np.zeros_like(low)
        for start, weight in enumerate(_BINOMIAL):
            low += padded[(slice(None),) * axis + (slice(start, start + size),)] * np.float32(weight)
    return low


class CellGrid:
    """The canvas's cells as far as a picture reaches; a crop of the canvas has the canvas's own cells."""

    def __init__(self, extent: Extent, origin: Point, cell: int) -> None:
        self._extent = extent
        self._cell = cell
        self._dx, self._dy = origin.x % cell, origin.y % cell
        self._columns = -(-(extent.width + self._dx) // cell)
        self._rows = -(-(extent.height + self._dy) // cell)

    def bands(self, region: Bounds) -> Iterator[Bounds]:
        """Whole rows of cells of the picture as far as the region reaches, each small enough to work on."""
        rows = max(1, 2_000_000 // (self._extent.width * self._cell)) * self._cell
        top = (region.y + self._dy) // rows * rows - self._dy
        for y in range(top, region.bottom, rows):
            yield Bounds.between(region.x, max(y, region.y), region.right, min(y + rows, region.bottom))

    def sums(self, refined: Picture, upscaled: Picture, region: Bounds) -> Floats:
        """Rows x columns x 3: the sum of upscaled minus refined in each cell; 0 where the region does not reach."""
        total = np.zeros((self._rows, self._columns, 3), np.float32)
        for band in self.bands(Bounds.between(0, region.y, self._extent.width, region.bottom)):
            part = Bounds.between(region.x, band.y, region.right, band.bottom)
            difference = upscaled.read(part) - refined.read(part)
            left, top = part.x + self._dx, part.y + self._dy
            columns, rows = _edges(left, part.width, self._cell), _edges(top, part.height, self._cell)
            sums = np.add.reduceat(np.add.reduceat(difference, columns, 1), rows, 0)
            first_row, first_column = top // self._cell, left // self._cell
            total[first_row : first_row + len(rows), first_column : first_column + len(columns)] += sums
        return total

    def counts(self) -> Floats:
        """How many pixels each cell has, rows x columns x 1: fewer at the picture's edges."""
        across = _inside(self._columns, self._dx, self._extent.width, self._cell)
        down = _inside(self._rows, self._dy, self._extent.height, self._cell)
        return (down[:, None] * across[None, :])[..., None].astype(np.float32)

    def spline(self, low: Floats, band: Bounds) -> Floats:
        """The spline through the cells' values at a band's pixels, H x W x 3."""
        rows = _Taps.of(band.y + self._dy, band.height, self._rows, self._cell)
        columns = _Taps.of(band.x + self._dx, band.width, self._columns, self._cell)
        # Across first: of the few rows of cells that the band reaches, not of all its rows of pixels.
        first, last = int(rows.places.min()), int(rows.places.max()) + 1
        wide = _across(low[first:last], columns)
        spline = np.empty((band.height, band.width, low.shape[2]), np.float32)
        for y in range(band.height):
            places, weights = rows.places[:, y] - first, rows.weights[:, y]
            np.multiply(wide[places[0]], weights[0], out=spline[y])
            for place, weight in zip(places[1:], weights[1:], strict=True):
                spline[y] += wide[place] * weight
        return spline


@dataclass(frozen=True, eq=False)
class _Taps:
    """Four neighbouring cells for each pixel along one axis, 4 x pixels, and their weights in a cubic B-spline."""

    places: Places
    weights: Floats

    @classmethod
    def of(cls, start: int, count: int, cells: int, cell: int) -> "_Taps":
        # A value stands for its cell's middle. Whole numbers, so that the phase is exact wherever a pixel lies.
        doubled = 2 * np.arange(start, start + count) + 1 - cell
        base, phase = np.divmod(doubled, 2 * cell)
        t = phase / (2 * cell)
        weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
        places = np.clip(base + np.arange(-1, 3)[:, None], 0, cells - 1)
        return cls(places, weights.astype(np.float32))


def _across(values: Floats, taps: _Taps) -> Floats:
    """Rows x cells x channels to rows x pixels x channels."""
    wide: Floats = values[:, taps.places[0]] * taps.weights[0][None, :, None]
    for places, weights in zip(taps.places[1:], taps.weights[1:], strict=True):
        wide += values[:, places] * weights[None, :, None]
    return wide


def _edges(start: int, length: int, cell: int) -> Places:
    """Where cells begin within a run of pixels that begins at `start`."""
    first = -start % cell
    return np.array(sorted({0, *range(first, length, cell)}))


def _inside(cells: int, offset: int, length: int, cell: int) -> Places:
    starts = np.arange(cells) * cell - offset
    return np.minimum(starts + cell, length) - np.maximum(starts, 0)
