"""Models beside the main ones: one that cleans first, a second upscaler, another autoencoder, a ControlNet."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from scumble.limits import METHODS, RANGES
from scumble.panel.slider import SliderSpin
from scumble.panel.widgets import Choice, Part, Rows
from scumble.qt import QtWidgets
from scumble.settings import AUTO, NONE, Settings
from scumble.words import tr
from scumble_bridge.fields import ModelChoice

# What every core has.
BUILT_IN = frozenset({AUTO, NONE, "starter-x2", "starter-x4"})


class Additions(Part):
    """Each shows where the core has a model for it, or one is set."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = _choices()
        self.numbers = _numbers()
        self.numbers["controlnet_strength"].setAccessibleName(tr("Strength of the ControlNet"))
        self.numbers["controlnet_end"].setAccessibleName(tr("End of the ControlNet"))
        self._tips = {name: part.toolTip() for name, part in self.numbers.items()}
        self._offered: Mapping[str, tuple[tuple[str, str], ...]] = {}
        rows = Rows(self)
        self._labels = {
            "restore": rows.field(tr("Clean first"), self.choices["restore"]),
            "second_upscaler": rows.field(tr("2nd upscaler"), self.choices["second_upscaler"]),
            "vae": rows.field(tr("VAE"), self.choices["vae"]),
            "controlnet": rows.field(tr("ControlNet"), self.choices["controlnet"]),
            "controlnet_strength": rows.field(tr("Its strength"), self.numbers["controlnet_strength"]),
            "controlnet_end": rows.field(tr("Its end"), self.numbers["controlnet_end"]),
        }
        self.offer((), (), (), ())
        for choice in self.choices.values():
            choice.currentIndexChanged.connect(self._edited)
        for number in self.numbers.values():
            number.valueChanged.connect(self._edited)

    def offer(
        self,
        restorers: "Iterable[ModelChoice]",
        upscalers: "Iterable[ModelChoice]",
        controlnets: "Iterable[ModelChoice]",
        vaes: "Iterable[ModelChoice]",
    ) -> None:
        """What the core has, as in wire.Described. What is chosen stays chosen."""
        enlarging = tuple(upscalers)
        has_own = any(model.id not in BUILT_IN for model in enlarging)
        chained = [model for model in enlarging if model.id not in (AUTO, NONE)] if has_own else []
        self._offered = {
            "restore": _named(restorers),
            "second_upscaler": _named(chained),
            "vae": _named(vaes),
            "controlnet": _named(controlnets),
        }
        for name, choice in self.choices.items():
            nothing = tr("The model’s own") if name == "vae" else tr("None")
            choice.offer(((NONE, nothing), *self._offered[name]))
        self._show_rows(self.into(Settings()))

    def into(self, settings: Settings) -> Settings:
        chosen = {name: choice.chosen for name, choice in self.choices.items()}
        exact = {name: number.exact for name, number in self.numbers.items()}
        return replace(settings, **chosen, **exact)  # type: ignore[arg-type]  # each in its field's type, by its widget

    def heed(self, settings: Settings) -> None:
        self._show_rows(settings)
        for name, choice in self.choices.items():
            reason = _reason(name, settings)
            choice.setEnabled(not reason)
            choice.explain("\n".join(text for text in (_tips()[name], reason) if text))
            choice.setAccessibleDescription(reason)
        for name, number in self.numbers.items():
            reason = _reason(name, settings)
            number.setEnabled(not reason)
            number.setToolTip("\n".join(text for text in (self._tips[name], reason) if text))
            number.setAccessibleDescription(reason)

    def _show(self, settings: Settings) -> None:
        for name, choice in self.choices.items():
            choice.choose(getattr(settings, name))
        for name, number in self.numbers.items():
            number.show_exact(getattr(settings, name))

    def _show_rows(self, settings: Settings) -> None:
        shown = {name: bool(self._offered[name]) or getattr(settings, name) != NONE for name in self.choices}
        parts: Mapping[str, QtWidgets.QWidget] = {**self.choices, **self.numbers}
        for name, part in parts.items():
            is_shown = shown[name if name in shown else "controlnet"]
            part.setVisible(is_shown)
            self._labels[name].setVisible(is_shown)
        self.setVisible(any(shown.values()))


def _reason(name: str, settings: Settings) -> str:
    """Why it has no effect; "" when it has."""
    method = METHODS[settings.preset]
    if not method.allows(name):
        return tr("The method “{title}” decides this itself.").format(title=method.title)
    if name == "second_upscaler" and settings.upscaler in (AUTO, NONE):
        return tr("Choose an upscaler by its name first: this one goes on from its work.")
    if name in ("controlnet_strength", "controlnet_end") and settings.controlnet == NONE:
        return tr("Only with a ControlNet.")
    return ""


def _named(models: "Iterable[ModelChoice]") -> "tuple[tuple[str, str], ...]":
    return tuple((model.id, model.name) for model in models)


def _tips() -> "Mapping[str, str]":
    return {
        "restore": tr("Takes noise, JPEG blocks or blur out of the picture before all else."),
        "second_upscaler": tr("Enlarges once more what the upscaler made: for large scales, or for the look of both."),
        "vae": tr("Turns what the model made into pixels. Another one may give cleaner colours and fine lines."),
        "controlnet": tr(
            "Holds each tile to what the picture shows there: a strength of 50 % and more paints new detail, "
            "but no new things."
        ),
    }


def _choices() -> "Mapping[str, Choice]":
    return {name: Choice(f"scumble_{name}", tip) for name, tip in _tips().items()}


def _numbers() -> "Mapping[str, SliderSpin]":
    return {
        "controlnet_strength": SliderSpin(
            "scumble_controlnet_strength",
            tr("How firmly the ControlNet holds the picture. Low leaves the model free; 0 is as none."),
            RANGES["controlnet_strength"],
            factor=100,
            suffix=" %",
        ),
        "controlnet_end": SliderSpin(
            "scumble_controlnet_end",
            tr("For how much of the way from rough to fine it holds. Less leaves the finest detail to the model."),
            RANGES["controlnet_end"],
            factor=100,
            suffix=" %",
        ),
    }
