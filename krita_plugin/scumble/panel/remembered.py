"""What the panel remembers from one Krita to the next: settings, prompts, styles, and what is unfolded."""

from scumble.guard import guarded
from scumble.host.contract import Host
from scumble.panel.form import SettingsForm
from scumble.panel.tiles import TilesBox
from scumble.panel.widgets import Section
from scumble.prompts import PromptHistory, snippets_from_text, snippets_to_text
from scumble.qt import QtCore
from scumble.settings import Settings

SAVE_MS = 500


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
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.store)
        form.prompt.history_changed.connect(self._store_prompts)
        form.prompt.styles_changed.connect(self._store_styles)
        for section in (*sections, form.layers_section, form.expert_section):
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

    @guarded
    def _store_prompts(self) -> None:
        self._host.save("prompts", self._form.prompt.history.to_text())

    @guarded
    def _store_styles(self) -> None:
        self._host.save("styles", snippets_to_text(self._form.prompt.styles))

    def surprised(self, _sentence: str) -> None:
        """See `guarded`: what can't be remembered is set anew next time."""
