"""The packed plugin comes into Krita as a new user brings it there: by Krita's own importer."""

from __future__ import annotations

from pathlib import Path

from tests.krita.session import KritaSession
from tools.tour.artist import Artist, Effort

from scumble_core.krita.package import build_zip

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
    artist.looks(1)
    artist.starts_krita_anew(picture)
    session.wait(f"{session.widget('scumble_docker')} is not None")
    session.run(f"w = {session.widget('scumble_docker')}; w.show(); w.raise_()")
    return artist.effort - before
