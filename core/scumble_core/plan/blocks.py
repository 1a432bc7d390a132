"""Blocks of tiles that are walked together while predictions are merged. No torch here: the plan must know them.

A latent too large for memory is walked in blocks that share a row or column of tiles with their neighbours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from scumble_core.picture.geometry import Bounds
from scumble_core.plan.tiles import TileGrid

# Values of the latent in a block: samplers hold about six such arrays at a time.
MOST_VALUES = 1 << 24


@dataclass(frozen=True)
class Block:
    """Neighbouring tiles that are walked together, as a grid of their own that begins at `bounds`' corner."""

    bounds: Bounds
    grid: TileGrid

    @property
    def boxes(self) -> tuple[Bounds, ...]:
        """The tiles' boxes in the picture."""
        return tuple(box.translate(self.bounds.x, self.bounds.y) for box in self.grid.boxes())

    def touches(self, part: Bounds) -> bool:
        """Whether its weights reach into this part of the picture: more than whether it holds a tile of it."""
        return not part.intersect(self.bounds).is_empty


def covered(boxes: Iterable[Bounds]) -> Bounds:
    """What neighbouring tiles of a grid cover in all; nothing, for no tile."""
    return reduce(Bounds.union, boxes, Bounds(0, 0, 0, 0))


def blocks_of(grid: TileGrid, values_per_pixel: float, most: int = MOST_VALUES) -> tuple[tuple[Block, ...], ...]:
    """The grid's blocks in rows, each as large as `most` values of the latent allow, at least two tiles each way."""
    across, down = len(grid.columns), len(grid.rows)
    while grid_values(grid, across, down) * values_per_pixel > most and max(across, down) > 2:
        if across >= down:
            across -= 1
        else:
            down -= 1
    return tuple(
        tuple(_block(grid, first_column, across, first_row, down) for first_column in _firsts(grid.columns, across))
        for first_row in _firsts(grid.rows, down)
    )


def grid_values(grid: TileGrid, across: int, down: int) -> int:
    """The pixels of a block of so many tiles."""
    width = grid.columns[across - 1] + grid.tile.width
    return width * (grid.rows[down - 1] + grid.tile.height)


def _firsts(starts: tuple[int, ...], count: int) -> list[int]:
    """The first tiles of blocks of `count` tiles; neighbours share at least one tile."""
    last = len(starts) - count
    return sorted({*range(0, last, max(1, count - 1)), last})


def _block(grid: TileGrid, column: int, across: int, row: int, down: int) -> Block:
    columns, rows = grid.columns[column : column + across], grid.rows[row : row + down]
    tile = grid.tile
    bounds = Bounds.between(columns[0], rows[0], columns[-1] + tile.width, rows[-1] + tile.height)
    own = TileGrid(tile, tuple(x - bounds.x for x in columns), tuple(y - bounds.y for y in rows))
    return Block(bounds, own)
