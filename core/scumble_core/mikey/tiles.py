"""The tile boxes of the reference node "Mikey Sampler Tiled"."""

import math

from scumble_core.picture.geometry import Bounds, Extent

# One more tile where the overlap would be narrower than this, in pixels; one more alone, however narrow it stays.
_WANTED_OVERLAP = 256
# The tiles of its engine's upscale, in pixels of what is enlarged.
UPSCALE_TILE, UPSCALE_OVERLAP = 512, 32


def split(extent: Extent, tile: int) -> tuple[Bounds, ...]:
    """The node's boxes, row by row, its duplicates included (1024 x 1024 makes the same box four times).

    Raises ZeroDivisionError where the node does: a side shorter than the tile.
    """
    return _boxes(_starts(extent.width, tile), _starts(extent.height, tile), Extent(tile, tile))


def work_boxes(extent: Extent, tile: int) -> tuple[Bounds, ...]:
    """The boxes worth sampling: the node's, each once (a second time gives the same pixels), and for any size.

    Where the node would divide by zero, at a side shorter than the tile, one tile spans that side.
    """
    columns, rows = (
        dict.fromkeys(_starts(side, tile) if side >= tile else [0]) for side in (extent.width, extent.height)
    )
    return _boxes(list(columns), list(rows), Extent(min(tile, extent.width), min(tile, extent.height)))


def _starts(length: int, tile: int) -> list[int]:
    count = math.ceil(length / tile)
    if length % tile == 0:
        count += 1
    overlap = (count * tile - length) / (count - 1)
    if overlap < _WANTED_OVERLAP:
        count += 1
        overlap = (count * tile - length) / (count - 1)
    return [round(number * tile - number * overlap) for number in range(count)]


def _boxes(columns: list[int], rows: list[int], tile: Extent) -> tuple[Bounds, ...]:
    return tuple(Bounds(x, y, tile.width, tile.height) for y in rows for x in columns)


def upscale_boxes(extent: Extent) -> tuple[Bounds, ...]:
    """The boxes in which the node's engine enlarges, row by row; those at the end are cut by the picture's edge."""
    columns, rows = upscale_spans(extent.width), upscale_spans(extent.height)
    return tuple(Bounds(x, y, width, height) for y, height in rows.items() for x, width in columns.items())


def upscale_spans(length: int) -> dict[int, int]:
    """Start and length of each tile along one axis."""
    if length <= UPSCALE_TILE:
        return {0: length}
    starts = [
        max(0, min(length - UPSCALE_OVERLAP, start))
        for start in range(0, length - UPSCALE_OVERLAP, UPSCALE_TILE - UPSCALE_OVERLAP)
    ]
    return {start: min(UPSCALE_TILE, length - start) for start in starts}
