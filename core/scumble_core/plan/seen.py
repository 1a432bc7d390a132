"""What the plan may know of the pixels, by cells of 16 pixels: which tiles need no work, which prompts share one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Picture
from scumble_core.picture.survey import CELL, Survey, cells_of

Cells = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Seen:
    """Of a job's source: its survey, where the strength map lets anything happen, and where each region lies.

    All boxes are in pixels of the source.
    """

    survey: Survey
    lively: Cells | None = None
    regions: tuple[Cells, ...] = ()

    def is_still(self, bounds: Bounds, skip_flat: bool) -> bool:
        """Whether the box is to be left alone."""
        if self.lively is not None and not _any(self.lively, bounds):
            return True
        return skip_flat and self.survey.is_flat(bounds)

    def prompts(self, bounds: Bounds) -> int:
        """How many prompts share the box: the picture's own, and those of the regions that touch it."""
        return 1 + sum(_any(region, bounds) for region in self.regions)


def cover(mask: Picture) -> Cells:
    """Which cells a mask touches, rows x columns."""
    found = []
    for strip in mask.bounds.bands(CELL * max(1, 4_000_000 // (CELL * mask.extent.width))):
        values = mask.read_raw(strip)[..., 0] != 0
        full = np.pad(values, ((0, -strip.height % CELL), (0, -strip.width % CELL)))
        found.append(full.reshape(full.shape[0] // CELL, CELL, full.shape[1] // CELL, CELL).any((1, 3)))
    return np.concatenate(found)


def _any(cells: Cells, bounds: Bounds) -> bool:
    return bool(cells[cells_of(bounds, cells.shape[0], cells.shape[1])].any())
