"""The core's section of the panel, with a core that it starts and ends."""

import sys

from tests.krita_plugin.fake_host import FakeHost, picture

from scumble.core.guide import guide
from scumble.core.state import CoreState
from scumble.panel.core import CoreBox, facts_of
from scumble.qt import QtWidgets
from scumble_bridge.messages import Described
from scumble_bridge.places import write_core_command


def test_a_core_is_started_described_restarted_and_stopped(krita, own_core, qapp):
    life = krita(FakeHost(picture()))
    box = CoreBox(life.core, lambda: "all there is to know")
    assert "not running" in box.state.text()
    box.start.click()
    assert box.state.text() == "Starting the core…"
    life.spin(lambda: life.core.state.described is not None)
    life.note()
    assert not box.restart.isHidden()
    assert box.start.isHidden()
    assert "Version" in box.facts.text()
    first = life.processes[-1]
    box.restart.click()
    life.spin(lambda: life.core.state.phase == "connected" and life.core._process is not first)
    life.note()
    assert first.wait(20) == 0
    assert len(life.processes) == 2
    box.stop.click()
    life.spin(lambda: life.core.state.phase == "off")
    assert life.processes[-1].wait(20) == 0
    box.copy.click()
    assert qapp.clipboard().text() == "all there is to know"
    assert box.copy.text() == "Copied"


def test_the_guide_says_what_to_type_and_copies_it(krita, places, own_core, qapp):
    (places / "data" / "core.json").unlink()
    life = krita(FakeHost(picture()))
    box = CoreBox(life.core, lambda: "")
    life.spin(lambda: life.core.state.phase == "missing")
    assert not box.guide.isHidden()
    commands = [field.text() for field in box.guide.findChildren(QtWidgets.QLineEdit)]
    assert "scumble krita install" in commands
    at = commands.index("scumble krita install")
    (copy,) = [
        button
        for button in box.guide.findChildren(QtWidgets.QToolButton)
        if button.objectName()
        == box.guide.findChildren(QtWidgets.QLineEdit)[at].objectName().replace("command", "copy")
    ]
    copy.click()
    assert qapp.clipboard().text() == "scumble krita install"


def test_a_core_that_can_not_start_is_told_with_its_code(krita, places, own_core):
    write_core_command(places / "data", (sys.executable, "-c", "raise SystemExit(3)"))
    life = krita(FakeHost(picture()))
    box = CoreBox(life.core, lambda: 1 // 0)
    box.start.click()
    life.spin(lambda: life.core.state.phase == "failed")
    assert "code 3" in box.state.text()
    assert not box.restart.isHidden()
    box.copy.click()  # it fails, and raises nothing


def test_panel_and_core_of_two_versions_are_told_apart():
    described = Described("CPU", "0.9", (), (), ())
    assert "0.9" in CoreState("connected", "", described, "1.0").mismatch
    assert CoreState("connected", "", described, "0.9").mismatch == ""
    assert CoreState("connected", "", described).mismatch == ""


def test_every_state_has_a_sentence_and_those_with_trouble_have_steps():
    for phase in ("off", "missing", "starting", "connected", "lost", "stopping", "failed"):
        assert CoreState(phase).sentence
        assert bool(guide(CoreState(phase))) == (phase in ("missing", "failed"))


def test_memory_and_models_are_told():
    described = Described("RTX", "1", (), (), (), 24_000_000_000, 7_500_000_000, "busy", ("sdxl",))
    assert facts_of(CoreState("connected", "", described)) == [
        "Version 1, on RTX", "Memory: 7.5 GB free of 24 GB", "The worker is at work.", "Loaded: sdxl",
    ]  # fmt: skip
    assert facts_of(CoreState()) == []


def test_models_that_the_lists_can_not_hold_are_counted():
    described = Described("cpu", "1", (), (), (), left_out=1200)
    assert facts_of(CoreState("connected", "", described))[-1].startswith("1,200 models more than")
