"""Colour under transparency: models see a picture without holes, and the artist gets the holes back.

What lies under alpha 0 is arbitrary (often black), and would bleed into the edges of strokes when enlarged. It is
replaced by the colours around it, by push and pull (Gortler et al. 1996, The Lumigraph, section 3.4): halve until
nothing is missing, fill from coarse to fine. Of a large picture the coarse levels are made once, as a small picture of
cells, the fine ones a part at a time; the result does not depend on the parts.
"""

import numpy as np
from PIL import Image

from scumble_core.picture.storage import Floats

# Pixels a side of a cell; also how far, at most, the fine levels look, so that parts need a margin of one cell.
CELL = 32
_LEVELS = 5
# Colour under less alpha than that was rounded when it was mixed: it counts less, but never for nothing. Above it all
# counts the same, so that what is filled in begins with the colour of the paint's edge.
_SURE = 1 / 16
_LEAST_WEIGHT = 1e-3


def sum_cells(colour: Floats, alpha: Floats) -> Floats:
    """Of a part that begins at a cell: cells x cells x 4, colour times weight and weight. H x W x 3 and H x W x 1."""
    sums = _weighted(colour, alpha)
    for _ in range(_LEVELS):
        sums = _halve(sums)
    return sums


def fill_cells(sums: Floats) -> Floats:
    """The colour of all cells of a picture, x 3, where those without paint take it from around; black if none has."""
    return _push_pull(sums)


def fill_holes(colour: Floats, alpha: Floats, cells: Floats) -> Floats:
    """H x W x 3 colour without holes: where alpha is 0 it comes from around, elsewhere it is the colour's own.

    It may be a part that begins and ends at cells, or where the picture does; `cells` are the filled cells of it. Less
    than a cell from an edge that is not the picture's own it is not right: take a margin.
    """
    holes = alpha <= 0
    if not holes.any():
        return colour
    levels = [_weighted(colour, alpha)]
    for _ in range(_LEVELS - 1):
        levels.append(_halve(levels[-1]))
    filled = cells
    for sums in reversed(levels):
        filled = _pull(sums, filled)
    return np.where(holes, filled, colour)


def fill_transparent(colour: Floats, alpha: Floats) -> Floats:
    """A whole picture at once: H x W x 3 colour without holes."""
    if not (alpha <= 0).any():
        return colour
    return fill_holes(colour, alpha, fill_cells(sum_cells(colour, alpha)))


def _weighted(colour: Floats, alpha: Floats) -> Floats:
    weight = np.where(alpha > 0, np.clip(alpha / np.float32(_SURE), _LEAST_WEIGHT, 1), 0).astype(np.float32)
    return np.concatenate((colour * weight, weight), axis=2)


def _push_pull(sums: Floats) -> Floats:
    height, width = sums.shape[:2]
    if max(height, width) == 1 or float(sums[..., 3].min()) >= 1:
        return _own(sums)
    return _pull(sums, _push_pull(_halve(sums)))


def _pull(sums: Floats, coarse: Floats) -> Floats:
    """A level filled from the coarser one, by as much as its own weight falls short of 1."""
    share = np.minimum(sums[..., 3:], 1)
    filled: Floats = _own(sums) * share + _grow(coarse, sums.shape[1], sums.shape[0]) * (1 - share)
    return filled


def _own(sums: Floats) -> Floats:
    return np.divide(sums[..., :3], sums[..., 3:], out=np.zeros_like(sums[..., :3]), where=sums[..., 3:] > 0)


def _halve(sums: Floats) -> Floats:
    height, width = sums.shape[:2]
    padded = np.pad(sums, ((0, height % 2), (0, width % 2), (0, 0)))
    total: Floats = padded[0::2, 0::2] + padded[1::2, 0::2] + padded[0::2, 1::2] + padded[1::2, 1::2]
    return total * np.float32(0.25)


def _grow(values: Floats, width: int, height: int) -> Floats:
    size = (values.shape[1] * 2, values.shape[0] * 2)
    grown = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., channel])).resize(size, Image.Resampling.BILINEAR))
        for channel in range(values.shape[2])
    ]
    return np.stack(grown, axis=2)[:height, :width]
