"""What is to be seen over the canvas: tile grid, the tile where the pointer is or last was, previews in place."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from scumble.geometry import Box
from scumble.overlay.cursor import CanvasCursor
from scumble.overlay.follow import CanvasFollower
from scumble.overlay.grid import Grid
from scumble.overlay.guard import quietly
from scumble.overlay.mosaic import Mosaic, Tile
from scumble.overlay.painting import paint_grid, paint_previews, paint_tile
from scumble.overlay.surface import Surface
from scumble.overlay.transform import scroll_reserve
from scumble.qt import QtCore, QtGui

if TYPE_CHECKING:
    from krita import Window

# Rotation changes without a signal, and a canvas of OpenGL paints itself without what lies above it.
LOOK_MS = 100
# How soon the frame of the tile under the pointer follows it.
POINTER_MS = 40


class CanvasOverlay(QtCore.QObject):
    """Draws over the canvas of the active view, while that shows the document that the drawing belongs to.

    Everything may be called at any time, and again; views, documents and Krita's window may close at any time.
    """

    def __init__(
        self,
        window: "Callable[[], Window | None]",
        document: "Callable[[], str]",
        vast_scrolling: "Callable[[], str]" = str,
    ) -> None:
        """`window`: Krita's window, None while there is none; `document`: the host's key of the active document, ""
        for none; `vast_scrolling`: what Krita keeps as its setting of that name, "" where it never was touched."""
        super().__init__()
        self._document = document
        self._grid: tuple[str, Grid] | None = None
        self._previews: tuple[str, Mosaic] | None = None
        self._tile: int | None = None
        self._surface: Surface | None = None
        self._closed = False
        self._follower = CanvasFollower(window, lambda: scroll_reserve(vast_scrolling()))
        self._cursor = CanvasCursor(self._follower, document)
        self._follower.switched.connect(self._switch)
        self._follower.moved.connect(self._move)
        self._follower.pointed.connect(self._point)
        self._pointer = QtCore.QTimer(self)
        self._pointer.setSingleShot(True)
        self._pointer.setInterval(POINTER_MS)
        self._pointer.timeout.connect(self._find_tile)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._follower.look()

    def follow(self) -> None:
        """Another view may be active: call it from the docker's `canvasChanged`."""
        self._follower.look()

    def cursor(self) -> "tuple[int, int] | None":
        """The last place of the pointer over the canvas, in pixels of the active document."""
        return self._cursor.place()

    def tile(self) -> "int | None":
        """The number of the grid's tile at `cursor`, as the core counts; None without a grid or beside it."""
        place = None if self._shown_grid is None else self._cursor.place()
        if self._shown_grid is None or place is None:
            return None
        return self._shown_grid.tile_at(place[0] + 0.5, place[1] + 0.5)

    @quietly
    def show_grid(self, document: str, grid: "Grid | None") -> None:
        """Over this document; None hides it."""
        if self._closed:
            return
        self._grid = None if grid is None else (document, grid)
        self._tile = None
        self._show()
        self._find_tile()

    @quietly
    def begin_previews(self, document: str, box: Box, pixels_per_document_pixel: float) -> None:
        """A run of this part of the document begins; previews of an earlier one go."""
        if self._closed:
            return
        usable = not box.is_empty and pixels_per_document_pixel > 0
        self._previews = (document, Mosaic(box, pixels_per_document_pixel)) if usable else None
        self._show()

    @quietly
    def add_preview(self, tile: Tile) -> None:
        """Of the run that began last; its box is in pixels of the result."""
        if self._closed or self._previews is None:
            return
        changed = self._previews[1].add(tile)
        if changed is not None:
            self._update(changed)

    @quietly
    def end_previews(self) -> None:
        """The previews go, the grid stays."""
        self._previews = None
        self._show()

    @quietly
    def clear(self) -> None:
        """Nothing is to be seen any more."""
        self._grid = self._previews = self._tile = None
        self._show()

    @quietly
    def close(self) -> None:
        """For good: nothing is left over any canvas, and nothing looks after it."""
        self._closed = True
        self._grid = self._previews = self._tile = None
        self._pointer.stop()
        self._timer.stop()
        self._follower.close()
        self._drop()

    @property
    def _shown_grid(self) -> "Grid | None":
        return self._grid[1] if self._grid is not None and self._grid[0] == self._document() else None

    @property
    def _shown_previews(self) -> "Mosaic | None":
        return self._previews[1] if self._previews is not None and self._previews[0] == self._document() else None

    @quietly
    def _switch(self) -> None:
        self._drop()
        self._tile = None
        self._fit()

    @quietly
    def _move(self) -> None:
        if self._surface is not None and self._follower.view is not None:
            self._surface.setGeometry(self._follower.view.widget.rect())
            self._surface.update()
            self._point()

    @quietly
    def _look(self) -> None:
        self._follower.look()
        self._fit()

    @quietly
    def _point(self, _place: object = None) -> None:
        if self._grid is not None and not self._pointer.isActive():
            self._pointer.start()

    @quietly
    def _find_tile(self) -> None:
        grid, tile = self._shown_grid, self.tile()
        if grid is None or tile == self._tile:
            return
        before, self._tile = self._tile, tile
        for each in (before, tile):
            if each is not None and each < grid.count:
                self._update(grid.box(each))

    def _show(self) -> None:
        """After what is to be seen has changed."""
        busy = self._grid is not None or self._previews is not None
        self._follower.watching = busy
        if busy and not self._closed:
            self._follower.look()
            self._timer.start()
        else:
            self._timer.stop()
        self._fit()
        if self._surface is not None:
            self._surface.update()

    def _fit(self) -> None:
        """One surface over the whole canvas when there is something to be seen there, else none."""
        view = self._follower.view
        wanted = self._shown_grid is not None or self._shown_previews is not None
        if view is None or not view.is_alive or not wanted:
            self._drop()
        elif self._surface is None:
            self._surface = Surface(view.widget, self._paint)
            self._surface.show()
            self._surface.raise_()

    def _drop(self) -> None:
        surface, self._surface = self._surface, None
        if surface is None:
            return
        try:
            surface.hide()
            surface.deleteLater()
        except RuntimeError:  # gone with its canvas
            pass

    def _update(self, changed: QtCore.QRectF) -> None:
        """Only what covers this part of the document."""
        placed = self._follower.placed
        if self._surface is not None and placed is not None:
            self._surface.update(placed.mapRect(changed).toAlignedRect().adjusted(-4, -4, 4, 4))

    def _paint(self, painter: QtGui.QPainter, exposed: QtCore.QRectF) -> None:
        view = self._follower.view
        placed = None if view is None else view.transform()
        if placed is None:
            return
        mosaic, grid = self._shown_previews, self._shown_grid
        if mosaic is not None:
            paint_previews(painter, placed, mosaic)
        if grid is not None:
            paint_grid(painter, placed, grid, exposed)
            if self._tile is not None and self._tile < grid.count:
                paint_tile(painter, placed, grid.box(self._tile))
