"""All settings in one column: presets, source, prompts, amount, models, and what is folded away."""

from scumble.guard import guarded
from scumble.panel.amount import Amount
from scumble.panel.detail import DetailOptions
from scumble.panel.look import GAP, Look
from scumble.panel.models import LoraList, ModelPickers
from scumble.panel.placement import PlacementOptions
from scumble.panel.presets import PresetBar
from scumble.panel.prompt import PromptBoxes
from scumble.panel.seed import SeedRow
from scumble.panel.source import SourcePicker
from scumble.panel.widgets import Part, Section, align_labels
from scumble.presets import Preset, PresetFolder
from scumble.qt import QtCore, QtWidgets
from scumble.settings import Settings
from scumble.words import tr


class SettingsForm(QtWidgets.QWidget):
    """`changed`: the artist has set something else, or chosen a preset. `failed`: a sentence for people."""

    changed = QtCore.pyqtSignal()
    failed = QtCore.pyqtSignal(str)

    def __init__(self, folder: PresetFolder, look: "Look | None" = None) -> None:
        super().__init__()
        look = look or Look()
        self.presets = PresetBar(look, folder)
        self.source = SourcePicker()
        self.prompt = PromptBoxes(look)
        self.amount = Amount()
        self.seed = SeedRow(look)
        self.models = ModelPickers()
        self.loras = LoraList(look)
        self.detail = DetailOptions()
        self.placement = PlacementOptions()
        self.layers_section = Section("scumble_section_layers", tr("Result la&yers"), self.placement)
        self.expert_section = Section("scumble_section_expert", tr("E&xpert settings"), self.detail)
        self._settings = Settings()
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        shown: tuple[QtWidgets.QWidget, ...] = (
            self.presets, self.source, self.prompt, self.amount, self.seed, self.models, self.loras,
            self.layers_section, self.expert_section,
        )  # fmt: skip
        for widget in shown:
            column.addWidget(widget)
        align_labels(self.presets, self.source, self.amount, self.seed, self.models)
        # By themselves: their longer labels would take the room of the main fields.
        align_labels(self.placement, self.detail)
        self.presets.applied.connect(self._apply)
        for part in self._parts():
            part.changed.connect(self._edited)
            part.failed.connect(self.failed)
        self.show_settings(self._settings)

    @property
    def settings(self) -> Settings:
        """What is set."""
        settings = self._settings
        for part in self._parts():
            settings = part.into(settings)
        return settings

    @property
    def open_sections(self) -> str:
        """Which sections are unfolded, as a word to remember."""
        sections = {"layers": self.layers_section, "expert": self.expert_section}
        return " ".join(name for name, section in sections.items() if section.is_open)

    def show_settings(self, settings: Settings) -> None:
        """Show them all, without a signal."""
        self._settings = settings
        for part in self._parts():
            part.show_settings(settings)
        self._heed()

    def show_sections(self, remembered: str) -> None:
        """Unfold those that `open_sections` named."""
        self.layers_section.set_open("layers" in remembered.split())
        self.expert_section.set_open("expert" in remembered.split())

    def surprised(self, sentence: str) -> None:
        """A guarded slot met what nobody foresaw."""
        self.failed.emit(sentence)

    def _parts(self) -> "tuple[Part, ...]":
        return (
            self.presets, self.source, self.prompt, self.amount, self.seed, self.models, self.loras,
            self.placement, self.detail,
        )  # fmt: skip

    @guarded
    def _apply(self, preset: Preset) -> None:
        self.show_settings(preset.apply(self.settings))
        self.changed.emit()

    @guarded
    def _edited(self) -> None:
        self._heed()
        self.changed.emit()

    def _heed(self) -> None:
        settings = self.settings
        for part in self._parts():
            part.heed(settings)
