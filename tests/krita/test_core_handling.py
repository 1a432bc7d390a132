"""The core's section in the real Krita: nothing installed, start, restart, stop, another version, diagnostics."""

from __future__ import annotations

import pytest
from tests.krita.panel import Panel

from scumble.core.guide import guide
from scumble.core.state import CoreState

pytestmark = pytest.mark.krita

CLIPBOARD = "__import__('PyQt5.QtWidgets').QtWidgets.QApplication.clipboard().text()"


@pytest.fixture
def panel(krita):
    """As `panel`, with no core running and the core's section open."""
    panel = Panel(krita).roomy()
    if krita.run("P.core.is_open"):
        krita.run("P.core.stop()")
    krita.wait("not P.core.is_open", 60)
    while krita.core_pids():
        krita.kill_core()
    krita.wait("P.core.state.phase == 'off'", 30)
    panel.unfold("scumble_section_core")
    yield panel
    krita.run(f"P = {krita.widget('scumble_panel')}")  # Krita may have been restarted
    krita.run("P.core.ensure()")
    krita.wait("P.core.is_open", 60)


def test_without_a_core_the_panel_says_what_to_type_and_copies_it(panel, krita):
    place = krita.data / "core.json"
    text = place.read_text()
    place.unlink()
    try:
        panel.click("scumble_core_start")
        krita.wait("P.core.state.phase == 'missing'", 20)
        assert panel.text("scumble_core_state") == "The core is not installed yet."
        assert krita.run(f"{krita.widget('scumble_first')}.isVisible()")
        commands = [step.command for step in guide(CoreState("missing")) if step.command]
        assert commands == ["./run --krita", "scumble krita install"]
        for at, command in enumerate(commands):
            assert panel.text(f"scumble_command_{at}") == command
            panel.click(f"scumble_copy_{at}")
            krita.wait(f"{CLIPBOARD} == {command!r}", 5)
    finally:
        place.write_text(text)
    panel.click("scumble_core_start")
    krita.wait("P.core.is_open", 60)
    assert not krita.run(f"{krita.widget('scumble_core_guide')}.isVisible()")
    assert not krita.run(f"{krita.widget('scumble_first')}.isVisible()")


def test_the_core_is_started_shows_its_state_restarts_under_a_run_and_stops(panel, krita):
    assert panel.text("scumble_core_state") == "The core is not running. It starts by itself when it is needed."
    panel.click("scumble_core_start")
    krita.wait("P.core.is_open", 60)
    krita.wait("P.core.state.described is not None and P.core.state.described.worker in ('ready', 'busy')", 90)
    krita.wait("'of' in P.core_box.facts.text() and 'Memory' in P.core_box.facts.text()", 20)
    facts = panel.text("scumble_core_facts")
    assert "on " in facts
    assert "The worker is ready." in facts
    first = set(krita.core_pids())
    panel.in_tiles(6)
    panel.choose("scumble_destination", "keep")
    panel.press_refine()
    panel.wait_for("Refining: tile 2 of 9")
    krita.wait("'Loaded' in P.core_box.facts.text() or 'at work' in P.core_box.facts.text()", 20)
    finished = panel.tiles_on_the_disk()
    assert finished
    panel.click("scumble_core_restart")
    krita.wait("not P.core.is_open or P.core.state.phase != 'connected'", 20)
    krita.wait("P.core.is_open", 60)
    panel.wait_until_done()
    now = panel.tiles_on_the_disk()
    assert {name: now.get(name) for name in finished} == finished  # none of them was written again
    assert first.isdisjoint(krita.core_pids())
    assert len(panel.tree) == 2
    panel.click("scumble_core_stop")
    krita.wait("P.core.state.phase == 'off'", 40)
    until_none(krita)
    # It is not brought back unasked.
    assert not krita.run("P.core.is_open")
    assert krita.run(f"{krita.widget('scumble_core_start')}.isVisible()")


def test_another_version_of_the_core_is_told(panel, krita):
    """Restarts Krita."""
    version = krita.home / ".local/share/krita/pykrita/scumble/version.txt"
    own = version.read_text()
    version.write_text("0.0.9")
    try:
        krita.quit()
        krita.start(krita.home / "in.png")
        panel = Panel(krita).roomy()
        panel.unfold("scumble_section_core")
        panel.click("scumble_core_start")
        krita.wait("P.core.state.mismatch != ''", 60)
        said = panel.text("scumble_core_state")
        assert "The panel is of version 0.0.9" in said
        assert "scumble krita install" in said
    finally:
        version.write_text(own)
        krita.quit()
        krita.start(krita.home / "in.png")


def test_diagnostics_tell_versions_and_nothing_private(panel, krita):
    panel.write("scumble_prompt", "secret unicorn castle")
    panel.click("scumble_core_start")
    krita.wait("P.core.is_open and P.core.state.described is not None", 60)
    panel.press_refine()
    panel.wait_until_done()
    # What the core then tells of itself takes a line more, and moves all that is below.
    krita.wait(f"'Loaded' in {krita.widget('scumble_core_facts')}.text()", 10)
    panel.click("scumble_core_copy")
    krita.wait(f"'Scumble panel' in {CLIPBOARD}", 5)
    assert panel.text("scumble_core_copy") == "Copied"
    text = krita.run(CLIPBOARD)
    assert "Krita 5" in text
    assert "Core" in text
    for private in (str(krita.home), "unicorn", "castle", "in.png"):
        assert private not in text, private


def until_none(krita):
    """All of the core's processes are gone."""
    krita.wait("True")
    for _ in range(100):
        if not krita.core_pids():
            return
        krita.wait("True")
    assert krita.core_pids() == []
