"""Qt as this Krita has it: PyQt5 in Krita 5, PyQt6 in Krita 6 and in tests outside of Krita."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING or "PyQt5" not in sys.modules:
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    from PyQt5 import QtCore, QtGui, QtWidgets

__all__ = ["QtCore", "QtGui", "QtWidgets"]
