"""Settings for all tests."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

# No wall times in tests: a busy machine must not fail them. Derandomised, so that a red run can be repeated.
settings.register_profile("scumble", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("scumble")


@pytest.fixture(scope="session")
def qapp() -> "Iterator[QApplication]":
    """The one Qt application of this process; offscreen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PyQt6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["tests"])
    assert isinstance(application, QApplication)
    yield application
