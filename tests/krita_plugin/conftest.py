"""The plugin speaks English in tests, whatever the machine does; a test may set the variable anew."""

import pytest


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "en")
