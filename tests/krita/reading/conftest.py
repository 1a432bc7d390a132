"""A reader, and no document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.krita import stalls
from tests.krita.reading.reader import SETUP, Reader


@pytest.fixture
def reader(krita) -> Iterator[Reader]:
    stalls.install(krita)
    krita.run(SETUP)
    krita.run("close_all()")
    krita.wait("K.activeDocument() is None")
    yield Reader(krita)
    krita.run("close_all()")
