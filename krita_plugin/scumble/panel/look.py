"""How the panel looks: Krita's icons where there are any, its palette's own colours, small margins.

Colours are never named here: all come from the palette's roles, so that dark and light themes both read well.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scumble.qt import QtCore, QtGui, QtWidgets

GAP = 4
INDENT = 8
# The docker's width that nothing may be cut off at.
NARROWEST = 260

IconSource = Callable[[str], QtGui.QIcon]


def no_icons(_name: str) -> QtGui.QIcon:
    """Outside of Krita there are none; buttons show their text then."""
    return QtGui.QIcon()


@dataclass(frozen=True)
class Look:
    """`icons`: an icon by its name in Krita (`Krita.instance().icon`); an empty one where it has none."""

    icons: IconSource = no_icons

    def dress(self, button: QtWidgets.QToolButton, icon: str, sign: str, title: str, tip: str) -> None:
        """`sign`: what stands on the button without an icon. `title`: what a screen reader says."""
        found = self.icons(icon) if icon else QtGui.QIcon()
        button.setIcon(found)
        button.setText(sign)
        style = QtCore.Qt.ToolButtonStyle
        button.setToolButtonStyle(style.ToolButtonTextOnly if found.isNull() else style.ToolButtonIconOnly)
        button.setAccessibleName(title)
        button.setToolTip(tip)

    def button(self, name: str, icon: str, sign: str, title: str, tip: str) -> QtWidgets.QToolButton:
        """A small flat button. `name`: its object's."""
        button = QtWidgets.QToolButton()
        button.setObjectName(name)
        button.setAutoRaise(True)
        button.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.dress(button, icon, sign, title, tip)
        return button


def tight(layout: QtWidgets.QLayout) -> None:
    """No margin of its own, and Krita's small gaps."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP)


def push(name: str, text: str, tip: str) -> QtWidgets.QPushButton:
    """A button with words. `name`: its object's. A long word of some language must not widen a narrow docker."""
    button = QtWidgets.QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(48)
    return button


def in_a_row(*parts: QtWidgets.QWidget) -> QtWidgets.QWidget:
    """The first takes what room there is."""
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    tight(layout)
    for place, part in enumerate(parts):
        layout.addWidget(part, 0 if place else 1)
    return row


def note(name: str) -> QtWidgets.QLabel:
    """Small words below a field. In the text's full colour: grey on grey is hard to read."""
    label = QtWidgets.QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    font = label.font()
    if font.pointSizeF() > 0:
        font.setPointSizeF(font.pointSizeF() * 0.9)
    label.setFont(font)
    return label


def open_menu(button: QtWidgets.QToolButton, menu: QtWidgets.QMenu) -> None:
    """Below the button. Not a menu of the button's own: Qt would run a nested event loop for it."""
    menu.popup(button.mapToGlobal(button.rect().bottomLeft()))


def plain(text: str) -> str:
    """Without the mark of its mnemonic."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")
