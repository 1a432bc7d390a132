"""Colour under transparency: models see a picture without holes, and the artist gets the holes back."""

import numpy as np
from PIL import Image

from scumble_core.picture.storage import Floats

_CLEAR = 1e-3


def fill_transparent(colour: Floats, alpha: Floats) -> Floats:
    """H x W x 3 colour, where all but transparent pixels are replaced by the colours around them (push-pull).

    What lies under alpha 0 is arbitrary (often black), and would bleed into the edges of strokes when enlarged.
    """
    if float(alpha.min()) >= _CLEAR:
        return colour
    weight = (alpha >= _CLEAR).astype(np.float32)
    if not weight.any():
        return np.zeros_like(colour)
    return np.where(weight > 0, colour, _push_pull(colour * weight, weight)).astype(np.float32)


def _push_pull(premultiplied: Floats, weight: Floats) -> Floats:
    """Gortler et al. 1996 (The Lumigraph), section 3.4: halve until nothing is missing, fill from coarse to fine."""
    height, width = weight.shape[:2]
    own: Floats = (premultiplied / np.maximum(weight, _CLEAR)).astype(np.float32)
    if max(height, width) == 1 or float(weight.min()) > 0:
        return own
    coarse = _push_pull(_halve(premultiplied), _halve(weight))
    share = np.minimum(weight, 1)
    filled: Floats = (own * share + _grow(coarse, width, height) * (1 - share)).astype(np.float32)
    return filled


def _halve(values: Floats) -> Floats:
    height, width = values.shape[:2]
    padded = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    total: Floats = padded[0::2, 0::2] + padded[1::2, 0::2] + padded[0::2, 1::2] + padded[1::2, 1::2]
    return total * np.float32(0.25)


def _grow(values: Floats, width: int, height: int) -> Floats:
    size = (values.shape[1] * 2, values.shape[0] * 2)
    grown = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., channel])).resize(size, Image.Resampling.BILINEAR))
        for channel in range(values.shape[2])
    ]
    return np.stack(grown, axis=2)[:height, :width]
