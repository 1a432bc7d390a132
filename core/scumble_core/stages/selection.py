"""What is selected, and how softly: the alpha that goes beside the colour. A band at a time, whatever the size."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.mask import mask_bounds
from scumble_core.picture.storage import Floats, Picture

# The edge is softened by at most this share of the selection's shorter side, and until at least so much is left of it.
SOFTEST_SHARE = 1 / 8
LEAST_SHARE_KEPT = 0.4
_HARD = 0.5  # a blur of less sigma than that is none


@dataclass(frozen=True)
class Edge:
    """How a selection is taken: grown by `grow` pixels, its edge then softened inward over `soft` pixels."""

    grow: int = 0
    soft: float = 8.0


def selected_bounds(selection: Picture, grow: int = 0) -> Bounds:
    """The smallest box that holds all selected pixels, grown; an empty selection is refused."""
    found = Bounds(0, 0, 0, 0)
    for band in selection.bands():
        found = found.union(mask_bounds(selection.read_raw(band)[..., 0]).translate(0, band.y))
    if found.is_empty:
        raise PictureError("No pixels are selected: select the part to refine, or refine the whole picture.")
    return found.pad(grow).intersect(selection.bounds)


def write_alpha(source: Picture, selection: Picture | None, target: Picture, edge: Edge) -> None:
    """The source's alpha, times the selection with its edge softened inward; `target` has one channel."""
    sigma = 0.0 if selection is None else fitting_sigma(selection, edge)
    for band in source.bands():
        alpha = np.clip(source.read(band)[..., 3:], 0, 1)
        if selection is not None:
            alpha = alpha * soft_edge(selection, band, edge.grow, sigma)[..., None]
        target.write(band, alpha)


def fitting_sigma(selection: Picture, edge: Edge) -> float:
    """The edge's blur. Slim selections get a harder edge, so that something is left of them."""
    bounds = selected_bounds(selection, edge.grow)
    sigma = min(edge.soft, min(bounds.width, bounds.height) * SOFTEST_SHARE) / 2
    if sigma < _HARD:
        return 0.0
    whole = _total(selection, edge.grow, 0.0)
    while sigma >= _HARD and _total(selection, edge.grow, sigma) < whole * LEAST_SHARE_KEPT:
        sigma /= 2
    return sigma if sigma >= _HARD else 0.0


def soft_edge(selection: Picture, band: Bounds, grow: int, sigma: float) -> Floats:
    """H x W of the band, 0 to 1: the grown selection, falling to 0 towards its edge from inside; 0 wherever it is 0.

    Reaching the picture's border is no edge. A band by itself equals the same rows of the whole.
    """
    blur = int(4 * sigma + 1) if sigma else 0
    halo = Bounds.between(band.x, band.y - blur, band.right, band.bottom + blur).intersect(selection.bounds)
    grown = _grown(selection, halo, grow)
    own = slice(band.y - halo.y, band.bottom - halo.y)
    if not sigma or grown.min() == grown.max():
        return grown[own]
    blurred = gaussian_filter(grown, sigma, mode="nearest", truncate=blur / sigma)[own]
    inward = np.clip(blurred * 2 - 1, 0, 1)
    soft: Floats = (grown[own] * inward * inward * (3 - 2 * inward)).astype(np.float32)
    return soft


def _grown(selection: Picture, band: Bounds, grow: int) -> Floats:
    """The selection, and all within `grow` pixels of what is more than half selected."""
    halo = Bounds.between(band.x, band.y - grow - 1, band.right, band.bottom + grow + 1).intersect(selection.bounds)
    values = selection.read(halo)[..., 0]
    own = slice(band.y - halo.y, band.bottom - halo.y)
    chosen = values > 0.5
    if not grow or not chosen.any():
        return values[own]
    near = np.clip(grow + 1 - distance_transform_edt(~chosen), 0, 1)
    grown: Floats = np.maximum(values, near).astype(np.float32)[own]
    return grown


def _total(selection: Picture, grow: int, sigma: float) -> float:
    return sum(float(soft_edge(selection, band, grow, sigma).sum()) for band in selection.bands())
