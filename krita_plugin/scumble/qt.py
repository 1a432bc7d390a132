"""Qt as this Krita has it: PyQt5 in Krita 5, PyQt6 in Krita 6 and in tests outside of Krita.

All that differs between the two and that the plugin needs is here. Elsewhere: enums with their class
(`Qt.AlignmentFlag.AlignLeft`), `exec()` without an underscore, actions from here and not from QtGui or QtWidgets.
"""

import sys
from typing import TYPE_CHECKING, Any


def _major() -> int:
    """Trying PyQt6 first inside a Krita 5 has crashed it, so nothing is tried: what is loaded already decides, which
    Krita's own module `krita` sees to; then Krita's word for it, which 5.1 doesn't have yet."""
    for major in (5, 6):
        if f"PyQt{major}.QtCore" in sys.modules:
            return major
    inside = sys.modules.get("pykrita")
    if inside is None:
        return 6
    said = getattr(inside, "qt_major_version", None)
    return 5 if said is None else int(said())


if TYPE_CHECKING or _major() == 6:
    from PyQt6 import QtCore, QtGui, QtWidgets
    from PyQt6.QtGui import QAction, QActionGroup, QShortcut
else:
    from PyQt5 import QtCore, QtGui, QtWidgets
    from PyQt5.QtWidgets import QAction, QActionGroup, QShortcut

IS_QT6: bool = QtCore.QT_VERSION >= 0x060000

__all__ = [
    "IS_QT6",
    "QAction",
    "QActionGroup",
    "QShortcut",
    "QtCore",
    "QtGui",
    "QtWidgets",
    "number_of",
    "place_in",
    "place_on_screen",
]


def place_in(event: Any) -> "QtCore.QPointF":
    """Where in its widget the pointer was, in an event of the mouse, the wheel or a drop."""
    return event.position() if hasattr(event, "position") else QtCore.QPointF(event.pos())


def place_on_screen(event: Any) -> "QtCore.QPointF":
    """Where on the screen the pointer was, in an event of the mouse or the wheel."""
    return event.globalPosition() if hasattr(event, "globalPosition") else QtCore.QPointF(event.globalPos())


def number_of(value: Any) -> int:
    """An enum's or flag's number: PyQt5's are numbers or become one, PyQt6's have one as their value."""
    return int(getattr(value, "value", value))
