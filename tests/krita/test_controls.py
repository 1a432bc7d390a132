"""The panel's controls in the real Krita, as a person uses them: mouse, keyboard, dialogs, and Krita's menus."""

from __future__ import annotations

import pytest
from tests.krita.panel import SELECT

from scumble.actions import actions
from scumble.limits import RANGES

pytestmark = pytest.mark.krita

FOCUS = "__import__('PyQt5.QtWidgets').QtWidgets.QApplication.focusWidget()"
# What a person may set or press: named, shown, and able to take the focus by Tab.
CONTROLS = """
from PyQt5.QtWidgets import QScrollArea, QWidget
result = [
    w.objectName() for w in P.findChildren(QWidget)
    if w.objectName().startswith('scumble_') and not isinstance(w, QScrollArea) and w.isVisible() and w.isEnabled()
    and int(w.focusPolicy()) & 1
]
"""
TIPLESS = """
from PyQt5.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QListWidget, QPlainTextEdit
kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QListWidget, QPlainTextEdit)
result = [w.objectName() for kind in kinds for w in P.findChildren(kind) if w.objectName().startswith('scumble_')
    and not w.toolTip()]
"""
BEYOND = """
from PyQt5.QtWidgets import QDoubleSpinBox
result = {}
for w in P.findChildren(QDoubleSpinBox):
    before = w.value()
    w.setValue(1e12); most = w.exact
    w.setValue(-1e12); least = w.exact
    w.setValue(before)
    result[w.objectName()] = [least, most]
"""
SHORTCUTS = "{a.objectName(): [k.toString() for k in a.shortcuts()] for a in K.actions() if a.shortcuts()}"
SECTIONS = ("guides", "layers", "expert", "tiles", "history", "queue", "core")


def test_the_tab_key_leads_from_the_docker_shortcut_through_every_control(panel, krita):
    for section in SECTIONS:
        panel.unfold(f"scumble_section_{section}")
    panel.shortcut("ctrl+alt+shift+d")
    krita.wait(f"{FOCUS} is {krita.widget('scumble_preset')}", 5)
    wanted = set(krita.run(CONTROLS))
    assert {"scumble_preset", "scumble_tile_size", "scumble_core_copy", "scumble_refine"} <= wanted
    order = ["scumble_preset"]
    for _ in range(len(wanted) + 5):
        panel.keys("Tab")
        order.append(krita.run(f"{FOCUS}.objectName() if {FOCUS} else ''"))
        if order[-1] not in wanted:
            break
    reached = [name for name in order if name in wanted]
    assert wanted - set(reached) == set(), order
    assert len(reached) == len(set(reached))
    assert reached.index("scumble_refine") > reached.index("scumble_core_copy")


def test_every_control_says_what_it_does(panel, krita):
    assert krita.run(TIPLESS) == []


def test_detail_is_set_by_keyboard_alone(panel, krita):
    panel.shortcut("ctrl+alt+shift+d")
    krita.wait(f"{FOCUS} is {krita.widget('scumble_preset')}", 5)

    def tab_to(name):
        for _ in range(60):
            if krita.run(f"{FOCUS}.objectName()") == name:
                return
            panel.keys("Tab")
        raise AssertionError(f"{name} was not reached")

    tab_to("scumble_strength")
    panel.keys("4", "0", "Return")
    tab_to("scumble_section_expert")
    panel.keys("space")
    tab_to("scumble_steps")
    panel.keys("ctrl+a", "1", "2", "Tab")
    tab_to("scumble_complexity")
    panel.keys("space")
    tab_to("scumble_overlap")
    panel.keys("Up")
    assert panel.value("[S.strength, S.steps, S.complexity, S.overlap]") == [0.4, 12, False, 16]


def test_no_number_can_be_set_beyond_its_limits(panel, krita):
    panel.unfold("scumble_section_expert")
    panel.write("scumble_scale", "99")
    panel.keys("Tab")
    panel.write("scumble_tile_size", "99999")
    panel.keys("Tab")
    panel.write("scumble_strength", "400")
    panel.keys("Return")
    assert panel.value("[S.scale <= 10, S.tile_size <= 4096, S.strength <= 1]") == [True, True, True]
    for name, (least, most) in krita.run(BEYOND).items():
        field = name.removeprefix("scumble_")
        if field in RANGES:
            assert most == RANGES[field][1], name
            assert least in (0, RANGES[field][0]), name


def test_a_seed_of_64_bits_is_typed_thrown_and_locked(panel, krita):
    panel.write("scumble_seed", str(2**64 - 1))
    panel.keys("Tab")
    assert panel.value("S.seed") == 2**64 - 1
    panel.write("scumble_seed", str(2**64))
    panel.keys("Tab")
    assert panel.value("S.seed") <= 2**64 - 1
    panel.write("scumble_seed", "7")
    panel.keys("Tab")
    assert panel.value("S.seed") == 7
    panel.click("scumble_dice")
    assert panel.value("S.seed") != 7
    thrown = panel.value("S.seed")
    panel.press_refine()
    assert panel.value("P.runner.runs[-1].asked.settings.seed") == thrown
    panel.wait_until_done()
    panel.click("scumble_seed_lock")
    panel.choose("scumble_destination", "keep")
    panel.press_refine()
    drawn = panel.value("P.runner.runs[-1].asked.settings.seed")
    assert drawn != thrown
    assert panel.value("S.seed") == drawn
    assert panel.text("scumble_seed") == str(drawn)
    assert not panel.value("S.seed_locked")
    panel.click("scumble_cancel")


def test_each_action_stands_in_the_menu_with_its_shortcut_and_does_what_it_says(panel, krita):
    found = krita.run(SHORTCUTS)
    assert {row.id: found.get(row.id) for row in actions()} == {row.id: [row.shortcut] for row in actions()}
    panel.choose("scumble_destination", "keep")
    with panel.a_new_run():
        panel.menu_of_krita("Tools", "Scripts", "Scumble: Refine")
    panel.wait_until_done()
    assert [name for name, _ in panel.tree][1:] == ["Scumble 2x, strength 25%, seed 0"]
    refined = "K.activeDocument().topLevelNodes()[-1].childNodes()[-1]"
    panel.shortcut("ctrl+alt+shift+b")
    krita.wait(f"not {refined}.visible()", 5)
    panel.shortcut("ctrl+alt+shift+b")
    krita.wait(f"{refined}.visible()", 5)
    panel.point_at(20, 20)
    with panel.a_new_run():
        panel.shortcut("ctrl+alt+shift+y")
    panel.wait_until_done()
    with panel.a_new_run():
        panel.shortcut("ctrl+alt+shift+t")
    panel.wait_for_phase("ready")
    panel.click("scumble_discard")
    krita.run(SELECT.format(40, 30, 80, 60))
    panel.in_tiles(12)
    with panel.a_new_run():
        panel.shortcut("ctrl+alt+shift+r")
    assert panel.value("P.runner.runs[-1].asked.settings.source") == "selection"
    panel.wait_for("Refining")
    panel.shortcut("ctrl+alt+shift+p")
    panel.wait_for_phase("paused", 60)
    panel.shortcut("ctrl+alt+shift+p")
    krita.wait("P.runner.runs[-1].state.phase in ('waiting', 'running')", 30)
    panel.shortcut("ctrl+alt+shift+x")
    krita.wait("P.runner.runs[-1].state.phase in ('offered', 'stopped')", 60)
    with panel.a_new_run():
        panel.shortcut("ctrl+alt+r")
    panel.shortcut("ctrl+alt+shift+x")


def test_styles_go_around_the_prompt_and_new_ones_are_made(panel, krita):
    panel.write("scumble_prompt", "a castle")
    first = krita.run("__import__('scumble.prompts').prompts.shipped()[0].name")
    panel.choose_in_menu("scumble_styles", first)
    krita.wait("len(P.form.settings.styles) == 1", 5)
    assert first in panel.text("scumble_styles_chosen")
    assert panel.value("S.words.prompt") != "a castle"
    assert "a castle" in panel.value("S.words.prompt")
    panel.choose_in_menu("scumble_styles", "New style")
    krita.wait(f"{krita.widget('scumble_new_style')} is not None", 5)
    panel.write_in_dialog("scumble_style_name", "misty")
    panel.write_in_dialog("scumble_style_prompt", "{prompt}, in thick mist")
    panel.keys("Return")
    krita.wait("len(P.form.settings.styles) == 2", 5)
    assert "in thick mist" in panel.value("S.words.prompt")


def test_what_was_set_is_there_after_krita_was_closed_and_opened(panel, krita):
    """Restarts Krita."""
    panel.write("scumble_prompt", "a castle")
    panel.press_refine()
    panel.wait_until_done()
    panel.write("scumble_prompt", "a river")
    panel.write("scumble_negative", "boats")
    panel.press_refine()
    panel.wait_until_done()
    panel.write("scumble_prompt", "something else")
    panel.keys("ctrl+Up", "ctrl+Up")
    assert panel.value("[S.prompt, S.negative_prompt]") == ["a castle", ""]
    panel.choose_in_menu("scumble_prompt_history", "a river")
    krita.wait("P.form.settings.prompt == 'a river' and P.form.settings.negative_prompt == 'boats'", 5)
    panel.shortcut("ctrl+alt+shift+d")
    panel.keys("Down")
    krita.wait(f"{krita.widget('scumble_preset')}.currentText() == 'Strong detail'", 5)
    panel.write("scumble_strength", "47")
    panel.keys("Return")
    panel.click("scumble_preset_save")
    panel.write_in_dialog("scumble_save_preset_name", "My stone")
    panel.keys("Return")
    krita.wait(f"{krita.widget('scumble_preset')}.currentText() == 'My stone'", 5)
    panel.choose("scumble_destination", "keep")
    panel.unfold("scumble_section_expert")
    panel.unfold("scumble_section_history")
    wanted = panel.value("S.to_json()")
    krita.quit()
    krita.start(krita.home / "in.png")
    krita.run(f"P = {krita.widget('scumble_panel')}")
    assert panel.value("S.to_json()") == wanted
    assert panel.value("P.form.open_sections") == "expert"
    assert panel.value("[s.heading.objectName() for s in P.sections if s.is_open]") == ["scumble_section_history"]
    assert krita.run(f"{krita.widget('scumble_preset')}.currentText()") == "My stone"
    panel.roomy()
    panel.click("scumble_prompt")
    panel.write("scumble_prompt", "other words")
    panel.keys("ctrl+Up", "ctrl+Up")
    assert panel.value("S.prompt") == "a castle"
    panel.choose("scumble_preset", "Gentle")
    panel.choose("scumble_preset", "My stone")
    assert panel.value("S.strength") == 0.47
