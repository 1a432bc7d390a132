"""How the reference node "Mikey Sampler Tiled" lays tiles together: each painted, feathered, over what is there."""

import numpy as np

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Floats
from scumble_core.stages.blend import Sink


class Stitcher:
    """Takes tiles row by row, left to right, and hands finished bands to the sink: memory is a row of tiles.

    A tile fades in over an eighth of its width from the left, unless it is the first of its row, and over as many rows
    from the top, unless it touches the picture's. Where the overlap is narrower than that, the node blends with black;
    here the fade is narrowed to the overlap. Tiles of a row begin at the same y, and rows follow downwards.
    """

    def __init__(self, width: int, sink: Sink, channels: int = 3) -> None:
        self._sink = sink
        self._band = np.zeros((0, width, channels), np.float32)
        self._top = 0
        self._row: int | None = None
        # How far the row at hand reaches to the right, and the rows above it downwards.
        self._right = 0
        self._bottom = 0

    def add(self, x: int, y: int, pixels: Floats) -> None:
        """The tile whose corner is at x, y: height x width x channels."""
        height, width = pixels.shape[:2]
        is_first = self._row != y
        if is_first:
            self._begin_row(y)
        self._reach(y + height)
        feather = width // 8
        mask = np.ones((height, width), np.float32)
        if not is_first:
            across = _ramp(min(feather, self._right - x))
            mask[:, : len(across)] *= across
        if y > 0:
            down = _ramp(min(feather, self._bottom - y, height))
            mask[: len(down)] *= down[:, None]
        weight = mask[..., None]
        there = self._band[y - self._top : y - self._top + height, x : x + width]
        there[:] = pixels * weight + there * (np.float32(1) - weight)
        self._right = max(self._right, x + width)

    def finish(self) -> None:
        """Hand out what is left."""
        self._hand_out(self._top + len(self._band))

    def _begin_row(self, y: int) -> None:
        if self._row is not None and y < self._row:
            raise ValueError(f"a row at {y} can't follow one at {self._row}")
        self._bottom = self._top + len(self._band)
        self._hand_out(min(y, self._bottom))
        self._row, self._right = y, 0

    def _hand_out(self, until: int) -> None:
        """Rows above `until` are finished."""
        rows = until - self._top
        if rows > 0:
            self._sink(Bounds(0, self._top, self._band.shape[1], rows), self._band[:rows])
            self._band = self._band[rows:].copy()
            self._top = until

    def _reach(self, bottom: int) -> None:
        """Room for rows down to `bottom`, black as yet."""
        missing = bottom - self._top - len(self._band)
        if missing > 0:
            fresh = np.zeros((missing, *self._band.shape[1:]), np.float32)
            self._band = np.concatenate([self._band, fresh])


def _ramp(length: int) -> Floats:
    """From 1/length to 1; nothing where there is no overlap."""
    return (np.arange(1, length + 1) * (1.0 / max(length, 1))).astype(np.float32)
