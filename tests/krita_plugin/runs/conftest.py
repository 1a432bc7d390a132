import signal

import pytest
from tests.krita_plugin.runs.kit import Krita, set_up_places


@pytest.fixture
def places(tmp_path, monkeypatch):
    return set_up_places(tmp_path, monkeypatch)


@pytest.fixture
def krita(qapp, places):
    """Make one with a host; all that it started is ended."""
    lives = []

    def make(host):
        lives.append(Krita(qapp, host))
        return lives[-1]

    yield make
    for life in lives:
        life._note(None)
        life.close()
    for process in [each for life in lives for each in life.processes]:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
