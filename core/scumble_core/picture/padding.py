"""Read boxes that reach beyond a picture's edges."""

import numpy as np

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats, Picture


def read_mirrored(picture: Picture, bounds: Bounds) -> Floats:
    """The box's pixels; beyond the edges the picture is mirrored, as often as needed. The box must touch it."""
    inside = bounds.intersect(picture.bounds)
    pixels = picture.read(inside)
    rows = (inside.y - bounds.y, bounds.bottom - inside.bottom)
    columns = (inside.x - bounds.x, bounds.right - inside.right)
    if not any((*rows, *columns)):
        return pixels
    return np.pad(pixels, (rows, columns, (0, 0)), mode="symmetric")
