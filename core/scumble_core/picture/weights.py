"""How much each of several overlapping tiles counts at a place, so that they flow into each other without a seam."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.storage import Floats

# For each tile along one axis, by its start: its weights, as many as it is long.
AxisWeights = Mapping[int, Floats]
# So much of an overlap does not count at a tile's own edge: a network sees the padding beyond it there.
EDGE_SHARE = 1 / 6


def axis_weights(starts: Sequence[int], sides: int | Sequence[int]) -> AxisWeights:
    """The weights of tiles as long as `sides`, or all of one side; at every place they sum to 1 over the tiles.

    Each overlap is crossed with a smoothstep: no kink at either end that an eye could find. The outermost sixth of it
    at a tile's own edge does not count.
    """
    lengths = [sides] * len(starts) if isinstance(sides, int) else list(sides)
    raw = [np.ones(length) for length in lengths]
    for number, (before, start) in enumerate(pairwise(starts)):
        overlap = before + lengths[number] - start
        margin = overlap * EDGE_SHARE
        for tile, place in (
            (number, lengths[number] - 0.5 - np.arange(lengths[number])),
            (number + 1, np.arange(lengths[number + 1]) + 0.5),
        ):
            raw[tile] *= _smoothstep((place - margin) / (overlap - 2 * margin))
    return normalised(dict(zip(starts, raw, strict=True)))


def normalised(raw: Mapping[int, NDArray[np.float64]]) -> AxisWeights:
    """Weights that sum to 1 at every place that a tile reaches."""
    total = np.zeros(max(start + len(weight) for start, weight in raw.items()))
    for start, weight in raw.items():
        total[start : start + len(weight)] += weight
    return {
        start: (weight / total[start : start + len(weight)]).astype(np.float32) for start, weight in raw.items()
    }  # fmt: skip


def _smoothstep(t: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    inside = np.clip(t, 0, 1).astype(np.float64)
    smooth: NDArray[np.float64] = inside * inside * (3 - 2 * inside)
    return smooth
