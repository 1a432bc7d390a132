"""What can be done from Tools > Scripts and by a shortcut: one table, from which Krita's actions are made.

Krita reads `scumble.action` for the default shortcuts (tools/words makes it from this table) and lets the artist change
them under Settings > Configure Krita > Keyboard Shortcuts. The words come from here, in the artist's language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from scumble.qt import QAction
from scumble.words import tr

MENU = "tools/scripts"


@dataclass(frozen=True)
class ActionRow:
    """`id` is Krita's name for it and never changes: artists' own shortcuts hang on it. `shortcut`: none of Krita
    5.1's own, which a test in Krita holds."""

    id: str
    text: str
    tip: str
    shortcut: str = ""
    checkable: bool = False


class Window(Protocol):
    """The part of Krita's Window that is needed."""

    def createAction(self, identifier: str, text: str, menu: str) -> "QAction": ...


def actions() -> "tuple[ActionRow, ...]":
    """All of them, in the menu's order, in the artist's language."""
    return (
        ActionRow(
            "scumble_refine",
            tr("Scumble: Refine"),
            tr("Upscale and refine what the Scumble docker shows as the source."),
            "Ctrl+Alt+R",
        ),
        ActionRow(
            "scumble_refine_selection",
            tr("Scumble: Refine the Selection"),
            tr("Refine the selected part of the picture, whatever source the docker shows."),
            "Ctrl+Alt+Shift+R",
        ),
        ActionRow(
            "scumble_test_tile",
            tr("Scumble: Test This Tile"),
            tr("Refine only the tile under the pointer, to try the settings."),
            "Ctrl+Alt+Shift+T",
        ),
        ActionRow(
            "scumble_redo_tile",
            tr("Scumble: Redo This Tile"),
            tr("Refine the tile under the pointer again, with a new seed, and leave all others as they are."),
            "Ctrl+Alt+Shift+Y",
        ),
        ActionRow(
            "scumble_tile_grid",
            tr("Scumble: Show Tile Grid"),
            tr("Draw over the canvas how the picture would be cut into tiles."),
            "Ctrl+Alt+Shift+G",
            checkable=True,
        ),
        ActionRow(
            "scumble_before_after",
            tr("Scumble: Before/After"),
            tr("Hide the refined layer of the last run, or show it again."),
            "Ctrl+Alt+Shift+B",
        ),
        ActionRow(
            "scumble_pause",
            tr("Scumble: Pause/Resume"),
            tr("Let the running job rest after its tile, or go on with it."),
            "Ctrl+Alt+Shift+P",
        ),
        ActionRow(
            "scumble_cancel",
            tr("Scumble: Cancel"),
            tr("Stop the running job. Its finished tiles are offered to be kept."),
            "Ctrl+Alt+Shift+X",
        ),
        ActionRow(
            "scumble_show_docker",
            tr("Scumble: Show Docker"),
            tr("Open the Scumble docker and bring it to the front."),
            "Ctrl+Alt+Shift+D",
        ),
    )


def create_actions(window: Window, doings: "Mapping[str, Callable[[], None]]") -> "dict[str, QAction]":
    """Put into the window's menu each action that has something to do, by its id. For `Extension.createActions`."""
    made = {}
    for row in actions():
        if row.id in doings:
            action = window.createAction(row.id, row.text, MENU)
            action.setText(row.text)
            action.setToolTip(row.tip)
            action.setCheckable(row.checkable)
            action.triggered.connect(partial(_do, doings[row.id]))
            made[row.id] = action
    return made


def _do(doing: "Callable[[], None]", *_checked: object) -> None:
    doing()
