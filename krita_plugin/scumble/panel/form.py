"""All settings in one column: presets, source, prompts, amount, models, and what is folded away."""

from collections.abc import Mapping

from scumble.guard import guarded
from scumble.host.contract import LayerChoice
from scumble.panel.additions import Additions
from scumble.panel.amount import Amount
from scumble.panel.detail import DetailOptions
from scumble.panel.guides import RegionList, StrengthMap
from scumble.panel.look import GAP, Look, tight
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
        self.additions = Additions()
        self.placement = PlacementOptions()
        self.strength_map = StrengthMap()
        self.regions = RegionList(look)
        self.guides_section = Section(
            "scumble_section_guides", tr("Refine by place"), _stacked(self.strength_map, self.regions)
        )
        self.layers_section = Section("scumble_section_layers", tr("Result la&yers"), self.placement)
        self.expert_section = Section(
            "scumble_section_expert", tr("E&xpert settings"), _stacked(self.detail, self.additions)
        )
        self._settings = Settings()
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        shown: tuple[QtWidgets.QWidget, ...] = (
            self.presets, self.source, self.prompt, self.amount, self.seed, self.models, self.loras,
            self.guides_section, self.layers_section, self.expert_section,
        )  # fmt: skip
        for widget in shown:
            column.addWidget(widget)
        align_labels(self.presets, self.source, self.amount, self.seed, self.models)
        # By themselves: their longer labels would take the room of the main fields.
        align_labels(self.strength_map, self.placement, self.detail, self.additions)
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
    def sections(self) -> "Mapping[str, Section]":
        """Those that fold, by the words they are remembered by."""
        return {"guides": self.guides_section, "layers": self.layers_section, "expert": self.expert_section}

    def show_layers(self, layers: "tuple[LayerChoice, ...]") -> None:
        """What the document has, the uppermost first."""
        for part in (self.source, self.strength_map, self.regions):
            part.show_layers(layers)

    @property
    def open_sections(self) -> str:
        """Which sections are unfolded, as a word to remember."""
        return " ".join(name for name, section in self.sections.items() if section.is_open)

    def show_settings(self, settings: Settings) -> None:
        """Show them all, without a signal."""
        self._settings = settings
        for part in self._parts():
            part.show_settings(settings)
        self._heed()

    def show_sections(self, remembered: str) -> None:
        """Unfold those that `open_sections` named."""
        for name, section in self.sections.items():
            section.set_open(name in remembered.split())

    def surprised(self, sentence: str) -> None:
        """A guarded slot met what nobody foresaw."""
        self.failed.emit(sentence)

    def _parts(self) -> "tuple[Part, ...]":
        return (
            self.presets, self.source, self.prompt, self.amount, self.seed, self.models, self.loras,
            self.strength_map, self.regions, self.placement, self.detail, self.additions,
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


def _stacked(*parts: QtWidgets.QWidget) -> QtWidgets.QWidget:
    """One below the other."""
    whole = QtWidgets.QWidget()
    column = QtWidgets.QVBoxLayout(whole)
    tight(column)
    for part in parts:
        column.addWidget(part)
    return whole
