"""Where a tiled picture may show its tiles: the lines to look at, whoever tiled it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AxisLayout:
    """Tiles along one axis, in pixels. A line at p lies between the pixels p-1 and p.

    `lines`: where a tile or a feather begins or ends, the picture's own border left out. `blends`: from and to (just
    outside) of each stretch where two tiles are mixed. `strides`: the distances between neighbouring tiles' starts, at
    which a noise that is the same in each would repeat.
    """

    length: int
    lines: tuple[int, ...]
    blends: tuple[tuple[int, int], ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Both axes. `period`: the models' own grid in pixels; places are compared only with places at the same phase."""

    across: AxisLayout
    down: AxisLayout
    period: int

    def interior(self, margin: int) -> NDArray[np.bool_]:
        """H x W: pixels further than `margin` from every blend."""
        return np.logical_and.outer(*(~_within(axis, 1.0, margin) for axis in (self.down, self.across)))

    def centres(self, share: float = 0.25) -> NDArray[np.bool_]:
        """H x W: pixels in the middle `share` of a blend, across or down."""
        return np.logical_or.outer(*(_within(axis, share, 0) for axis in (self.down, self.across)))


def _within(axis: AxisLayout, share: float, margin: int) -> NDArray[np.bool_]:
    """For each pixel, whether it lies in the middle `share` of a blend, widened by `margin`; at least 2 pixels."""
    found = np.zeros(axis.length, bool)
    for begin, end in axis.blends:
        middle, half = (begin + end) / 2, max(1.0, (end - begin) * share / 2) + margin
        found[max(0, round(middle - half)) : round(middle + half)] = True
    return found


def overlapped(starts: tuple[int, ...], side: int, length: int) -> AxisLayout:
    """Tiles that are mixed over the whole of each overlap, as Scumble's are."""
    blends = tuple((after, before + side) for before, after in pairwise(starts))
    return _axis(length, blends, starts)


def feathered(starts: tuple[int, ...], feather: int, length: int) -> AxisLayout:
    """Tiles painted over what is there, faded in over `feather` pixels from their own start, as the reference's are."""
    return _axis(length, tuple((start, start + feather) for start in starts[1:]), starts)


def abutting(starts: tuple[int, ...], crops: tuple[int, ...], blur: int, length: int) -> AxisLayout:
    """Tiles that meet in a line, which a mask blurred by a Gaussian of `blur` pixels softens over two of them a side.

    `crops`: where what the model sees of each tile begins, and its noise with it.
    """
    blends = tuple((start - 2 * blur, start + 2 * blur) for start in starts[1:])
    plain = _axis(length, blends, crops)
    return AxisLayout(length, tuple(sorted({*plain.lines, *starts[1:]})), plain.blends, plain.strides)


def _axis(length: int, blends: tuple[tuple[int, int], ...], starts: tuple[int, ...]) -> AxisLayout:
    inside = tuple((max(0, begin), min(length, end)) for begin, end in blends)
    lines = sorted({edge for blend in inside for edge in blend if 0 < edge < length})
    return AxisLayout(length, tuple(lines), inside, tuple(after - before for before, after in pairwise(starts)))
