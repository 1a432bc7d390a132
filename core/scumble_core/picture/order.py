"""The order of a pixel's channels in a file: RGBA, or BGRA as Krita has it and the wire brings it.

Scumble works on RGBA. A picture that came as BGRA lies in its file as it came, and is turned where a part of it is
read: whoever moves whole pictures (the front door) then touches no pixel.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["rgba", "bgra"]
# Pixels that are turned at once: what is made on the way stays in the processor's cache.
_CACHED = 64 * 1024


def turn(pixels: NDArray[Any]) -> None:
    """RGBA to BGRA in place, or back: it is the same swap. `pixels`: ... x 4, C-contiguous, 1, 2 or 4 bytes a value."""
    size = pixels.dtype.itemsize
    # As whole numbers, so that no value is taken for a number and changed.
    channels = pixels.view(f"<u{size}").reshape(-1, 4)
    if size > 1:
        kept = channels[:, 0].copy()
        channels[:, 0] = channels[:, 2]
        channels[:, 2] = kept
        return
    # The two differ in some bits: turning just those over in both, whole pixels at a time, swaps them.
    whole = channels.view("<u4")[:, 0]
    scratch = np.empty(min(_CACHED, len(whole)), "<u4")
    for start in range(0, len(whole), _CACHED):
        part = whole[start : start + _CACHED]
        differ = scratch[: len(part)]
        np.right_shift(part, np.uint32(16), out=differ)
        differ ^= part
        differ &= np.uint32(0xFF)
        differ *= np.uint32(0x10001)
        part ^= differ
