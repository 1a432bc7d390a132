"""The artist's work in the real Krita: real plugin, real core, real starter models, real mouse and keys."""

from __future__ import annotations

import time
import zipfile
from xml.etree import ElementTree

import pytest
from tests.krita.panel import CHILDREN, FRESH, SELECT, SHOWN, SIZE, Panel

pytestmark = pytest.mark.krita


@pytest.fixture
def panel(krita):
    """A fresh document, the panel at its defaults, and words for what an artist does."""
    return Panel(krita)


def test_a_canvas_run_enlarges_the_document_and_adds_one_group_of_two_layers(panel, krita):
    panel.press_refine()
    panel.wait_until_done()
    title = "2x, strength 25%, seed 0"
    assert panel.tree == [
        ["in.png" if panel.tree[0][0] == "in.png" else "Background", []],
        [f"Scumble {title}", [f"Upscaled {title}", f"Refined {title}"]],
    ]
    assert panel.size == [384, 256]
    assert krita.run(f"[c.visible() for c in {CHILDREN}]") == [True, True]
    boxes = krita.run(f"result = [[b.x(), b.y(), b.width(), b.height()] for b in [c.bounds() for c in {CHILDREN}]]")
    assert boxes == [[0, 0, 384, 256]] * 2
    differ = krita.run(
        f"u, r = [c.pixelData(0, 0, 384, 256).data() for c in {CHILDREN}]\n"
        "result = [sum(a != b for a, b in zip(u, r)), max(abs(a - b) for a, b in zip(u, r)), set(r[3::4]) == {255}]"
    )
    assert differ[0] > 10_000  # it did refine
    assert differ[1] < 128  # and is still the same picture
    assert differ[2]


def test_undo_takes_everything_back(panel, krita):
    before = panel.shown
    tree = panel.tree
    panel.press_refine()
    panel.wait_until_done()
    assert panel.shown != before
    for _ in range(2):
        krita.press("ctrl+z")
        time.sleep(1)
    krita.wait(f"{SIZE} == [192, 128]")
    assert panel.tree == tree
    assert panel.shown == before


def test_a_selection_run_changes_nothing_outside_of_the_selection(panel, krita):
    before = krita.run(
        "import base64\nresult = base64.b64encode(K.activeDocument().pixelData(0, 0, 192, 128).data()).decode()"
    )
    panel.choose("scumble_source", "selection")
    krita.run(SELECT.format(40, 30, 80, 60))
    panel.press_refine()
    panel.wait_until_done()
    assert panel.size == [192, 128]
    inside, outside = krita.run(
        f"import base64\nold = base64.b64decode({before!r})\n"
        "d = K.activeDocument(); d.waitForDone(); new = d.pixelData(0, 0, 192, 128).data()\n"
        "inside = outside = 0\n"
        "for y in range(128):\n"
        "    for x in range(192):\n"
        "        at = (y * 192 + x) * 4\n"
        "        if old[at:at + 4] != new[at:at + 4]:\n"
        "            if 40 <= x < 120 and 30 <= y < 90: inside += 1\n"
        "            else: outside += 1\n"
        "result = [inside, outside]"
    )
    assert outside == 0
    assert inside > 1000


def test_the_active_layer_alone_can_be_the_source(panel, krita):
    krita.run(
        "d = K.activeDocument(); n = d.createNode('stroke', 'paintlayer')\n"
        "n.setPixelData(bytes([20, 200, 40, 255]) * (50 * 40), 60, 50, 50, 40)\n"
        "d.rootNode().addChildNode(n, None); d.setActiveNode(n); d.waitForDone()"
    )
    panel.choose("scumble_source", "layer")
    panel.choose("scumble_destination", "keep")
    krita.wait("K.activeDocument().activeNode().name() == 'stroke'")
    panel.press_refine()
    panel.wait_until_done()
    refined = krita.run(
        f"p = {CHILDREN}[1].pixelData(0, 0, 192, 128).data()\n"
        "at = (70 * 192 + 80) * 4\nresult = [list(p[:4]), list(p[at : at + 4])]"
    )
    assert refined[0][3] == 0  # what was clear stays clear
    assert krita.run(f"[c.visible() for c in {CHILDREN}]") == [False, True]  # else soft edges would double
    assert refined[1] == pytest.approx([20, 200, 40, 255], abs=12)


def test_a_new_document_leaves_the_old_one_alone(panel, krita):
    before, tree = panel.shown, [name for name, _children in panel.tree]
    panel.choose("scumble_destination", "new")
    panel.press_refine()
    panel.wait_until_done()
    krita.wait("len(K.documents()) == 2")
    assert krita.run("sorted([d.width(), d.height()] for d in K.documents())") == [[192, 128], [384, 256]]
    old = "[d for d in K.documents() if d.width() == 192][0]"
    assert krita.run(SHOWN.replace("K.activeDocument()", old)) == before
    assert krita.run(f"[n.name() for n in {old}.topLevelNodes()]") == tree


@pytest.mark.parametrize(("depth", "profile"), [("U16", "sRGB-elle-V2-srgbtrc.icc"), ("U16", ""), ("F32", "")])
def test_deep_and_linear_documents_keep_their_kind_and_their_colours(panel, krita, depth, profile):
    krita.run(
        f"d = K.createDocument(96, 64, 'deep', 'RGBA', {depth!r}, {profile!r}, 300.0)\n"
        "K.activeWindow().addView(d); d.waitForDone()\n"
        "n = d.createNode('paint', 'paintlayer'); n.setColorSpace('RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc')\n"
        "n.setPixelData(bytes([60, 120, 180, 255]) * (96 * 64), 0, 0, 96, 64)\n"
        "d.rootNode().addChildNode(n, None); d.waitForDone()"
    )
    krita.wait(f"{SIZE} == [96, 64]")
    panel.press_refine()
    panel.wait_until_done()
    assert krita.run("K.activeDocument().colorDepth()") == depth
    refined = krita.run(
        f"n = {CHILDREN}[1].duplicate(); n.setColorSpace('RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc')\n"
        "result = list(n.pixelData(100, 60, 1, 1).data())"
    )
    assert refined == pytest.approx([60, 120, 180, 255], abs=4)


def test_cancelling_in_the_middle_leaves_the_document_as_it_was(panel, krita):
    panel.large()
    before, tree, modified = panel.shown, panel.tree, krita.run("K.activeDocument().modified()")
    panel.press_refine()
    panel.wait_for("Refining")
    krita.click("scumble_cancel")
    panel.wait_for("Stopped", 10)
    time.sleep(2)
    assert (panel.shown, panel.tree, panel.size) == (before, tree, [1000, 800])
    assert krita.run("K.activeDocument().modified()") == modified


def test_a_core_that_dies_is_replaced_and_the_run_goes_on(panel, krita):
    panel.large()
    panel.set("scumble_scale", 1.0)
    before = panel.shown
    panel.press_refine()
    panel.wait_for("Refining")
    krita.kill_core()
    panel.wait_for("lost", 20)
    assert panel.shown == before
    panel.wait_until_done()
    assert panel.size == [1000, 800]
    assert panel.shown != before


def test_a_document_that_is_closed_meanwhile_gets_its_result_in_a_new_one(panel, krita):
    panel.press_refine()
    krita.run("K.activeDocument().setModified(False); K.activeDocument().close()")
    panel.wait_until_done()
    assert "closed meanwhile" in krita.run("P.runner.runs[-1].state.sentence")
    krita.wait(f"K.activeDocument() is not None and {SIZE} == [384, 256]")


def test_without_a_document_or_a_selection_the_button_says_why(panel, krita):
    panel.choose("scumble_source", "selection")
    krita.wait(f"not {krita.widget('scumble_refine')}.isEnabled()")
    assert "Select a part" in krita.run(f"{krita.widget('scumble_refine')}.toolTip()")


def test_the_result_survives_saving_and_opening(panel, krita):
    panel.press_refine()
    panel.wait_until_done()
    shown, path = panel.shown, krita.home / "saved.kra"
    krita.run(f"d = K.activeDocument(); d.setBatchmode(True); assert d.saveAs({str(path)!r})", seconds=60)
    with zipfile.ZipFile(path) as archive:
        names = [
            layer.get("name")
            for layer in ElementTree.fromstring(archive.read("maindoc.xml")).iter()
            if "layer" in layer.tag
        ]
    assert len([name for name in names if name and name.startswith(("Upscaled", "Refined", "Scumble"))]) == 3
    krita.run(FRESH.format(path=str(path)))
    krita.wait(f"{SIZE} == [384, 256]")
    assert panel.shown == shown


def test_without_an_installed_core_the_panel_says_what_to_do(panel, krita):
    krita.kill_core()
    place = krita.data / "core.json"
    text = place.read_text()
    place.unlink()
    try:
        panel.press_refine()
        panel.wait_for("scumble krita install", 20)
    finally:
        place.write_text(text)
