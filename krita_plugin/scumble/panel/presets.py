"""The presets: choose one, save what is set as one, and care for those there are."""

from collections.abc import Callable
from pathlib import Path

from scumble.guard import guarded
from scumble.panel.dialogs import NameDialog, SaveDialog, ask_for_file, confirm
from scumble.panel.look import Look, in_a_row, note, open_menu
from scumble.panel.widgets import Choice, Part, Rows
from scumble.presets import PARTS, Preset, PresetError, PresetFolder, part_of
from scumble.qt import QtCore, QtWidgets
from scumble.settings import Settings
from scumble.words import tr

_USUAL = frozenset({"look", "size"})


class PresetBar(Part):
    """Shows the preset that fits the settings, if one does. `applied`: the artist has chosen this Preset."""

    applied = QtCore.pyqtSignal(object)

    def __init__(self, look: Look, folder: PresetFolder) -> None:
        super().__init__()
        self._folder = folder
        self._settings = Settings()
        self._presets: tuple[Preset, ...] = ()
        self._last = ""
        self.choice = Choice("scumble_preset", tr("Named settings: choose one to have its look."))
        self.choice.setMinimumContentsLength(2)  # two buttons stand beside it
        self.save = look.button(
            "scumble_preset_save",
            "document-save",
            "+",
            tr("Save preset"),
            tr("Save what is set now as a preset of yours."),
        )
        self.manage = look.button(
            "scumble_preset_menu",
            "hamburger_menu_dots",
            "…",
            tr("Manage presets"),
            tr("Rename, delete, import or export presets."),
        )
        self.said = note("scumble_preset_message")
        self._menu = QtWidgets.QMenu(self)
        rows = Rows(self)
        rows.field(tr("&Preset"), self.choice, in_a_row(self.choice, self.save, self.manage))
        rows.addRow(self.said)
        self.choice.currentIndexChanged.connect(self._choose)
        self.save.clicked.connect(self._open_save)
        self.manage.clicked.connect(self._open_menu)
        self._say("")
        self.refresh()

    @property
    def current(self) -> "Preset | None":
        """The preset that is shown."""
        return self._named(self.choice.chosen)

    def into(self, settings: Settings) -> Settings:
        """A preset's values are in the other parts once it was applied."""
        return settings

    def refresh(self) -> None:
        """Read the folder again."""
        self._presets = self._folder.all()
        shipped = sum(not preset.is_own for preset in self._presets)
        was_blocked = self.choice.blockSignals(True)
        if self.choice.count():
            self.choice.choose("")  # one that is gone is not missed
        self.choice.offer((("", tr("Own settings")), *((preset.name, preset.name) for preset in self._presets)))
        if len(self._presets) > shipped:
            self.choice.insertSeparator(1 + shipped)
        self.choice.blockSignals(was_blocked)
        self._mark()

    def heed(self, settings: Settings) -> None:
        if settings != self._settings:
            self._settings = settings
            self._mark()

    def menu(self) -> QtWidgets.QMenu:
        """What can be done with the preset that is shown."""
        current = self.current
        self._menu.clear()
        for words, act, is_possible in (
            (tr("&Rename…"), self._ask_for_name, current is not None and current.is_own),
            (tr("&Delete…"), self._ask_to_delete, current is not None and current.is_own),
            (tr("&Import…"), self._ask_what_to_import, True),
            (tr("&Export…"), self._ask_where_to_export, current is not None),
        ):
            action = self._menu.addAction(words)
            assert action is not None
            action.setEnabled(is_possible)
            action.triggered.connect(lambda _checked=False, act=act: act())
        return self._menu

    def ask_to_save(self) -> SaveDialog:
        """Proposes the artist's own preset that was last in use."""
        last = self._named(self._last)
        own = last if last is not None and last.is_own else None
        parts = _parts_of(own) if own else _USUAL
        dialog = SaveDialog(self, own.name if own else "", parts, self._save)
        dialog.open()
        return dialog

    def _show(self, settings: Settings) -> None:
        """`heed` follows."""

    @guarded
    def _open_save(self) -> None:
        self.ask_to_save()

    @guarded
    def _open_menu(self) -> None:
        open_menu(self.manage, self.menu())

    @guarded
    def _choose(self, *_index: int) -> None:
        preset = self.current
        self._say("")
        if preset is not None:
            self._last = preset.name
            self.applied.emit(preset)
        else:
            self._mark()

    def _named(self, name: str) -> "Preset | None":
        return next((preset for preset in self._presets if preset.name == name), None)

    def _mark(self) -> None:
        """Of two presets that fit, the one that was chosen."""
        fitting = [preset.name for preset in self._presets if preset.fits(self._settings)]
        was_blocked = self.choice.blockSignals(True)
        self.choice.choose(self._last if self._last in fitting else fitting[0] if fitting else "")
        self.choice.blockSignals(was_blocked)

    def _save(self, name: str, parts: "frozenset[str]") -> str:
        try:
            self._last = self._folder.save(name, part_of(self._settings, parts)).name
        except PresetError as error:
            return str(error)
        self.refresh()
        return ""

    @guarded
    def _ask_for_name(self) -> None:
        NameDialog(self, tr("Rename preset"), self.choice.chosen, self._rename).open()

    def _rename(self, new: str) -> str:
        try:
            self._last = self._folder.rename(self.choice.chosen, new).name
        except PresetError as error:
            return str(error)
        self.refresh()
        return ""

    @guarded
    def _ask_to_delete(self) -> None:
        name = self.choice.chosen
        question = tr("Delete the preset “{name}”? This can’t be undone.").format(name=name)
        confirm(self, "scumble_delete_preset", question, tr("&Delete"), lambda: self._delete(name))

    def _delete(self, name: str) -> None:
        self._try(lambda: self._folder.delete(name))

    @guarded
    def _ask_what_to_import(self) -> None:
        ask_for_file(self, "scumble_import_preset", tr("Import preset"), self._import)

    def _import(self, file: str) -> None:
        self._try(lambda: self._say(tr("Imported: {name}").format(name=self._folder.take_in(Path(file)).name)))

    @guarded
    def _ask_where_to_export(self) -> None:
        name = self.choice.chosen
        ask_for_file(
            self,
            "scumble_export_preset",
            tr("Export preset"),
            lambda file: self._try(lambda: self._folder.give_out(name, Path(file))),
            save_as=f"{name}.json",
        )

    @guarded
    def _try(self, act: "Callable[[], object]") -> None:
        self._say("")
        try:
            act()
        except PresetError as error:
            self._say(str(error))
        self.refresh()

    def _say(self, words: str) -> None:
        self.said.setText(words)
        self.said.setVisible(bool(words))


def _parts_of(preset: Preset) -> "frozenset[str]":
    return frozenset(part for part, names in PARTS.items() if any(name in preset.values for name in names))
