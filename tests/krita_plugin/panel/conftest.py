"""These tests run under either PyQt: with PyQt5 loaded before (`python -m pytest -p PyQt5.QtCore`), under that one."""

import os
from collections.abc import Iterator

import pytest

from scumble.qt import QtWidgets


@pytest.fixture(scope="session")
def qapp() -> "Iterator[QtWidgets.QApplication]":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])
    # As Krita has it; an offscreen Qt 5 would take 12 points.
    font = application.font()
    font.setPointSizeF(9)
    application.setFont(font)
    yield application
