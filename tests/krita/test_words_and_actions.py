"""The packed plugin in a real Krita that speaks German: words, actions, shortcuts, and the manual in its settings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.krita.conftest import IMPORT
from tests.krita.session import KritaSession, missing_programs

from scumble.actions import actions
from scumble_core.krita.package import build_zip

pytestmark = pytest.mark.krita

SHORTCUTS = "[[a.objectName(), [k.toString() for k in a.shortcuts()]] for a in K.actions() if a.shortcuts()]"
IN_MENU = """
from PyQt5.QtWidgets import QMenu
menus = [m for m in K.activeWindow().qwindow().findChildren(QMenu) if m.objectName() == "scripts"]
result = [a.text() for m in menus for a in m.actions()]
"""
OPEN_SETTINGS = """
from PyQt5.QtCore import QTimer
QTimer.singleShot(10, lambda: K.action("options_configure").trigger())
"""
DIALOG = "__import__('PyQt5.QtWidgets').QtWidgets.QApplication.activeModalWidget()"
CHOOSE_SCUMBLE = f"""
from PyQt5.QtWidgets import QAbstractItemView, QTextBrowser, QTreeView
w = {DIALOG}
for view in w.findChildren(QAbstractItemView):
    for row in range(view.model().rowCount()):
        index = view.model().index(row, 0)
        if "Python" in str(index.data()):
            view.setCurrentIndex(index)
for view in w.findChildren(QTreeView):
    for row in range(view.model().rowCount()):
        index = view.model().index(row, 0)
        if index.data() == "Scumble":
            view.setCurrentIndex(index)
            view.clicked.emit(index)
"""
SHOWS_MANUAL = (
    "any('tile' in browser.toPlainText() for browser in "
    f"{DIALOG}.findChildren(__import__('PyQt5.QtWidgets').QtWidgets.QTextBrowser))"
)
MANUAL = f"""
from PyQt5.QtWidgets import QTextBrowser
from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QTextDocument
result = []
for browser in {DIALOG}.findChildren(QTextBrowser):
    block = browser.document().begin()
    while block.isValid():
        i = block.begin()
        while not i.atEnd():
            form = i.fragment().charFormat()
            if form.isImageFormat():
                name = form.toImageFormat().name()
                found = browser.document().resource(QTextDocument.ImageResource, QUrl(name))
                result.append([name, found is not None and not found.isNull()])
            i += 1
        block = block.next()
"""


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KritaSession]:
    """A Krita of its own, set to German as its own menu does it."""
    if missing := missing_programs():
        if os.environ.get("SCUMBLE_REQUIRE_KRITA"):
            pytest.fail(f"missing: {', '.join(missing)}")
        pytest.skip(f"missing: {', '.join(missing)}")
    session = KritaSession(tmp_path_factory.mktemp("german"))
    config = session.home / ".config"
    (config / "klanguageoverridesrc").write_text("[Language]\nkrita=de\n")
    build_zip(session.home / "scumble.zip")
    try:
        session.start()
        resources = session.home / ".local/share/krita"
        session.run(IMPORT.format(zip=str(session.home / "scumble.zip"), resources=str(resources)))
        session.quit()
        settings = (config / "kritarc").read_text()
        (config / "kritarc").write_text(settings.replace("[python]\n", "[python]\nenable_scumble=true\n"))
        session.start()
        yield session
    finally:
        session.close()


def test_the_importer_puts_the_actions_where_krita_reads_them(german):
    assert (german.home / ".local/share/krita/actions/scumble.action").is_file()


def test_the_plugin_speaks_the_language_that_krita_was_set_to(german):
    assert german.run("__import__('scumble.words').words.language()") == "de"
    assert german.run("__import__('scumble.amounts').amounts.number(1234.5, 1)") == "1.234,5"
    assert german.run(f"{german.widget('scumble_refine')}.text()") == "Verfeinern"


def test_every_action_is_in_tools_scripts_in_german_with_its_shortcut(german, monkeypatch):
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "de")
    shown = german.run(IN_MENU)
    assert [row.text for row in actions() if row.text not in shown] == []
    found = dict(german.run(SHORTCUTS))
    assert {row.id: found.get(row.id) for row in actions()} == {row.id: [row.shortcut] for row in actions()}


def test_no_shortcut_of_ours_is_anyone_elses(german):
    uses = Counter(keys for _, shortcuts in german.run(SHORTCUTS) for keys in shortcuts)
    assert {row.shortcut: uses[row.shortcut] for row in actions()} == {row.shortcut: 1 for row in actions()}


def test_kritas_plugin_manager_shows_the_manual_with_its_pictures(german):
    german.run(OPEN_SETTINGS)
    german.wait(f"{DIALOG} is not None")
    german.run(CHOOSE_SCUMBLE)
    german.wait(SHOWS_MANUAL)
    try:
        pictures = german.run(MANUAL)
        german.screenshot(german.home / "manual.png")
        assert pictures
        assert [name for name, is_there in pictures if not is_there] == []
    finally:
        german.run(f"{DIALOG}.reject()")
