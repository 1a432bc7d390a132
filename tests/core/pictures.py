"""Pictures on disk, as the stages take them."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture


def stored(path: Path, pixels: NDArray[Any]) -> Picture:
    """H x W x C as a picture in this file."""
    picture = Picture.create(path, Extent(pixels.shape[1], pixels.shape[0]), pixels.shape[2], pixels.dtype)
    picture.write_raw(picture.bounds, pixels)
    picture.flush()
    return picture
