"""The grid of tiles over the document."""

from collections.abc import Iterator
from dataclasses import dataclass

from scumble.qt import QtCore


@dataclass(frozen=True)
class Grid:
    """Tiles of one size in rows and columns, all in document pixels, which need not be whole.

    `x`, `y`, `width`, `height`: what the tiles cover; `columns`, `rows`: left and top edges of the tiles, from the
    document's corner, ascending; `tile_width`, `tile_height`: of every tile; what juts out of the covered part is cut.
    """

    x: float
    y: float
    width: float
    height: float
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    tile_width: float
    tile_height: float

    @classmethod
    def in_output(
        cls,
        corner: tuple[float, float],
        scale: float,
        extent: tuple[int, int],
        columns: tuple[int, ...],
        rows: tuple[int, ...],
        tile: tuple[int, int],
    ) -> "Grid":
        """From a plan in output pixels. `corner`: where the sent part lies in the document; `scale`: output pixels a
        document pixel, above 0."""
        x, y = corner
        return cls(
            x,
            y,
            extent[0] / scale,
            extent[1] / scale,
            tuple(x + column / scale for column in columns),
            tuple(y + row / scale for row in rows),
            tile[0] / scale,
            tile[1] / scale,
        )

    @property
    def covered(self) -> QtCore.QRectF:
        return QtCore.QRectF(self.x, self.y, self.width, self.height)

    @property
    def count(self) -> int:
        return len(self.columns) * len(self.rows)

    def box(self, index: int) -> QtCore.QRectF:
        """Of the tile with this number. Raises IndexError."""
        if not 0 <= index < self.count:
            raise IndexError(index)
        row, column = divmod(index, len(self.columns))
        whole = QtCore.QRectF(self.columns[column], self.rows[row], self.tile_width, self.tile_height)
        return whole.intersected(self.covered)

    def boxes(self) -> Iterator[QtCore.QRectF]:
        """Row by row, as the core numbers its tiles."""
        return (self.box(index) for index in range(self.count))

    def tile_at(self, x: float, y: float) -> "int | None":
        """The number of the tile there; where tiles overlap, of the one whose middle is nearest. None beside them."""
        if not (self.x <= x < self.x + self.width and self.y <= y < self.y + self.height):
            return None
        column = _nearest(self.columns, self.tile_width, x)
        row = _nearest(self.rows, self.tile_height, y)
        return None if column is None or row is None else row * len(self.columns) + column


def _nearest(starts: tuple[float, ...], length: float, at: float) -> "int | None":
    holding = [index for index, start in enumerate(starts) if start <= at < start + length]
    return min(holding, key=lambda index: abs(starts[index] + length / 2 - at), default=None)
