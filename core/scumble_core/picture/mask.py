"""Masks: which pixels are meant."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds


def mask_bounds(mask: NDArray[Any]) -> Bounds:
    """The smallest box that holds all pixels of an H x W mask that are not 0; of no size when there are none."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Bounds(0, 0, 0, 0)
    return Bounds.between(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
