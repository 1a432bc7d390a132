"""What is drawn over the canvas, where the artist wishes it."""

from scumble.panel.look import tight
from scumble.panel.widgets import check
from scumble.qt import QtWidgets
from scumble.words import tr


class TilesBox(QtWidgets.QWidget):
    """Two switches."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = check(
            "scumble_tile_grid_box",
            tr("Tile grid on the canvas"),
            tr("Shows over the canvas how the picture would be cut into tiles, and which one the pointer is on."),
        )
        self.previews = check(
            "scumble_previews_box",
            tr("Finished tiles on the canvas"),
            tr("While a run goes on, its tiles show in their place over the canvas. The document doesn’t change."),
        )
        column = QtWidgets.QVBoxLayout(self)
        tight(column)
        column.addWidget(self.grid)
        column.addWidget(self.previews)
