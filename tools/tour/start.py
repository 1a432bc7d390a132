"""From nothing to two layers, as a new user: the packed plugin, Krita's own importer, no core installed."""

from __future__ import annotations

import time
from pathlib import Path

from tests.krita.session import KritaSession
from tools.tour.artist import Artist, Effort

from scumble_bridge.places import write_core_command
from scumble_core.jobs.command import CORE
from scumble_core.krita.package import build_zip

RUN_SECONDS = 900
_DIALOG = "__import__('PyQt5.QtWidgets').QtWidgets.QApplication.activeModalWidget()"
_IN_FRONT = f"{_DIALOG} is not None"
_ENTRY = f"""
from PyQt5.QtWidgets import QLineEdit
w = {_DIALOG}
w.activateWindow()
e = w.findChild(QLineEdit, "fileNameEdit")
c = e.mapToGlobal(e.rect().center())
result = [c.x(), c.y()]
"""
_YES = f"""
from PyQt5.QtWidgets import QMessageBox
b = {_DIALOG}.button(QMessageBox.Yes)
c = b.mapToGlobal(b.rect().center())
result = [c.x(), c.y()]
"""


def import_plugin(artist: Artist, session: KritaSession, picture: Path) -> Effort:
    """Tools > Scripts > Import Python Plugin from File, Yes, and Krita anew with the picture."""
    before = artist.effort
    archive = session.home / "scumble.zip"
    build_zip(archive)
    artist.menu("Tools", "Scripts", "Import Python Plugin from File")
    session.wait(_IN_FRONT)
    artist.click_at(*session.run(_ENTRY))
    artist.write(str(archive))
    session.wait(f"hasattr({_DIALOG}, 'button')")
    artist.click_at(*session.run(_YES))
    time.sleep(1)
    artist.starts_krita_anew(picture)
    session.wait(f"{session.widget('scumble_docker')} is not None")
    session.run(f"w = {session.widget('scumble_docker')}; w.show(); w.raise_()")
    return artist.effort - before


def first_refine(artist: Artist, session: KritaSession) -> Effort:
    """From the docker that finds no core to two layers. `scumble krita install` leaves word of the core for the plugin:
    that is done here, without the download that comes before it."""
    before = artist.effort
    if artist.sees("scumble_copy_1"):
        artist.click("scumble_copy_1")
    write_core_command(session.data, CORE)
    artist.types_in_a_terminal()
    if artist.sees("scumble_core_start"):
        artist.click("scumble_core_start")
    artist.click("scumble_refine")
    artist.waits_for("Done", RUN_SECONDS)
    return artist.effort - before
