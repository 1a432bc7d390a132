"""The planner: which tiles cover a picture with the fewest processed pixels.

Every tile of a plan has the same size, so that none samples at another scale than its neighbours and equal tiles can
share a batch. The plan pads inside, up to the model's grid; what lies beyond the picture is cropped at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from scumble_core.picture.geometry import Bounds, Extent


@dataclass(frozen=True)
class TileLimits:
    """What a tile may be: sides and overlap in pixels, both multiples of `grid`; aspect is long side over short."""

    grid: int = 8
    overlap: int = 128
    longest_side: int = 1536
    largest_area: int = 1_640_000
    largest_aspect: float = 2.0


@dataclass(frozen=True)
class TileGrid:
    """Tiles of one size in rows and columns; `columns` are the left edges, `rows` the top edges."""

    tile: Extent
    columns: tuple[int, ...]
    rows: tuple[int, ...]

    @property
    def processed_pixels(self) -> int:
        return self.tile.area * len(self.columns) * len(self.rows)

    @property
    def count(self) -> int:
        return len(self.columns) * len(self.rows)

    @property
    def overlap(self) -> tuple[int, int]:
        """The least overlap across and down; 0 where there is but one tile."""
        across = [left + self.tile.width - right for left, right in pairwise(self.columns)]
        down = [upper + self.tile.height - lower for upper, lower in pairwise(self.rows)]
        return min(across, default=0), min(down, default=0)

    def boxes(self) -> Iterator[Bounds]:
        """Row by row, as a picture is read."""
        for y in self.rows:
            for x in self.columns:
                yield Bounds(x, y, self.tile.width, self.tile.height)


def plan_tiles(extent: Extent, limits: TileLimits) -> TileGrid:
    """The cheapest grid of tiles for a picture of this size; of equally cheap ones that with the fewest tiles.

    The aspect gives way where no tile keeps within it; area and overlap never do.
    """
    padded = extent.rounded_up(limits.grid)
    across, down = _axis_choices(padded.width, limits), _axis_choices(padded.height, limits)
    _, _, _, (width, columns), (height, rows) = min(
        (not _has_aspect(Extent(width, height), padded, limits), width * columns * height * rows, columns * rows,
         (width, columns), (height, rows))
        for width, columns in across
        for height, rows in down
        if width * height <= limits.largest_area
    )  # fmt: skip
    starts = (_starts(padded.width, width, columns, limits.grid), _starts(padded.height, height, rows, limits.grid))
    return TileGrid(Extent(width, height), *starts)


def _axis_choices(length: int, limits: TileLimits) -> list[tuple[int, int]]:
    """(tile side, number of tiles), from the fewest tiles on, while a tile is at least twice as long as its overlap.

    Ever more tiles cost ever more, so a side already reached with fewer is left out. The list goes on below twice the
    overlap until it holds a side that, squared, keeps to the largest area: then some pair of sides always does.
    """
    choices: list[tuple[int, int]] = []
    count = 1
    while True:
        side = _side(length, count, limits)
        fits = bool(choices) and choices[-1][0] ** 2 <= limits.largest_area
        if fits and side < 2 * limits.overlap:
            return choices
        if side <= limits.longest_side and (not choices or side < choices[-1][0]):
            choices.append((side, count))
        if side <= (-(-limits.overlap // limits.grid) + 1) * limits.grid or count * limits.grid >= length:
            return choices  # it gets no smaller
        count += 1


def _side(length: int, count: int, limits: TileLimits) -> int:
    """The shortest side on the grid with which `count` tiles cover `length`, each overlap at least the asked one."""
    grid = limits.grid
    steps = count - 1
    cells, overlap = length // grid, -(-limits.overlap // grid)
    # Starts are spread over whole cells, so one gap may be a cell longer than the mean: count with the longest.
    side = -(-(cells + steps * overlap) // count)
    while steps and -(-(cells - side) // steps) > side - overlap:
        side += 1
    return min(side, cells) * grid


def _starts(length: int, side: int, count: int, grid: int) -> tuple[int, ...]:
    if count == 1:
        return (0,)
    cells = (length - side) // grid
    return tuple(tile * cells // (count - 1) * grid for tile in range(count))


def _has_aspect(tile: Extent, padded: Extent, limits: TileLimits) -> bool:
    """A tile that spans the picture's short side may be as narrow as the picture."""
    short, long = sorted((tile.width, tile.height))
    spans = short == min(padded.width, padded.height)
    return spans or long <= limits.largest_aspect * short
