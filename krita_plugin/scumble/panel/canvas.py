"""What the panel draws over the canvas: the tile grid on demand, and previews in place while a run goes on."""

from typing import Protocol

from scumble.geometry import Box
from scumble.guard import guarded
from scumble.overlay.grid import Grid
from scumble.overlay.mosaic import Tile
from scumble.qt import QtCore
from scumble.runs.estimate import Estimate
from scumble.runs.run import Run
from scumble.runs.runner import Runner
from scumble_bridge.messages import Preview


class Overlay(Protocol):
    """What is needed of overlay.canvas.CanvasOverlay."""

    def follow(self) -> None: ...
    def show_grid(self, document: str, grid: "Grid | None") -> None: ...
    def begin_previews(self, document: str, box: Box, pixels_per_document_pixel: float) -> None: ...
    def add_preview(self, tile: Tile) -> None: ...
    def end_previews(self) -> None: ...
    def close(self) -> None: ...


class CanvasDrawing(QtCore.QObject):
    """`grid_wanted`, `previews_wanted`: the artist's switches."""

    def __init__(self, overlay: Overlay, runner: Runner, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self._overlay = overlay
        self._grid_wanted = False
        self._previews_wanted = False
        self._document = ""
        self._estimate: Estimate | None = None
        self._shown: Run | None = None
        runner.tile.connect(self._preview)
        runner.changed.connect(self._changed)

    @guarded
    def want_grid(self, wanted: bool) -> None:
        """Show the tile grid, or hide it."""
        self._grid_wanted = wanted
        self._draw_grid()

    @guarded
    def want_previews(self, wanted: bool) -> None:
        """Show finished tiles on the canvas, or in the docker alone."""
        self._previews_wanted = wanted
        if not wanted:
            self._end()

    @guarded
    def show(self, document: str, estimate: "Estimate | None") -> None:
        """The tiles that a run of this document would have now."""
        if (document, estimate) != (self._document, self._estimate):
            self._document, self._estimate = document, estimate
            self._draw_grid()

    def follow(self) -> None:
        """Another canvas may be in front."""
        self._overlay.follow()

    def close(self) -> None:
        """Krita ends."""
        self._overlay.close()

    def surprised(self, _sentence: str) -> None:
        """See `guarded`: a run needs no drawing."""

    def _draw_grid(self) -> None:
        estimate = self._estimate
        grid = None if estimate is None or not self._grid_wanted else grid_over(estimate)
        self._overlay.show_grid(self._document, grid)

    @guarded
    def _preview(self, run: Run, tile: Preview) -> None:
        if not self._previews_wanted or run.order is None or run.grid is None:
            return
        if run is not self._shown:
            self._shown = run
            box = run.order.box
            self._overlay.begin_previews(run.document, box, run.grid.extent[0] / max(1, box.width))
        self._overlay.add_preview(tile)

    @guarded
    def _changed(self, run: Run) -> None:
        if run is self._shown and not run.state.is_busy:
            self._end()

    def _end(self) -> None:
        self._shown = None
        self._overlay.end_previews()


def grid_over(estimate: Estimate) -> "Grid | None":
    """The plan's tiles, in pixels of the document."""
    grid, sent = estimate.grid, estimate.sent
    if grid is None or sent.is_empty:
        return None
    scale = grid.extent[0] / sent.width
    return Grid.in_output((sent.x, sent.y), scale, grid.extent, grid.columns, grid.rows, grid.tile)
