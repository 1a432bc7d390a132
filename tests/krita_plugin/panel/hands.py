"""Qt's own hands for tests, of the PyQt that the plugin uses."""

from scumble.qt import IS_QT6, QtCore, QtGui, QtWidgets

if IS_QT6:
    from PyQt6.QtTest import QTest
else:
    from PyQt5.QtTest import QTest

__all__ = ["QTest", "drag_on", "turn_wheel"]


def drag_on(widget, place, modifier):
    """The pointer moves to that place in the widget, with the left button held."""
    at, held = QtCore.QPointF(place), QtCore.Qt.MouseButton.LeftButton
    kind, none = QtCore.QEvent.Type.MouseMove, QtCore.Qt.MouseButton.NoButton
    QtWidgets.QApplication.sendEvent(widget, QtGui.QMouseEvent(kind, at, at, at, none, held, modifier))


def turn_wheel(widget):
    """One notch up, near the widget's corner."""
    place = QtCore.QPoint(5, 5)
    wheel = QtGui.QWheelEvent(
        QtCore.QPointF(place), QtCore.QPointF(widget.mapToGlobal(place)), QtCore.QPoint(0, 0), QtCore.QPoint(0, 120),
        QtCore.Qt.MouseButton.NoButton, QtCore.Qt.KeyboardModifier.NoModifier,
        QtCore.Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QtWidgets.QApplication.sendEvent(widget, wheel)
