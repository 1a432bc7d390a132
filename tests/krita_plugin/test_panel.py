"""The panel under PyQt6, offscreen, with a fake host, and a real core that the panel starts itself."""

import os
import signal
import sys
import time

import numpy as np
import pytest
from tests.krita_plugin.fake_host import FakeHost

from scumble.panel.panel import RefinePanel
from scumble.qt import QtCore, QtWidgets
from scumble_bridge.fields import ModelChoice
from scumble_bridge.messages import Described
from scumble_bridge.places import write_core_command

CORE = (sys.executable, "-m", "scumble_core", "serve", "--idle-seconds", "30")


def pixels(height=64, width=96):
    y, x = np.mgrid[0:height, 0:width]
    out = np.full((height, width, 4), 255, np.uint8)
    out[..., 0], out[..., 1], out[..., 2] = 40, x * 2, y * 3
    return out


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SCUMBLE_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path


@pytest.fixture
def show(qapp, places):
    panels = []

    def make(host):
        panel = RefinePanel(host)
        panels.append(panel)
        panel.show()
        qapp.processEvents()
        return panel

    yield make
    for panel in panels:
        process = panel.runner._link._process
        panel.close_down()
        panel.deleteLater()
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def spin(qapp, until, seconds=90):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it never came to that"
        qapp.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 50)


def test_a_whole_run_with_a_core_that_the_panel_starts(show, qapp, places):
    write_core_command(places / "data", CORE)
    host = FakeHost(pixels())
    panel = show(host)
    sentences = []
    panel.runner.changed.connect(lambda state: sentences.append(state.sentence))
    panel.refine.click()
    assert not panel.refine.isEnabled()
    assert not panel.fields.isEnabled()
    spin(qapp, lambda: panel.runner.state.phase in ("done", "failed"))
    assert panel.status.text() == "Done."
    assert "Refining: tile 1 of 1" in sentences
    assert panel.refine.isEnabled()
    assert host.placed["refined"].shape == host.placed["upscaled"].shape == (128, 192, 4)
    means = [picture[..., :3].mean((0, 1)) for picture in (pixels(), host.placed["refined"])]
    assert means[0] == pytest.approx(means[1], abs=3)  # blue is still blue: no channel was swapped
    assert host.snapshots[0].released
    # The core's lists are in the pickers by now.
    assert panel.fields.upscaler.findData("starter-x4") >= 0
    # A second run goes over the same line; cancelled, it places nothing.
    host.placed.clear()
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase == "running")
    panel.cancel.click()
    assert panel.status.text() == "Cancelled. The document is as it was."
    assert not host.placed
    # A core that dies in mid-run is an error, in words; the next run starts another.
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase == "running")
    os.kill(panel.runner._link._process.pid, signal.SIGKILL)
    spin(qapp, lambda: panel.runner.state.phase == "failed")
    assert "The core stopped" in panel.status.text()
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase in ("done", "failed"))
    assert panel.status.text() == "Done."


def test_without_a_core_the_panel_says_how_to_get_one(show, qapp):
    panel = show(FakeHost(pixels()))
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase == "failed", 10)
    assert "scumble krita install" in panel.status.text()
    assert panel.refine.isEnabled()


def test_a_core_that_can_not_start_is_reported(show, qapp, places):
    write_core_command(places / "data", (sys.executable, "-c", "raise SystemExit(3)"))
    panel = show(FakeHost(pixels()))
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase == "failed", 20)
    assert "code 3" in panel.status.text()


def test_a_picture_that_can_not_be_read_fails_the_job_alone(show, qapp, places):
    write_core_command(places / "data", CORE)
    host = FakeHost(pixels(), unreadable=True)
    panel = show(host)
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase == "failed", 30)
    assert "could not be read" in panel.status.text()
    host.unreadable = False
    panel.refine.click()
    spin(qapp, lambda: panel.runner.state.phase in ("done", "failed"))
    assert panel.status.text() == "Done."


def test_when_nothing_can_be_refined_the_button_says_why(show):
    host = FakeHost(pixels(), reason="Open or create a document first.")
    panel = show(host)
    assert not panel.refine.isEnabled()
    assert panel.status.text() == "Open or create a document first."
    host.reason = ""
    panel.refresh()
    assert panel.refine.isEnabled()
    assert panel.status.text() == ""


def test_settings_are_kept(show):
    host = FakeHost(pixels())
    panel = show(host)
    panel.fields.scale.setValue(3.5)
    panel.fields.prompt.setPlainText("oil on canvas")
    panel.fields.dice.click()
    seed = panel.fields.seed.value()
    panel.close_down()
    assert (host.settings.scale, host.settings.prompt, host.settings.seed) == (3.5, "oil on canvas", seed)
    assert show(FakeHost(pixels(), settings=host.settings)).fields.settings == host.settings


def test_a_chosen_model_stays_chosen_when_the_core_tells_its_models(show):
    panel = show(FakeHost(pixels()))
    panel.fields.upscaler.setCurrentIndex(panel.fields.upscaler.findData("starter-x4"))
    names = [ModelChoice("none", "None"), ModelChoice("starter-x4", "4x"), ModelChoice("/my.pth", "Mine")]
    bases, refiners = (ModelChoice("starter", "Starter"),), (ModelChoice("none", "None"),)
    panel.runner.described.emit(Described("CPU", "1", bases, refiners, tuple(names)))
    assert panel.fields.settings.upscaler == "starter-x4"
    assert panel.fields.upscaler.findText("Mine") >= 0
    assert panel.fields.settings.refiner == "none"


def test_the_panel_fits_a_narrow_docker(show):
    panel = show(FakeHost(pixels()))
    assert panel.minimumSizeHint().width() <= 280
    assert isinstance(panel.findChild(QtWidgets.QPushButton, "scumble_refine"), QtWidgets.QPushButton)
