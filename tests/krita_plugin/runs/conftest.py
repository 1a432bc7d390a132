import os
import signal
import subprocess
import time

import pytest
from tests.krita_plugin.runs.kit import COMMAND, Krita, set_up_places

from scumble.qt import QtWidgets


@pytest.fixture(scope="session")
def qapp():
    """Of the PyQt that the plugin has: with PyQt5 loaded before (`python -m pytest -p PyQt5.QtCore`), of that one."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    yield QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])


@pytest.fixture(scope="session")
def common_core(tmp_path_factory):
    """One core for all tests that do it no harm: starting one takes seconds."""
    places = tmp_path_factory.mktemp("common")
    with pytest.MonkeyPatch.context() as patch:
        set_up_places(places, patch)
        process = subprocess.Popen(
            (*COMMAND[:-1], "600"), env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        patience = time.monotonic() + 60
        while not (places / "run" / "core.sock").exists():
            assert time.monotonic() < patience and process.poll() is None, "the common core did not start"
            time.sleep(0.05)
    yield places
    process.send_signal(signal.SIGTERM)
    process.wait(30)


@pytest.fixture
def places(request, tmp_path, monkeypatch):
    """Where panel and core meet: the common ones, or with the fixture own_core those of this test alone."""
    if "own_core" in request.fixturenames:
        return set_up_places(tmp_path, monkeypatch)
    return set_up_places(request.getfixturevalue("common_core"), monkeypatch)


@pytest.fixture
def krita(qapp, places):
    """Make one with a host; what it started is ended."""
    lives = []

    def make(host):
        lives.append(Krita(qapp, host))
        return lives[-1]

    yield make
    for life in lives:
        life.note()
        life.give_up()
        life.close()
    for process in [each for life in lives for each in life.processes]:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def own_core():
    """Asked for by tests that kill or end their core."""
