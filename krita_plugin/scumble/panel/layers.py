"""A picker of layers and masks of the document."""

from collections.abc import Iterable

from scumble.host.contract import LayerChoice
from scumble.panel.widgets import Choice
from scumble.qt import QtCore
from scumble.words import tr

# How deep a layer lies is shown by so many spaces for each level.
_SPACES = "\u2003"


class LayerPicker(Choice):
    """`opened`: the list is about to be seen. One that is gone stays chosen, and says that it is missing."""

    opened = QtCore.pyqtSignal()

    def __init__(self, name: str, tip: str, none: str) -> None:
        """`none`: what stands for no layer."""
        self._none = none
        super().__init__(name, tip, (("", none),))

    def show_layers(self, layers: "Iterable[LayerChoice]") -> None:
        """What may be chosen, the uppermost first."""
        self.offer((("", self._none), *((layer.id, _SPACES * layer.level + layer.title) for layer in layers)))

    def showPopup(self) -> None:
        self.opened.emit()
        super().showPopup()

    def _missing(self, _value: str) -> "tuple[str, str]":
        return tr("Missing layer"), tr("It is not in this document any more: choose another.")
