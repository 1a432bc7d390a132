"""What differs from place to place within a pass: how strongly it is refined, and which prompt counts.

All maps are functions of absolute places, so that overlapping tiles agree on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.padding import read_mirrored
from scumble_core.picture.resample import Filter, resize
from scumble_core.picture.storage import Floats, Picture
from scumble_core.picture.survey import CELL, Survey
from scumble_core.sampling.levels import start_level, training_levels

# Where luma's second differences stay below QUIET levels of 8 bits, a place is refined with LEAST of the strength;
# from BUSY on with all of it. In smooth skies and skin a model has nothing to sharpen, and would only invent.
QUIET, BUSY, LEAST = 0.3, 1.2, 0.5
# Below this share of a pass's strength a place joins ever closer to the walk's end.
FADE = 0.1


@dataclass(frozen=True, eq=False)
class Maps:
    """The maps of a job, of its source's size, as they are in a pass over a picture of size `extent`.

    `strength`: one channel, painted where to refine more; `regions`: a mask for each region's prompt; `survey`: None
    where complexity is to make no difference; `share`: the strength that 1 stands for, as a share of the model's
    `table` of noise levels.
    """

    source: Extent
    extent: Extent
    factor: int
    share: float
    strength: Picture | None = None
    survey: Survey | None = None
    regions: tuple[Picture, ...] = ()
    table: NDArray[np.float64] = field(default_factory=training_levels)

    def starts(self, box: Bounds) -> Floats | None:
        """The sigma at which each place of the box's latent joins the walk, H x W; None: all from the start."""
        if self.strength is None and self.survey is None:
            return None
        share = np.full((box.height // self.factor, box.width // self.factor), self.share, np.float64)
        if self.strength is not None:
            share *= self._read(self.strength, box)
        if self.survey is not None:
            share *= self._lively(self.survey, box)
        table = self.table
        sigmas = np.exp(np.interp(share * (len(table) - 1), np.arange(len(table)), np.log(table)))
        # Near no strength the sigma fades to 0 rather than to the table's lowest: no edge where the paint ends.
        sigmas *= np.clip(share / self.share / FADE, 0, 1)
        # At full strength, but for the rounding of what was averaged, exactly the walk's own first sigma.
        sigmas[share >= self.share * (1 - 1e-6)] = start_level(table, self.share)
        return sigmas.astype(np.float32)

    def shares(self, box: Bounds) -> tuple[Floats, ...]:
        """How much the picture's own prompt counts, then each region's: H x W each of the latent; they sum to 1."""
        if not self.regions:
            return ()
        masks = [self._read(mask, box) for mask in self.regions]
        total = np.maximum(sum(masks, start=np.zeros_like(masks[0])), 1)
        shared = [(mask / total).astype(np.float32) for mask in masks]
        own = np.clip(1 - sum(shared, start=np.zeros_like(masks[0])), 0, 1).astype(np.float32)
        return (own, *shared)

    def _read(self, mask: Picture, box: Bounds) -> Floats:
        """A mask of the source's size, averaged over the places of the box's latent."""
        x, y = self.source.width / self.extent.width, self.source.height / self.extent.height
        edges = (box.x * x, box.y * y, box.right * x, box.bottom * y)
        # The filter reaches as far as a place of the latent is wide: cut off, it would see other than the next tile's.
        margin_x, margin_y = (int(np.ceil(max(1.0, self.factor * step))) + 1 for step in (x, y))
        crop = Bounds.between(
            int(np.floor(edges[0])) - margin_x, int(np.floor(edges[1])) - margin_y,
            int(np.ceil(edges[2])) + margin_x, int(np.ceil(edges[3])) + margin_y,
        )  # fmt: skip
        inner = (edges[0] - crop.x, edges[1] - crop.y, edges[2] - crop.x, edges[3] - crop.y)
        extent = Extent(box.width // self.factor, box.height // self.factor)
        return resize(read_mirrored(mask, crop), extent, Filter.BILINEAR, inner)[..., 0]

    def _lively(self, survey: Survey, box: Bounds) -> NDArray[np.float64]:
        """The share of the strength that a place's complexity leaves it."""
        rows = _cell_places(box.y, box.height // self.factor, self.factor, self.source.height / self.extent.height)
        columns = _cell_places(box.x, box.width // self.factor, self.factor, self.source.width / self.extent.width)
        complexity = np.sqrt(_bilinear(_softened(survey.energy), rows, columns))
        t = np.clip((complexity - QUIET) / (BUSY - QUIET), 0, 1)
        return LEAST + (1 - LEAST) * t * t * (3 - 2 * t)


def _cell_places(start: int, count: int, factor: int, step: float) -> NDArray[np.float64]:
    """Where the middles of latents lie among the middles of the source's cells."""
    return ((start + (np.arange(count) + 0.5) * factor) * step) / CELL - 0.5


def _softened(values: Floats) -> NDArray[np.float64]:
    """A binomial blur of three cells each way, so that no cell's edge shows."""
    padded = np.pad(values.astype(np.float64), 1, mode="edge")
    across = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return (across[:-2] + 2 * across[1:-1] + across[2:]) / 4


def _bilinear(values: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Floats:
    for axis, places in ((0, rows), (1, columns)):
        inside = np.clip(places, 0, values.shape[axis] - 1)
        low = np.floor(inside).astype(int)
        high = np.minimum(low + 1, values.shape[axis] - 1)
        part = np.expand_dims(inside - low, 1 - axis)
        values = np.take(values, low, axis) * (1 - part) + np.take(values, high, axis) * part
    return values.astype(np.float32)


def check_masks(masks: Sequence[Picture], source: Extent) -> None:
    """Refuse masks that are not the source's size and one channel."""
    for mask in masks:
        if mask.extent != source or mask.channels != 1:
            raise PictureError(
                f"{mask.path.name} is {mask.extent.width} x {mask.extent.height} with {mask.channels} channels, but "
                f"must be {source.width} x {source.height} with one, like the picture: make them of one size."
            )
