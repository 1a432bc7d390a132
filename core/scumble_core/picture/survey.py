"""What a picture has to offer a model: where it is flat, where smooth, where busy. Measured in cells of 16 pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Floats, Picture

CELL = 16
# All values of a flat tile lie within this range, in every channel: less than 8 bits can show.
FLAT_RANGE = 1.5 / 255
_LUMA = (np.float32(0.2126), np.float32(0.7152), np.float32(0.0722))


@dataclass(frozen=True, eq=False)
class Survey:
    """By cell, rows x columns: the lowest and highest value of each channel (x 3), whether anything shows, and energy.

    `energy` is the mean square of the second differences of luma along x and y, in levels of 8 bits. It is 0 for a
    gradient, however steep, and large for a checkerboard: unlike the reference node's measure, which has them the
    wrong way round.
    """

    lowest: Floats
    highest: Floats
    visible: NDArray[np.bool_]
    energy: Floats

    def is_flat(self, bounds: Bounds) -> bool:
        """Whether there is nothing to refine in a box of the picture: one colour, or nothing that shows."""
        cells = self._cells(bounds)
        if not self.visible[cells].any():
            return True
        spread = self.highest[cells].max((0, 1)) - self.lowest[cells].min((0, 1))
        return bool((spread <= FLAT_RANGE).all())

    def complexity(self, bounds: Bounds) -> float:
        """The root mean square of luma's second differences in a box, in levels of 8 bits: 5 is busy."""
        return float(np.sqrt(self.energy[self._cells(bounds)].mean()))

    def _cells(self, bounds: Bounds) -> tuple[slice, slice]:
        return cells_of(bounds, *self.energy.shape)


def cells_of(bounds: Bounds, rows: int, columns: int) -> tuple[slice, slice]:
    """The cells that a box of the picture touches, at least one."""
    top, left = min(max(0, bounds.y // CELL), rows - 1), min(max(0, bounds.x // CELL), columns - 1)
    bottom = min(max(top + 1, -(-bounds.bottom // CELL)), rows)
    right = min(max(left + 1, -(-bounds.right // CELL)), columns)
    return slice(top, bottom), slice(left, right)


def survey(colour: Picture, alpha: Picture) -> Survey:
    """Measure `colour` (3 channels, sRGB); `alpha` is a picture of the same size, the last channel of which counts."""
    strips = list(colour.bounds.bands(CELL * max(1, 2_000_000 // (CELL * colour.extent.width))))
    parts = [_measure(colour, alpha, strip) for strip in strips]
    lowest, highest, visible, energy = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Survey(lowest, highest, visible > 0, energy)


def _measure(colour: Picture, alpha: Picture, strip: Bounds) -> tuple[Floats, Floats, Floats, Floats]:
    """A strip's rows of cells; it begins with one."""
    above, below = (1 if strip.y > 0 else 0), (1 if strip.bottom < colour.extent.height else 0)
    pixels = colour.read(Bounds.between(0, strip.y - above, strip.right, strip.bottom + below))
    own = pixels[above : above + strip.height]
    # Not a matrix product, whose rounding depends on how it is split: this number becomes part of tiles' keys.
    luma = pixels[..., 0] * _LUMA[0] + pixels[..., 1] * _LUMA[1] + pixels[..., 2] * _LUMA[2]
    luma *= np.float32(255)
    energy = _bends(luma[above : above + strip.height].T).T + _bends(luma)[above : above + strip.height]
    seen = alpha.read(strip)[..., -1:]
    return (
        _cellwise(own, strip.extent).min((1, 3)),
        _cellwise(own, strip.extent).max((1, 3)),
        _cellwise(seen, strip.extent).max((1, 3))[..., 0],
        _cellwise(energy[..., None], strip.extent).mean((1, 3))[..., 0],
    )


def _bends(luma: Floats) -> Floats:
    """The squares of the second differences down the rows; the outermost rows take their neighbours'."""
    if len(luma) < 3:
        return np.zeros_like(luma)
    bends = np.square(luma[1:-1] - (luma[:-2] + luma[2:]) / 2)
    return np.pad(bends, ((1, 1), (0, 0)), mode="edge")


def _cellwise(values: Floats, extent: Extent) -> Floats:
    """H x W x C to rows x 16 x columns x 16 x C; cells that the edge cuts are filled up with the values at the edge."""
    right, bottom = -extent.width % CELL, -extent.height % CELL
    full = np.pad(values, ((0, bottom), (0, right), (0, 0)), mode="edge") if right or bottom else values
    height, width, channels = full.shape
    return full.reshape(height // CELL, CELL, width // CELL, CELL, channels)
