"""Blends keep their detail: where tiles differ, their mean is softer than either, and is made as lively as they are.

Tiles agree thanks to anchored noise, but not wholly: networks with group norm look at the whole tile. Where two changes
with correlation c are averaged half and half, the standard deviation falls to sqrt((1 + c) / 2). So beside the mean
change its expected energy is blended, and the change is raised by the square root of what is missing around each place.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats, Picture
from scumble_core.stages.blend import Sink

# Change (3 channels), its energy, and how much tiles that were worked on count here.
CHANNELS = 5
# What two tiles with nothing in common lose: the root of 2.
MOST_GAIN = 1.414
# Energies are measured with a triangle of so many pixels to each side: sums in a fixed order, so that a part of a
# picture comes out as in the whole.
REACH = 6
_TRIANGLE = np.array([REACH + 1 - abs(place) for place in range(-REACH, REACH + 1)], np.float64) / (REACH + 1) ** 2
_LEAST_ENERGY = 1e-9
# Rows worked on at once.
_ROWS = 64


def change_of(refined: Floats | None, pixels: Floats) -> Floats:
    """What a tile gives to the blend, H x W x CHANNELS; `refined` is None for a tile that is left alone."""
    values = np.zeros((*pixels.shape[:2], CHANNELS), np.float32)
    if refined is not None:
        np.subtract(refined, pixels, out=values[..., :3])
        values[..., 3] = _energy(values)
        values[..., 4] = 1
    return values


class Evened:
    """A sink of blended changes, which hands on the pixels of `picture` with their change, its detail evened.

    Rows wait until those below are there, as far as energies reach.
    """

    def __init__(self, picture: Picture, sink: Sink) -> None:
        self._picture = picture
        self._sink = sink
        self._top = 0
        self._waiting: Floats | None = None
        # Rows at the start of those that wait have been handed on, and serve those below alone.
        self._done = 0

    def __call__(self, band: Bounds, values: Floats) -> None:
        """The next band from the top, as wide as the grid."""
        inside = band.intersect(self._picture.bounds)
        rows = values[: inside.height, : inside.width]
        if self._waiting is None or not len(self._waiting):
            self._top, self._waiting, self._done = band.y, rows.copy(), 0
        else:
            self._waiting = np.concatenate((self._waiting, rows))
        self._hand_on(len(self._waiting) - REACH)

    def finish(self) -> None:
        """Hand on what is left."""
        if self._waiting is not None:
            self._hand_on(len(self._waiting))

    def _hand_on(self, until: int) -> None:
        assert self._waiting is not None
        for first in range(self._done, until, _ROWS):
            last = min(first + _ROWS, until)
            above, below = max(0, first - REACH), min(len(self._waiting), last + REACH)
            around = self._waiting[above:below]
            raised = around[first - above : last - above, :, :3] * gain(around)[first - above : last - above, :, None]
            band = Bounds(0, self._top + first, raised.shape[1], last - first)
            raised += self._picture.read(band)
            self._sink(band, np.clip(raised, 0, 1, out=raised))
        self._done = max(self._done, until)
        kept = max(0, self._done - REACH)
        self._waiting = self._waiting[kept:]
        self._top += kept
        self._done -= kept


def gain(values: Floats) -> Floats:
    """H x W: what the blended change is to be raised by, 1 to MOST_GAIN; 1 where one tile alone counts all around."""
    mean = _energy(values)
    wanted = values[..., 3] * values[..., 4]
    raised = np.ones_like(mean)
    # Energies are equal but for the strips where tiles overlap, and so is all that is more than REACH away from these.
    for reached in _strips(np.flatnonzero((mean != wanted).any(0)), REACH, mean.shape[1]):
        seen = slice(max(0, reached.start - REACH), reached.stop + REACH)
        own = slice(reached.start - seen.start, reached.stop - seen.start)
        around, wanted_around = (_around(np.ascontiguousarray(each[:, seen]))[:, own] for each in (mean, wanted))
        ratio = np.sqrt((wanted_around + _LEAST_ENERGY) / (around + _LEAST_ENERGY))
        raised[:, reached] = np.clip(ratio, 1, MOST_GAIN)
    return raised


def _strips(places: NDArray[np.intp], reach: int, length: int) -> Iterator[slice]:
    """Runs that hold these rising places and all within `reach` of them; what is nearer than both reaches is one."""
    if not len(places):
        return
    ends = np.flatnonzero(np.diff(places) > 4 * reach)
    for first, last in zip(places[[0, *(ends + 1)]], places[[*ends, -1]], strict=True):
        yield slice(max(0, int(first) - reach), min(length, int(last) + reach + 1))


def _energy(values: Floats) -> Floats:
    """H x W: the square of the change. Written out, since einsum rounds otherwise from one memory layout to another."""
    red, green, blue = (values[..., channel] for channel in range(3))
    energy: Floats = red * red + green * green + blue * blue
    return energy


def _around(values: Floats) -> Floats:
    for axis in (0, 1):
        values = correlate1d(values, _TRIANGLE, axis, mode="nearest")
    return values
