"""The scenes of the tour, in their order: each goes on where the one before it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.tour.artist import Artist

from scumble_bridge.places import write_core_command
from scumble_core.jobs.command import CORE

DOCKER = "scumble_docker"
RUN_SECONDS = 900


@dataclass(frozen=True)
class Scene:
    """`name`: of its picture, NAME.png. `of`: what is pictured: a widget's object name, "dialog", or "" for the screen.
    `after`: what is done when the picture is taken. `needs`: object names of widgets, or of actions; without one of
    them the scene is left out, and the tour says so. `counts`: it is on the way from no core to two layers."""

    name: str
    play: Callable[[Artist], None]
    of: str = DOCKER
    after: Callable[[Artist], None] | None = None
    needs: tuple[str, ...] = ()
    counts: bool = False

    @property
    def manual_name(self) -> str:
        """The picture's file in the manual."""
        return f"{self.name}.png" if self.of else f"{self.name}.jpg"


def _no_core(artist: Artist) -> None:
    artist.bring_into_sight("scumble_core_start")
    artist.looks(1)


def _install_core(artist: Artist) -> None:
    """Copy the line, type it, press Start. `scumble krita install` leaves word of the core for the plugin: that is done
    here, without the download that comes before it."""
    artist.click("scumble_copy_1")
    write_core_command(artist.session.data, CORE)
    artist.types_in_a_terminal()
    artist.click("scumble_core_start")
    artist.session.wait(f"'running' in {artist.session.widget('scumble_core_state')}.text()")
    artist.scroll(-60)
    artist.looks(2)


def _guides(artist: Artist) -> None:
    artist.click("scumble_section_guides")
    artist.bring_into_sight("scumble_region_add")
    artist.looks(1)


def _fold_guides(artist: Artist) -> None:
    artist.click("scumble_section_guides")
    artist.scroll(-60)


def _core(artist: Artist) -> None:
    """It tells of its device, memory and models by now."""
    artist.bring_into_sight("scumble_core_copy")
    artist.looks(1)


def _to_the_top(artist: Artist) -> None:
    artist.scroll(-60)


def _unfold_expert(artist: Artist) -> None:
    artist.click("scumble_section_expert")
    artist.bring_into_sight("scumble_first_pass")
    artist.looks(1)


def _fold_expert(artist: Artist) -> None:
    artist.click("scumble_section_expert")
    artist.scroll(-60)


def _grid(artist: Artist) -> None:
    artist.press("ctrl+alt+shift+g")
    artist.looks(2)


def _begin(artist: Artist) -> None:
    """As soon as the first tile is there."""
    artist.click("scumble_refine")
    artist.waits_for("Refining: tile 2", RUN_SECONDS)
    artist.looks(1)


def _finish(artist: Artist) -> None:
    artist.waits_for("Done", RUN_SECONDS)
    # All of the picture in sight, which counts as no click: what was measured has ended.
    artist.session.run("K.action('toggle_zoom_to_fit').trigger()")
    artist.looks(3)


def _turn(artist: Artist) -> None:
    artist.press("ctrl+alt+shift+b")
    artist.looks(2)


def _history(artist: Artist) -> None:
    artist.click("scumble_section_history")
    artist.bring_into_sight("scumble_history_settings")
    artist.session.run(f"{artist.session.widget('scumble_history')}.setCurrentRow(0)")
    artist.looks(1)


def _fold_history(artist: Artist) -> None:
    artist.click("scumble_section_history")
    artist.scroll(-60)


def _select(artist: Artist) -> None:
    """With the rectangle tool; the docker then shows what would be sent."""
    artist.press("ctrl+r")
    artist.drag((0.42, 0.4), (0.6, 0.62))
    artist.choose("scumble_source", "selection")
    artist.looks(3)


def _scripts(artist: Artist) -> None:
    artist.menu("Tools", "Scripts")


def _close_menus(artist: Artist) -> None:
    artist.press("Escape")
    artist.press("Escape")


SCENES: tuple[Scene, ...] = (
    Scene("no_core", _no_core, needs=("scumble_core_start",), counts=True),
    Scene("ready", _install_core, needs=("scumble_copy_1", "scumble_core_start"), counts=True),
    Scene("expert", _unfold_expert, needs=("scumble_section_expert",), after=_fold_expert),
    Scene("guides", _guides, needs=("scumble_section_guides",), after=_fold_guides),
    Scene("tile_grid", _grid, of="", needs=("scumble_tile_grid",), after=_grid),
    Scene("running", _begin, counts=True),
    Scene("done", _finish, of="", counts=True),
    Scene("before", _turn, of="", needs=("scumble_before_after",), after=_turn),
    Scene("history", _history, needs=("scumble_section_history",), after=_fold_history),
    Scene("core", _core, needs=("scumble_core_copy",), after=_to_the_top),
    Scene("selection", _select, of=""),
    Scene("actions", _scripts, of="", after=_close_menus),
)
