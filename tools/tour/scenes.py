"""The scenes of the tour, in their order: each goes on where the one before it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.tour.artist import Artist
from tools.tour.start import RUN_SECONDS

DOCKER = "scumble_docker"


@dataclass(frozen=True)
class Scene:
    """`name`: of its picture, NAME.png. `of`: what is pictured: a widget's object name, "dialog", or "" for the screen.
    `needs`: object names of widgets, or of actions; without one of them the scene is left out, and the tour says so.
    `after`: what is done after the picture."""

    name: str
    play: Callable[[Artist], None]
    of: str = DOCKER
    needs: tuple[str, ...] = ()
    after: Callable[[Artist], None] | None = None


def _look(_artist: Artist) -> None:
    time.sleep(1)


def _unfold(artist: Artist) -> None:
    artist.click("scumble_section_expert")
    time.sleep(1)
    artist.scroll(DOCKER, down=30)
    time.sleep(1)


def _fold(artist: Artist) -> None:
    artist.click("scumble_section_expert")
    artist.scroll(DOCKER, down=-30)


def _grid(artist: Artist) -> None:
    artist.points_at(0.5, 0.5)
    artist.press("ctrl+alt+shift+g")
    time.sleep(2)


def _begin(artist: Artist) -> None:
    """As soon as the first previews are there."""
    artist.click("scumble_refine")
    artist.session.wait(f"{artist.session.widget('scumble_progress')}.value() > 500", RUN_SECONDS)
    time.sleep(1)


def _finish(artist: Artist) -> None:
    artist.waits_for("Done", RUN_SECONDS)
    time.sleep(3)  # Krita draws the enlarged picture


def _before(artist: Artist) -> None:
    artist.press("ctrl+alt+shift+b")
    time.sleep(2)


def _scripts(artist: Artist) -> None:
    artist.menu("Tools", "Scripts")


def _close_menus(artist: Artist) -> None:
    artist.press("Escape")
    artist.press("Escape")


def _select(artist: Artist) -> None:
    """With the rectangle tool."""
    artist.press("ctrl+r")
    artist.drag((0.42, 0.4), (0.6, 0.62))
    time.sleep(2)


SCENES: tuple[Scene, ...] = (
    Scene("ready", _look),
    Scene("expert", _unfold, needs=("scumble_section_expert",), after=_fold),
    Scene("tile_grid", _grid, of="", needs=("scumble_tile_grid",), after=_grid),
    Scene("running", _begin),
    Scene("done", _finish, of=""),
    Scene("before", _before, of="", needs=("scumble_before_after",), after=_before),
    Scene("history", _look, of="scumble_history", needs=("scumble_history",)),
    Scene("core", _look, of="scumble_core", needs=("scumble_core",)),
    Scene("actions", _scripts, of="", after=_close_menus),
    Scene("selection", _select, of=""),
)
