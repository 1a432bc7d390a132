"""The fields of the panel, and the settings that they show."""

import random

from scumble.qt import QtCore, QtWidgets
from scumble.settings import Settings
from scumble_bridge.fields import ModelChoice

MOST_SEED = 2**31 - 1
SOURCES = (("canvas", "Canvas"), ("layer", "Active layer"), ("selection", "Selection"))
DESTINATIONS = (("enlarge", "Enlarge this document"), ("new", "New document"), ("keep", "Keep the canvas size"))
BUILT_IN = {
    "base": (ModelChoice("starter", "Starter (built in)"),),
    "refiner": (ModelChoice("starter-refiner", "Starter refiner (built in)"), ModelChoice("none", "None")),
    "upscaler": (
        ModelChoice("auto", "Automatic"),
        ModelChoice("none", "None (Lanczos)"),
        ModelChoice("starter-x2", "Starter 2x (built in)"),
        ModelChoice("starter-x4", "Starter 4x (built in)"),
    ),
}


class Fields(QtWidgets.QWidget):
    """All settings. `changed` whenever the artist changes one."""

    changed = QtCore.pyqtSignal()

    def __init__(self, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self.source = _combo("scumble_source", SOURCES, "What is sent to be refined.")
        self.prompt = _text("scumble_prompt", "What is in the picture", "The built-in starter models read no text.")
        self.negative = _text("scumble_negative", "What should not be in it", "For models that read text.")
        self.scale = QtWidgets.QDoubleSpinBox()
        self.scale.setObjectName("scumble_scale")
        self.scale.setRange(0.1, 10)
        self.scale.setSingleStep(0.5)
        self.scale.setSuffix(" ×")
        self.scale.setToolTip("How much larger the picture is refined. A selection is brought back to its size after.")
        self.strength = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.strength.setObjectName("scumble_strength")
        self.strength.setRange(0, 100)
        self.strength.setToolTip("How far the refined layer may depart from the upscaled one.")
        self.percent = QtWidgets.QLabel()
        self.percent.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        self.seed = QtWidgets.QSpinBox()
        self.seed.setObjectName("scumble_seed")
        self.seed.setRange(0, MOST_SEED)
        self.seed.setToolTip("The same seed gives the same result.")
        self.dice = QtWidgets.QToolButton()
        self.dice.setObjectName("scumble_dice")
        self.dice.setText("⚄")
        self.dice.setToolTip("Throw a new seed")
        self.upscaler = _combo("scumble_upscaler", (), "What enlarges the picture before it is refined.")
        self.base = _combo("scumble_base", (), "The model that refines.")
        self.refiner = _combo("scumble_refiner", (), "A model for the last, finest part of refining.")
        self.destination = _combo("scumble_destination", DESTINATIONS, "Where the two layers go.")
        self.offer(BUILT_IN["base"], BUILT_IN["refiner"], BUILT_IN["upscaler"])
        self._lay_out()
        self._connect()

    @property
    def settings(self) -> Settings:
        """What is set."""
        return Settings(
            source=self.source.currentData(),
            destination=self.destination.currentData(),
            prompt=self.prompt.toPlainText(),
            negative_prompt=self.negative.toPlainText(),
            scale=round(self.scale.value(), 2),
            strength=self.strength.value() / 100,
            seed=self.seed.value(),
            base=self.base.currentData(),
            refiner=self.refiner.currentData(),
            upscaler=self.upscaler.currentData(),
        )

    def show_settings(self, settings: Settings) -> None:
        """Set all fields; a choice that is not offered is left as it is."""
        for combo, value in (
            (self.source, settings.source),
            (self.destination, settings.destination),
            (self.base, settings.base),
            (self.refiner, settings.refiner),
            (self.upscaler, settings.upscaler),
        ):
            combo.setCurrentIndex(max(combo.findData(value), 0))
        self.prompt.setPlainText(settings.prompt)
        self.negative.setPlainText(settings.negative_prompt)
        self.scale.setValue(settings.scale)
        self.strength.setValue(round(settings.strength * 100))
        self.seed.setValue(settings.seed)

    def offer(
        self,
        bases: "tuple[ModelChoice, ...]",
        refiners: "tuple[ModelChoice, ...]",
        upscalers: "tuple[ModelChoice, ...]",
    ) -> None:
        """Fill the pickers with what the core has; what was chosen stays, where it is still there."""
        for combo, choices in ((self.base, bases), (self.refiner, refiners), (self.upscaler, upscalers)):
            chosen = combo.currentData()
            combo.blockSignals(True)
            combo.clear()
            for choice in choices:
                combo.addItem(choice.name, choice.id)
            combo.setCurrentIndex(max(combo.findData(chosen), 0))
            combo.blockSignals(False)

    def _lay_out(self) -> None:
        form = QtWidgets.QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setRowWrapPolicy(QtWidgets.QFormLayout.RowWrapPolicy.DontWrapRows)
        form.addRow("Source", self.source)
        form.addRow("Prompt", self.prompt)
        form.addRow("Without", self.negative)
        form.addRow("Scale", self.scale)
        form.addRow("Strength", _row(self.strength, self.percent))
        form.addRow("Seed", _row(self.seed, self.dice))
        form.addRow("Upscaler", self.upscaler)
        form.addRow("Model", self.base)
        form.addRow("Refiner", self.refiner)
        form.addRow("Result", self.destination)

    def _connect(self) -> None:
        for combo in (self.source, self.destination, self.base, self.refiner, self.upscaler):
            combo.currentIndexChanged.connect(self._edited)
        for text in (self.prompt, self.negative):
            text.textChanged.connect(self._edited)
        for number in (self.scale, self.seed, self.strength):
            number.valueChanged.connect(self._edited)
        self.dice.clicked.connect(lambda: self.seed.setValue(random.randrange(MOST_SEED)))

    def _edited(self, *_value: object) -> None:
        self.percent.setText(f"{self.strength.value()} %")
        self.destination.setEnabled(self.source.currentData() != "selection")
        self.changed.emit()


def _combo(name: str, choices: "tuple[tuple[str, str], ...]", tip: str) -> QtWidgets.QComboBox:
    combo = QtWidgets.QComboBox()
    combo.setObjectName(name)
    combo.setToolTip(tip)
    # A long model name must not widen the docker.
    combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
    for value, title in choices:
        combo.addItem(title, value)
    return combo


def _text(name: str, hint: str, tip: str) -> QtWidgets.QPlainTextEdit:
    text = QtWidgets.QPlainTextEdit()
    text.setObjectName(name)
    text.setPlaceholderText(hint)
    text.setToolTip(tip)
    text.setTabChangesFocus(True)
    text.setFixedHeight(text.fontMetrics().lineSpacing() * 2 + 12)
    return text


def _row(wide: QtWidgets.QWidget, narrow: QtWidgets.QWidget) -> QtWidgets.QWidget:
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(wide, 1)
    layout.addWidget(narrow)
    return row
