"""Settings for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

# No wall times in tests: a busy machine must not fail them. Derandomised, so that a red run can be repeated.
settings.register_profile("scumble", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("scumble")


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which no other program has left models, and nothing that says where else they are."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "COMFYUI_PATH", "INVOKEAI_ROOT", "SCUMBLE_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def qapp() -> "Iterator[QApplication]":
    """The one Qt application of this process; offscreen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PyQt6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["tests"])
    assert isinstance(application, QApplication)
    yield application
