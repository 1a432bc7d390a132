"""What the panel remembers from one Krita to the next: settings, prompts, styles, and what is unfolded.

What names layers (the strength map, the regions) is remembered with their document, and changes with it.
"""

import json
from dataclasses import replace

from scumble.guard import guarded
from scumble.host.contract import Host
from scumble.panel.form import SettingsForm
from scumble.panel.tiles import TilesBox
from scumble.panel.widgets import Section
from scumble.prompts import PromptHistory, snippets_from_text, snippets_to_text
from scumble.qt import QtCore
from scumble.settings import OF_A_DOCUMENT, Settings, from_values, to_values

SAVE_MS = 500
GUIDES = "guides"
MOST_BYTES = 256 * 1024


class Remembered(QtCore.QObject):
    """`recall` once, then `later` after each change."""

    def __init__(
        self,
        host: Host,
        form: SettingsForm,
        sections: "tuple[Section, ...]",
        tiles: TilesBox,
        parent: "QtCore.QObject | None" = None,
    ) -> None:
        super().__init__(parent)
        self._host, self._form, self._sections, self._tiles = host, form, sections, tiles
        self._document, self._noted = "", _noted(Settings())
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.store)
        form.prompt.history_changed.connect(self._store_prompts)
        form.prompt.styles_changed.connect(self._store_styles)
        for section in (*sections, *form.sections.values()):
            # At once: when Krita ends it is too late to write settings.
            section.toggled.connect(self.store)
        tiles.previews.toggled.connect(self.store)

    def recall(self) -> None:
        """Show it all."""
        host, form = self._host, self._form
        form.show_settings(Settings.from_json(host.load("panel")))
        form.prompt.show_history(PromptHistory.from_text(host.load("prompts")))
        form.prompt.show_styles(snippets_from_text(host.load("styles")))
        opened = host.load("sections").split()
        form.show_sections(" ".join(opened))
        for section in self._sections:
            section.set_open(section.heading.objectName() in opened)
        self._tiles.previews.setChecked("previews" in opened)

    def look(self, document: str) -> bool:
        """This document is shown now: what belongs to it is shown, too. Whether that changed the settings."""
        if document == self._document:
            return False
        self._note()
        self._document = document
        data = self._host.load_note(document, GUIDES) if document else b""
        own = Settings().with_values(_of_a_document(data))
        self._noted = _noted(own)
        before = self._form.settings
        self._form.show_settings(replace(before, strength_map=own.strength_map, regions=own.regions))
        return self._form.settings != before

    @guarded
    def later(self) -> None:
        """Store it when it has been quiet for a moment."""
        self._timer.start()

    @guarded
    def store(self) -> None:
        """Now."""
        self._timer.stop()
        opened = [section.heading.objectName() for section in self._sections if section.is_open]
        if self._tiles.previews.isChecked():
            opened.append("previews")
        self._host.save("panel", self._form.settings.to_json())
        self._host.save("sections", " ".join((self._form.open_sections, *opened)))
        self._note()

    def _note(self) -> None:
        """A document that has nothing new to remember isn't touched: it would count as modified."""
        noted = _noted(self._form.settings)
        if self._document and noted != self._noted:
            self._noted = noted
            self._host.save_note(self._document, GUIDES, noted)

    @guarded
    def _store_prompts(self) -> None:
        self._host.save("prompts", self._form.prompt.history.to_text())

    @guarded
    def _store_styles(self) -> None:
        self._host.save("styles", snippets_to_text(self._form.prompt.styles))

    def surprised(self, _sentence: str) -> None:
        """See `guarded`: what can't be remembered is set anew next time."""


def _noted(settings: Settings) -> bytes:
    """What a document keeps of them; nothing where there is nothing."""
    values = to_values(settings)
    kept = {name: values[name] for name in OF_A_DOCUMENT}
    return json.dumps(kept).encode("ascii") if any(kept.values()) else b""


def _of_a_document(data: bytes) -> "dict[str, object]":
    """What `_noted` made; what can't be read is nothing."""
    try:
        values = json.loads(data) if 0 < len(data) <= MOST_BYTES else {}
    except (ValueError, RecursionError):
        values = {}
    read = from_values(values) if isinstance(values, dict) else {}
    return {name: values[name] for name in OF_A_DOCUMENT if name in read}
