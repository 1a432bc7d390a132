"""How complex the reference node "Mikey Sampler Tiled" holds a tile to be, and where it starts to sample it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# (below this score, start at this step of the tile phase's 20), the lowest first.
_STARTS = ((6.5, 18), (8.0, 15))


def complexity(pixels: NDArray[np.uint8]) -> float:
    """H x W x 3 to its score: the entropy of grey levels in bits, and the spread of each colour.

    Spreads are standard deviations in 0 to 1. The node adds an edge density, too, but its arithmetic wraps around in
    8 bits, and that share is always 0.
    """
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    # The node's own guard against log 0: a flat tile scores a hair below 0.
    entropy = -float(np.sum(share * np.log2(share + np.finfo(float).eps)))
    return entropy + sum(float(np.std(pixels[..., colour] / 255)) for colour in range(3))


def start_step(score: float, asked: int) -> int:
    """The first step for a tile of this score: a simple tile overrides what was asked, up or down."""
    return next((step for limit, step in _STARTS if score < limit), asked)


def start_of(denoise: float, steps: int) -> int:
    """The first step for a share (0 to 1) of the noise, rounded as the node rounds it."""
    return int(steps - steps * denoise)
