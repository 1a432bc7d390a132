"""The expert's settings: how the picture is cut into tiles, and how each is refined."""

from collections.abc import Mapping
from dataclasses import replace

from scumble.limits import CHOICES, METHODS, RANGES, Method
from scumble.panel.slider import SliderSpin
from scumble.panel.widgets import Choice, Number, Part, Rows, check
from scumble.qt import QtWidgets
from scumble.settings import Settings
from scumble.words import tr


class DetailOptions(Part):
    """What the chosen method fixes is disabled, and says so."""

    def __init__(self) -> None:
        super().__init__()
        self.method = Choice(
            "scumble_method",
            tr("The way of refining. Scumble leaves no seams; the Mikey methods work as that ComfyUI node does."),
            ((name, method.title) for name, method in METHODS.items()),
        )
        self.numbers = _numbers()
        self.choices = _choices()
        self.checks = _checks()
        self._tips = {name: part.toolTip() for name, part in {**self.numbers, **self.choices, **self.checks}.items()}
        self._lay_out()
        self.method.currentIndexChanged.connect(self._edited)
        for number in self.numbers.values():
            number.valueChanged.connect(self._edited)
        for choice in self.choices.values():
            choice.currentIndexChanged.connect(self._edited)
        for box in self.checks.values():
            box.toggled.connect(self._edited)

    def into(self, settings: Settings) -> Settings:
        exact = {name: number.exact for name, number in self.numbers.items()}
        whole = {name: int(value) for name, value in exact.items() if isinstance(getattr(settings, name), int)}
        values: dict[str, object] = {
            "preset": self.method.chosen,
            **exact,
            **whole,
            **{name: choice.chosen for name, choice in self.choices.items()},
            **{name: box.isChecked() for name, box in self.checks.items()},
        }
        return replace(settings, **values)  # type: ignore[arg-type]  # each in its field's type, by its widget

    def heed(self, settings: Settings) -> None:
        """What is set decides what else can be."""
        method = METHODS[settings.preset]
        self.numbers["guidance"].limit(method.range("guidance"))
        for name, part in {**self.numbers, **self.choices, **self.checks}.items():
            reason = _reason(name, method, settings)
            part.setEnabled(not reason)
            part.setToolTip("\n".join(text for text in (self._tips[name], reason) if text))
            part.setAccessibleDescription(reason)

    def _show(self, settings: Settings) -> None:
        self.method.choose(settings.preset)
        for name, number in self.numbers.items():
            number.show_exact(getattr(settings, name))
        for name, choice in self.choices.items():
            choice.choose(getattr(settings, name))
        for name, box in self.checks.items():
            box.setChecked(getattr(settings, name))

    def _lay_out(self) -> None:
        rows = Rows(self)
        rows.field(tr("Method"), self.method)
        rows.field(tr("Steps"), self.numbers["steps"])
        rows.field(tr("Guidance"), self.numbers["guidance"])
        rows.field(tr("Sampler"), self.choices["sampler"])
        rows.field(tr("Schedule"), self.choices["schedule"])
        rows.field(tr("Colour lock"), self.numbers["colour_lock"])
        rows.addRow(self.checks["complexity"])
        rows.addRow(self.checks["skip_flat"])
        rows.field(tr("Tile size"), self.numbers["tile_size"])
        rows.field(tr("Overlap"), self.numbers["overlap"])
        rows.field(tr("Grow"), self.numbers["grow"])
        rows.field(tr("Soft edge"), self.numbers["soft_edge"])
        rows.addRow(self.checks["first_pass"])
        rows.field(tr("First pass"), self.numbers["first_pass_strength"])


def _reason(name: str, method: Method, settings: Settings) -> str:
    """Why it has no effect; "" when it has."""
    if not method.allows(name):
        return tr("The method “{title}” decides this itself.").format(title=method.title)
    if name in ("grow", "soft_edge") and settings.source != "selection":
        return tr("Only for a selection.")
    if name == "first_pass_strength" and method.allows("first_pass") and not settings.first_pass:
        return tr("Only with a first pass.")
    return ""


def _numbers() -> "Mapping[str, Number]":
    pixels = tr(" px")
    return {
        "steps": Number(
            "scumble_steps",
            tr("How often each tile is gone over. More is slower, and after some ten hardly better."),
            RANGES["steps"],
            is_auto=True,
        ),
        "guidance": Number(
            "scumble_guidance",
            tr("How strongly the prompt counts. High follows its words; too high burns colours and edges."),
            RANGES["guidance"],
            step=0.5,
            decimals=2,
            is_auto=True,
        ),
        "colour_lock": SliderSpin(
            "scumble_colour_lock",
            tr("Keeps the tone and colour of the picture as they were. At 0 the model may shift them."),
            RANGES["colour_lock"],
            decimals=1,
            factor=100,
            suffix=" %",
        ),
        "tile_size": Number(
            "scumble_tile_size",
            tr("The side of the largest tile. Larger tiles see more of the picture at once, and need more memory."),
            RANGES["tile_size"],
            step=64,
            suffix=pixels,
            is_auto=True,
        ),
        "overlap": Number(
            "scumble_overlap",
            tr("How far neighbouring tiles reach into each other. More blends them more softly, and takes longer."),
            RANGES["overlap"],
            step=16,
            suffix=pixels,
            is_auto=True,
        ),
        "grow": Number(
            "scumble_grow",
            tr("The selection grows by so much, to take in what lies around it."),
            RANGES["grow"],
            suffix=pixels,
        ),
        "soft_edge": Number(
            "scumble_soft_edge",
            tr("The refined part fades out over so much, inward from the selection’s edge."),
            RANGES["soft_edge"],
            suffix=pixels,
        ),
        "first_pass_strength": SliderSpin(
            "scumble_first_pass_strength",
            tr("How far the first pass may depart from the picture."),
            RANGES["first_pass_strength"],
            decimals=1,
            factor=100,
            suffix=" %",
        ),
    }


def _choices() -> "Mapping[str, Choice]":
    automatic = ("", tr("Automatic"))
    tips = {
        "sampler": tr("How the steps are taken. Some are crisper, some softer; the model’s own is a safe choice."),
        "schedule": tr("How the steps share the way from rough to fine."),
    }
    return {
        name: Choice(f"scumble_{name}", tip, (automatic, *((value, value) for value in CHOICES[name])))
        for name, tip in tips.items()
    }


def _checks() -> "Mapping[str, QtWidgets.QCheckBox]":
    return {
        "complexity": check(
            "scumble_complexity",
            tr("Spare smooth places"),
            tr("Skies and skin are refined at down to half the strength: they stay clean."),
        ),
        "skip_flat": check(
            "scumble_skip_flat",
            tr("Skip flat tiles"),
            tr("Tiles of one colour, and empty ones, are left as they are: much faster on line art."),
        ),
        "first_pass": check(
            "scumble_first_pass",
            tr("Refine before enlarging, too"),
            tr("Mends the picture at its own size first: good for small, damaged ones. Takes longer."),
        ),
    }
