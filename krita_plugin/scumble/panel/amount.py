"""How much: the scale, with the usual ones a click away, and the strength."""

from dataclasses import replace

from scumble.guard import guarded
from scumble.limits import RANGES
from scumble.panel.look import in_a_row
from scumble.panel.slider import SliderSpin
from scumble.panel.widgets import Number, Part, Rows
from scumble.qt import QtCore, QtWidgets
from scumble.settings import Settings
from scumble.words import tr

QUICK = (1.0, 2.0, 4.0)


class Amount(Part):
    """Scale and strength."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = Number(
            "scumble_scale",
            tr("How much larger the picture becomes. A selection is refined that much finer, and brought back."),
            RANGES["scale"],
            step=0.5,
            decimals=2,
            suffix=" ×",
        )
        self.quick = {scale: _quick(scale) for scale in QUICK}
        self.strength = SliderSpin(
            "scumble_strength",
            tr(
                "How far the refined picture may depart from the upscaled one. "
                "Low sharpens what is there; high paints new detail; 0 changes nothing."
            ),
            RANGES["strength"],
            decimals=1,
            factor=100,
            suffix=" %",
        )
        rows = Rows(self)
        rows.field(tr("S&cale"), self.scale, in_a_row(self.scale, *self.quick.values()))
        rows.field(tr("Stren&gth"), self.strength)
        self.scale.valueChanged.connect(self._scaled)
        self.strength.valueChanged.connect(self._edited)
        for scale, button in self.quick.items():
            button.clicked.connect(lambda _checked=False, scale=scale: self._choose(scale))

    def into(self, settings: Settings) -> Settings:
        return replace(settings, scale=self.scale.exact, strength=self.strength.exact)

    def _show(self, settings: Settings) -> None:
        self.scale.show_exact(settings.scale)
        self.strength.show_exact(settings.strength)
        self._mark()

    @guarded
    def _choose(self, scale: float) -> None:
        self.scale.setValue(scale)
        self._mark()

    @guarded
    def _scaled(self, _value: float) -> None:
        self._mark()
        self._edited()

    def _mark(self) -> None:
        for scale, button in self.quick.items():
            button.setChecked(self.scale.value() == scale)


def _quick(scale: float) -> QtWidgets.QToolButton:
    button = QtWidgets.QToolButton()
    button.setObjectName(f"scumble_scale_{scale:g}")
    button.setText(f"{scale:g}×")
    # Styles leave a button more room beside its text than a narrow docker has.
    button.setFixedWidth(button.fontMetrics().horizontalAdvance(button.text()) + 12)
    button.setCheckable(True)
    button.setAutoRaise(True)
    button.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
    button.setAccessibleName(tr("Scale {scale}").format(scale=f"{scale:g}×"))
    button.setToolTip(
        tr("Refine at the picture’s own size.")
        if scale == 1
        else tr("Make the picture {scale} times as wide and high.").format(scale=f"{scale:g}")
    )
    return button
