"""The tile grid of a plan: which tile lies under a place, and what of the canvas it shows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from scumble.geometry import ORIGIN_GRID, Box


@dataclass(frozen=True)
class Grid:
    """Tiles of one size (`tile`: width, height) that begin at `columns` x `rows`, in pixels of the tile pass, which
    works at the size `extent`."""

    extent: "tuple[int, int]"
    tile: "tuple[int, int]"
    columns: "tuple[int, ...]"
    rows: "tuple[int, ...]"

    @classmethod
    def of(cls, plan: Mapping[str, object]) -> "Grid | None":
        """As a plan's `to_dict` tells it; None where there is none, or none that we understand."""
        grid = plan.get("grid")
        if not isinstance(grid, Mapping):
            return None
        extent, tile = (_numbers(grid.get(name), 1) for name in ("extent", "tile"))
        columns, rows = (_numbers(grid.get(name), 0) for name in ("columns", "rows"))
        if len(extent) != 2 or len(tile) != 2 or not columns or not rows:
            return None
        return cls((extent[0], extent[1]), (tile[0], tile[1]), columns, rows)

    @property
    def count(self) -> int:
        return len(self.columns) * len(self.rows)

    def to_dict(self) -> "dict[str, object]":
        return {
            "extent": list(self.extent),
            "tile": list(self.tile),
            "columns": list(self.columns),
            "rows": list(self.rows),
        }

    def boxes(self) -> "tuple[Box, ...]":
        """Row by row, cut to the extent."""
        whole = Box(0, 0, *self.extent)
        return tuple(Box(x, y, *self.tile).intersect(whole) for y in self.rows for x in self.columns)

    def tile_at(self, x: int, y: int, sent: Box) -> "tuple[int, int] | None":
        """The tile (as the plan names it: where it begins) whose middle is nearest to a place on the canvas; None when
        that place was not sent."""
        if sent.is_empty or not (sent.x <= x < sent.right and sent.y <= y < sent.bottom):
            return None
        there = (
            (x - sent.x + 0.5) * self.extent[0] / sent.width,
            (y - sent.y + 0.5) * self.extent[1] / sent.height,
        )
        return _nearest(self.columns, self.tile[0], there[0]), _nearest(self.rows, self.tile[1], there[1])

    def box_of(self, tile: "tuple[int, int]", sent: Box) -> Box:
        """What of the canvas a tile shows: it begins on the grid that noise is anchored to, and lies within `sent`."""
        box = _shrunk(Box(*tile, *self.tile).intersect(Box(0, 0, *self.extent)), self.extent, sent)
        left = sent.x + (box.x - sent.x) // ORIGIN_GRID * ORIGIN_GRID
        top = sent.y + (box.y - sent.y) // ORIGIN_GRID * ORIGIN_GRID
        return Box(left, top, box.right - left, box.bottom - top).intersect(sent)


def _nearest(starts: "tuple[int, ...]", side: int, place: float) -> int:
    return min(starts, key=lambda start: abs(start + side / 2 - place))


def _shrunk(box: Box, extent: "tuple[int, int]", sent: Box) -> Box:
    across, down = sent.width / extent[0], sent.height / extent[1]
    left, top = sent.x + round(box.x * across), sent.y + round(box.y * down)
    right, bottom = sent.x + round(box.right * across), sent.y + round(box.bottom * down)
    return Box(left, top, max(1, right - left), max(1, bottom - top)).intersect(sent)


def _numbers(value: object, least: int) -> "tuple[int, ...]":
    """Nothing, where one of them isn't a whole number of at least `least`."""
    if not isinstance(value, (list, tuple)) or not all(type(each) is int and each >= least for each in value):
        return ()
    return tuple(value)
