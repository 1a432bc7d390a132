"""Make the two results: colour at the size that was asked for, alpha beside it, in the source's own space and type."""

from pathlib import Path

import numpy as np

from scumble_core.picture.colour import SRGB, ColourSpace
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.order import Order
from scumble_core.picture.resample import block_bands, resize_colour, resize_values
from scumble_core.picture.storage import Picture


def compose(
    colour: Picture, alpha: Picture | None, extent: Extent, region: Bounds, path: Path, dtype: np.dtype[np.generic],
    space: ColourSpace = SRGB, beyond: Picture | None = None, order: Order = "rgba",
) -> None:  # fmt: skip
    """Write the RGBA picture `path`: the part `region` of `colour` brought to `extent`; no alpha: opaque.

    `beyond` is what `write_colour` could not put into the colour; 8 bits are dithered. `order` is the file's.
    """
    target = Picture.create(path, region.extent, 4, dtype, order)
    for there in block_bands(colour.extent, extent, region):
        pixels = np.ones((there.height, there.width, 4), np.float32)
        rest = None if beyond is None else resize_values(beyond, extent, there)
        pixels[..., :3] = space.from_work(resize_colour(colour, extent, there), rest)
        if alpha is not None:
            pixels[..., 3:] = np.clip(resize_values(alpha, extent, there), 0, 1)
            # As Krita does: no colour is kept where nothing shows.
            pixels[..., :3] *= pixels[..., 3:] > 0
        target.write(there.translate(-region.x, -region.y), pixels, dither=region.origin)
    target.flush()
