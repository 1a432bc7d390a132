"""After a run in the real Krita: its history, before and after, and all the ways to refine once more."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from tests.krita.panel import FRESH, SELECT

pytestmark = pytest.mark.krita

LAYERS = "[n.name() for n in K.activeDocument().topLevelNodes()]"
REFINED = """
import base64
d = K.activeDocument(); d.waitForDone()
n = d.topLevelNodes()[-1].childNodes()[-1]
result = base64.b64encode(n.pixelData(0, 0, 192, 128).data()).decode()
"""
ROWS = """
w = P.history_list.rows
result = [[w.item(i).text(), not w.item(i).icon().isNull()] for i in range(w.count())]
"""
VISIBLE = "K.activeDocument().topLevelNodes()[-1].childNodes()[-1].visible()"


def refined(krita):
    """The uppermost refined layer: 128 x 192 x 4."""
    return np.frombuffer(base64.b64decode(krita.run(REFINED)), np.uint8).reshape(128, 192, 4).astype(int)


def tiles_made(panel):
    found = re.search(r"only (\d+) tiles? of (\d+) had to be made anew", panel.said)
    assert found, panel.said
    return int(found[1]), int(found[2])


@pytest.fixture
def done(panel):
    """Refined in nine tiles, back at the document's own size."""
    panel.in_tiles()
    panel.choose("scumble_destination", "keep")
    panel.press_refine()
    panel.wait_until_done()
    return panel


def test_history_keeps_pictures_and_settings_with_the_document(done, krita):
    panel = done
    panel.unfold("scumble_section_history")
    rows = krita.run(ROWS)
    assert len(rows) == 1
    text, has_picture = rows[0]
    assert "strength 25%" in text
    assert "192 × 128" in text
    assert has_picture
    panel.click("scumble_history_before")
    krita.wait(f"not {VISIBLE}", 5)
    panel.shortcut("ctrl+alt+shift+b")
    krita.wait(VISIBLE, 5)
    panel.shortcut("ctrl+alt+shift+b")
    krita.wait(f"not {VISIBLE}", 5)
    panel.click("scumble_history_before")
    krita.wait(VISIBLE, 5)
    made = panel.value("S.to_json()")
    panel.write("scumble_strength", "60")
    panel.keys("Return")
    panel.write("scumble_tile_size", "256") if krita.run("P.form.expert_section.is_open") else None
    assert panel.value("S.to_json()") != made
    panel.click("scumble_history_settings")
    krita.wait(f"P.form.settings.to_json() == {made!r}", 5)
    with panel.a_new_run():
        panel.click("scumble_history_seed")
    panel.wait_until_done()
    assert panel.value("P.runner.runs[-1].asked.settings.seed") != 0
    assert len(krita.run(ROWS)) == 2
    assert len(krita.run(LAYERS)) == 3
    path = krita.home / "history.kra"
    krita.run(f"d = K.activeDocument(); d.setBatchmode(True); assert d.saveAs({str(path)!r})")
    rows = krita.run(ROWS)
    krita.run(FRESH.format(path=str(krita.home / "in.png")))
    krita.wait("P.history_list.rows.count() == 0", 10)
    krita.run(FRESH.format(path=str(path)))
    krita.wait("P.history_list.rows.count() == 2", 10)
    assert krita.run(ROWS) == rows
    panel.click("scumble_history_before")
    krita.wait(f"not {VISIBLE}", 5)


def test_one_tile_is_redone_at_the_pointer_and_nothing_else_changes(done, krita):
    panel = done
    first = refined(krita)
    panel.point_at(96, 64)
    with panel.a_new_run():
        panel.shortcut("ctrl+alt+shift+y")
    panel.wait_until_done()
    assert tiles_made(panel) == (1, 10)
    second = refined(krita)
    changed = np.abs(second - first).max(axis=2) > 0
    assert changed[60:68, 90:102].mean() > 0.5
    across, down = np.flatnonzero(changed.any(axis=0)), np.flatnonzero(changed.any(axis=1))
    # The tile with its overlap is 72 x 48 here; blending and bringing it back to half the size spread it a little.
    assert across[-1] - across[0] <= 96
    assert down[-1] - down[0] <= 72
    panel.point_at(10, 10)
    with panel.a_new_run():
        panel.choose_in_menu("scumble_refine_more", "Redo this tile")
    panel.wait_until_done()
    assert tiles_made(panel) == (1, 10)
    third = refined(krita)
    assert np.array_equal(third[50:78, 80:112], second[50:78, 80:112])  # the tile that was redone before stays so


def test_what_is_repainted_is_all_that_is_done_again(done, krita):
    panel = done
    first = refined(krita)
    krita.run("d = K.activeDocument(); d.setActiveNode(d.topLevelNodes()[0])")
    panel.drag((14, 14), (22, 20))
    krita.run("K.activeDocument().waitForDone()")
    with panel.a_new_run():
        panel.choose_in_menu("scumble_refine_more", "Refine again what was repainted")
    panel.wait_until_done()
    made, total = tiles_made(panel)
    assert 1 <= made < total
    second = refined(krita)
    assert np.abs(second - first)[10:24, 10:26].max() > 20
    assert np.array_equal(second[100:, 150:], first[100:, 150:])


def test_a_selection_is_refined_here_again(done, krita):
    panel = done
    krita.run(SELECT.format(40, 30, 80, 60))
    with panel.a_new_run():
        panel.choose_in_menu("scumble_refine_more", "Refine the selection again")
    panel.wait_until_done()
    assert panel.value("P.runner.runs[-1].asked.settings.source") == "selection"
    assert panel.value("P.runner.runs[-1].asked.settings.seed") != 0
    assert [name.startswith("Scumble") for name in krita.run(LAYERS)].count(True) == 2
    assert panel.size == [192, 128]


def test_what_was_enlarged_is_not_enlarged_again_by_repeating(panel, krita):
    panel.press_refine()
    panel.wait_until_done()
    runs = krita.run("len(P.runner.runs)")
    panel.choose_in_menu("scumble_refine_more", "Refine again what was repainted")
    panel.wait_for("made this document larger", 10)
    assert krita.run("len(P.runner.runs)") == runs
    assert panel.size == [384, 256]
    for _ in range(2):
        panel.shortcut("ctrl+z")
        krita.run("K.activeDocument().waitForDone()")
    krita.wait("[K.activeDocument().width(), K.activeDocument().height()] == [192, 128]", 20)
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == 192", 10)
    with panel.a_new_run():
        panel.choose_in_menu("scumble_refine_more", "Refine again what was repainted")
    panel.wait_until_done()
    assert "all was there already" in panel.said
    assert panel.size == [384, 256]


def test_the_picture_whose_result_lies_in_another_document_can_be_repeated(panel, krita):
    panel.choose("scumble_destination", "new")
    panel.press_refine()
    panel.wait_until_done()
    krita.wait("len(K.documents()) == 2 and K.activeDocument().width() == 384", 20)
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == 384", 10)
    panel.choose_in_menu("scumble_refine_more", "Refine again what was repainted")
    panel.wait_for("paint there, and refine that again", 10)
    krita.run(
        "from PyQt5.QtWidgets import QMdiArea\n"
        "area = K.activeWindow().qwindow().findChild(QMdiArea)\n"
        "area.setActiveSubWindow([w for w in area.subWindowList() if w is not area.currentSubWindow()][0])"
    )
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == 192", 10)
    with panel.a_new_run():
        panel.choose_in_menu("scumble_refine_more", "Refine again what was repainted")
    panel.wait_until_done()
    assert "all was there already" in panel.said


def test_without_an_earlier_run_what_needs_one_says_so(panel, krita):
    tree = panel.tree
    panel.point_at(96, 64)
    panel.shortcut("ctrl+alt+shift+y")
    panel.wait_for("press Refine first", 10)
    panel.shortcut("ctrl+alt+shift+b")
    panel.wait_for("no refined layer", 10)
    assert panel.tree == tree
    panel.click("scumble_refine_more")
    krita.wait("__import__('PyQt5.QtWidgets').QtWidgets.QApplication.activePopupWidget() is not None", 5)
    assert krita.run(
        "from PyQt5.QtWidgets import QApplication\n"
        "result = [a.objectName() for a in QApplication.activePopupWidget().actions() if not a.isEnabled()]"
    ) == ["scumble_do_repeat", "scumble_do_redo_tile"]
    panel.keys("Escape")
