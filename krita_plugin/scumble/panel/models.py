"""Which models: what enlarges, what refines, and LoRAs on top."""

from collections.abc import Iterable
from dataclasses import replace

from scumble.panel.items import ItemList, ItemRow
from scumble.panel.look import Look, tight
from scumble.panel.slider import SliderSpin
from scumble.panel.widgets import Choice, Part, Rows
from scumble.qt import QtWidgets
from scumble.settings import LORA_WEIGHTS, MOST_LORAS, Lora, Settings
from scumble.words import tr
from scumble_bridge.fields import ModelChoice


def built_in_bases() -> "tuple[ModelChoice, ...]":
    """What every core has; shown until it has told its own."""
    return (ModelChoice("starter", tr("Starter (built in)")),)


def built_in_refiners() -> "tuple[ModelChoice, ...]":
    return ModelChoice("starter-refiner", tr("Starter refiner (built in)")), ModelChoice("none", tr("None"))


def built_in_upscalers() -> "tuple[ModelChoice, ...]":
    return (
        ModelChoice("auto", tr("Automatic")),
        ModelChoice("none", tr("None (Lanczos)")),
        ModelChoice("starter-x2", tr("Starter 2x (built in)")),
        ModelChoice("starter-x4", tr("Starter 4x (built in)")),
    )


class ModelPickers(Part):
    """Upscaler, model and refiner."""

    def __init__(self) -> None:
        super().__init__()
        self.upscaler = Choice(
            "scumble_upscaler", tr("What enlarges the picture before it is refined: the plain layer is its work.")
        )
        self.base = Choice("scumble_base", tr("The model that refines: it decides what new detail looks like."))
        self.refiner = Choice("scumble_refiner", tr("Takes over for the finest detail. None: the model does it all."))
        rows = Rows(self)
        rows.field(tr("&Upscaler"), self.upscaler)
        rows.field(tr("&Base model"), self.base)
        rows.field(tr("Refiner"), self.refiner)
        self.offer(built_in_bases(), built_in_refiners(), built_in_upscalers())
        for choice in (self.upscaler, self.base, self.refiner):
            choice.currentIndexChanged.connect(self._edited)

    @property
    def missing(self) -> "tuple[str, ...]":
        """Names of those that are chosen and that the core doesn't have."""
        return tuple(choice.currentText() for choice in (self.upscaler, self.base, self.refiner) if choice.is_missing)

    def offer(
        self, bases: "Iterable[ModelChoice]", refiners: "Iterable[ModelChoice]", upscalers: "Iterable[ModelChoice]"
    ) -> None:
        """What the core has, as in wire.Described. What is chosen stays chosen."""
        for choice, offered in ((self.base, bases), (self.refiner, refiners), (self.upscaler, upscalers)):
            choice.offer((model.id, model.name) for model in offered)

    def into(self, settings: Settings) -> Settings:
        return replace(settings, base=self.base.chosen, refiner=self.refiner.chosen, upscaler=self.upscaler.chosen)

    def _show(self, settings: Settings) -> None:
        self.base.choose(settings.base)
        self.refiner.choose(settings.refiner)
        self.upscaler.choose(settings.upscaler)


class LoraList(ItemList["LoraRow"]):
    """A row for each LoRA in use. Hidden while the core offers none and none is set."""

    def __init__(self, look: Look) -> None:
        add = look.button(
            "scumble_lora_add",
            "list-add",
            "+",
            tr("Add a LoRA"),
            tr("Add a LoRA: a small file that teaches a model a style or subject."),
        )
        super().__init__(tr("LoRAs"), add)
        self._look = look
        self._offered: tuple[tuple[str, str], ...] = ()
        self._refresh()

    def offer(self, loras: "Iterable[ModelChoice]") -> None:
        """What the core has."""
        self._offered = tuple((lora.id, lora.name) for lora in loras)
        for row in self.rows:
            row.choice.offer(self._offered)
        self._refresh()

    def into(self, settings: Settings) -> Settings:
        """The same file twice counts once: as its last row says."""
        found = {row.choice.chosen: Lora(row.choice.chosen, row.weight.exact) for row in self.rows}
        return replace(settings, loras=tuple(found.values()))

    def _show(self, settings: Settings) -> None:
        if self.into(settings) == settings:
            return
        self._clear()
        for lora in settings.loras:
            self._append(self._row(lora))

    def _fresh(self) -> "LoraRow | None":
        used = {row.choice.chosen for row in self.rows}
        free = next((name for name, _ in self._offered if name not in used), "")
        return self._row(Lora(free)) if free else None

    def _row(self, lora: Lora) -> "LoraRow":
        return LoraRow(self._look, self._offered, lora, len(self.rows) + 1)

    def _refresh(self) -> None:
        self.setVisible(bool(self._offered or self.rows))
        used = {row.choice.chosen for row in self.rows}
        self.add.setEnabled(len(used) < MOST_LORAS and any(name not in used for name, _ in self._offered))


class LoraRow(ItemRow):
    """One LoRA: which, how much of it, and away with it."""

    def __init__(self, look: Look, offered: "tuple[tuple[str, str], ...]", lora: Lora, number: int) -> None:
        away = look.button(
            f"scumble_lora_remove_{number}",
            "deletelayer",
            "–",
            tr("Remove LoRA {number}").format(number=number),
            tr("Work without it."),
        )
        super().__init__(away)
        self.choice = Choice(f"scumble_lora_{number}", tr("Which LoRA."), offered)
        self.choice.choose(lora.id)
        self.choice.setAccessibleName(tr("LoRA {number}").format(number=number))
        self.weight = SliderSpin(
            f"scumble_lora_weight_{number}",
            tr("How much of it: 0 is none; below 0 it leads the picture the other way."),
            LORA_WEIGHTS,
            step=0.05,
            decimals=2,
        )
        self.weight.show_exact(lora.weight)
        self.weight.setAccessibleName(tr("Weight of LoRA {number}").format(number=number))
        row = QtWidgets.QHBoxLayout(self)
        tight(row)
        row.addWidget(self.choice, 3)
        row.addWidget(self.weight, 2)
        row.addWidget(away)
        self.choice.currentIndexChanged.connect(self._edited)
        self.weight.valueChanged.connect(self._edited)

    @property
    def stops(self) -> "tuple[QtWidgets.QWidget, ...]":
        return self.choice, self.weight, self.away
