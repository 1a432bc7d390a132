"""A paper."""

from __future__ import annotations

import pytest
from tests.krita import stalls
from tests.krita.placing.paper import WORDS, Paper


@pytest.fixture
def paper(krita) -> Paper:
    """A fresh white document of 96 x 64 pixels."""
    krita.run(WORDS)
    stalls.install(krita)
    return Paper(krita)
