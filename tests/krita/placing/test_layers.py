"""Placed layers in the real Krita: how many, where, how they look, and that undo takes them back."""

from __future__ import annotations

import base64
import time

import numpy as np
import pytest
from tests.krita.placing.paper import GROUP, MASKED, SOFT, TWO_GROUPS

pytestmark = pytest.mark.krita


def test_enlarging_takes_two_steps_of_undo_and_comes_back_with_redo(paper):
    before, clean = paper.shown, paper.krita.run("undo_text()")
    ours, said = paper.placed("delivery(Picture(192, 128), scale=2.0)")
    assert (ours, said) == (True, "")
    assert paper.size == [192, 128]
    assert paper.tree == [["Background", []], GROUP]
    after = paper.shown
    assert after == base64.b64decode(paper.krita.run("base64.b64encode(Picture(192, 128).pixels()).decode()"))
    paper.undo(2)
    assert (paper.size, paper.tree, paper.shown) == ([96, 64], [["Background", []]], before)
    assert paper.krita.run("undo_text()") == clean  # nothing of it is left in the history
    paper.redo(2)
    assert (paper.size, paper.tree, paper.shown) == ([192, 128], [["Background", []], GROUP], after)


@pytest.mark.parametrize(
    ("placement", "expected", "steps"),
    [
        ("group=True", [GROUP], 1),
        ("group=False", GROUP[1], 2),
        ("group=True, keep_upscaled=False", [["Scumble 2x", [["Refined 2x", []]]]], 1),
        ("group=False, keep_upscaled=False", [["Refined 2x", []]], 1),
    ],
)
def test_at_its_own_size_layers_are_placed_as_wished_and_undone(paper, placement, expected, steps):
    before, clean = paper.shown, paper.krita.run("undo_text()")
    paper.placed(f"delivery(Picture(96, 64), destination='keep', opacity=50, {placement})")
    assert paper.tree == [["Background", []], *expected]
    opacity = paper.krita.run("find(d, meter.value.refined).opacity()")
    assert opacity == 128
    paper.undo(steps)
    assert (paper.tree, paper.shown) == ([["Background", []]], before)
    assert paper.krita.run("undo_text()") == clean


def test_loose_layers_of_an_enlarged_document_keep_the_promise_of_two_steps(paper):
    _ours, said = paper.placed("delivery(Picture(192, 128), scale=2.0, group=False)")
    assert "lets them through" in said
    paper.undo(2)
    assert (paper.size, paper.tree) == ([96, 64], [["Background", []]])


def test_the_active_layer_and_the_selection_stay(paper):
    paper.krita.run("s = krita.Selection(); s.select(10, 8, 40, 30, 255); d.setSelection(s)")
    active = paper.krita.run("id_of(d.activeNode())")
    paper.placed("delivery(Picture(192, 128), scale=2.0)")
    time.sleep(0.5)
    assert paper.krita.run("id_of(d.activeNode())") == active
    assert paper.krita.run("s = d.selection(); result = [s.x(), s.y(), s.width(), s.height()]") == [20, 16, 80, 60]


def levels(pixels, wire):
    return np.frombuffer(pixels, {"u8": "u1", "u16": "<u2", "f16": "<f2", "f32": "<f4"}[wire]).astype(np.float64)


@pytest.mark.parametrize(("wire", "depth"), [("u8", "U8"), ("u16", "U16"), ("f16", "F16"), ("f32", "F32")])
def test_a_mask_shows_what_cut_pixels_would_show_and_can_be_painted_away(paper, wire, depth):
    paper.fresh(f"depth={depth!r}")
    where = "target(Box(0, 0, 64, 64), Box(10, 8, 40, 40))"
    result = f"delivery(Picture(48, 40, {wire!r}, {SOFT}), x=10, y=12, destination='keep', mask={{}})"
    paper.placed(result.format(False), where)
    assert paper.tree == [["Background", []], GROUP]
    cut = paper.shown
    paper.undo()
    paper.placed(result.format(True), where)
    assert paper.tree == [["Background", []], MASKED]
    masked = paper.shown
    # Floating point is rounded once more: half a level of 16 bits.
    assert np.allclose(levels(masked, wire), levels(cut, wire), atol=0 if wire in ("u8", "u16") else 2**-10, rtol=0)
    paper.undo()
    assert paper.tree == [["Background", []]]
    paper.redo()
    assert paper.shown == masked
    paper.krita.run(
        "mask = find(d, meter.value.refined).childNodes()[0]\n"
        "mask.setPixelData(QByteArray(bytes(96 * 64)), 0, 0, 96, 64); d.refreshProjection()"
    )
    assert set(paper.shown) == set(paper.krita.run("list(d.topLevelNodes()[0].pixelData(0, 0, 1, 1).data())"))


def test_masks_survive_saving(paper, tmp_path):
    paper.placed(
        f"delivery(Picture(48, 40, 'u8', {SOFT}), x=10, y=12, destination='keep')", "target(selected=Box(10, 8, 9, 9))"
    )
    shown = paper.shown
    path = paper.krita.home / "masked.kra"
    paper.krita.run(f"d.setBatchmode(True); assert d.saveAs({str(path)!r})")
    paper.krita.run(
        f"ids = placed_notes(d)[0]\nfresh(); d.close(); d = K.openDocument({str(path)!r}); K.activeWindow().addView(d)"
    )
    assert paper.shown == shown
    assert paper.krita.run("placed_notes(d)[0] == ids and ids.note") == '{"seed": 7}'
    assert paper.krita.run("find(d, ids.refined).name()") == "Refined 2x"
    assert paper.krita.run("find(d, ids.refined).childNodes()[0].type()") == "transparencymask"


def test_a_new_document_holds_the_very_pixels_and_nothing_to_undo(paper):
    before, tree = paper.shown, paper.tree
    paper.place("delivery(Picture(192, 128), scale=2.0, destination='new')")
    assert (paper.shown, paper.tree) == (before, tree)
    paper.krita.run("old = d; d = documents.by_key(meter.value.document)")
    assert paper.krita.run("K.activeDocument() == d")
    assert paper.tree == [GROUP]
    assert paper.krita.run("shown() == Picture(192, 128).pixels()")
    assert paper.krita.run("undo_text()").strip() in ("Undo", "&Undo")
    assert paper.krita.run("d.modified()")


def test_a_layers_result_lies_above_it_and_outside_of_a_locked_group(paper):
    paper.krita.run(TWO_GROUPS)
    where = "target(layer=id_of(n))"
    paper.placed("delivery(Picture(96, 64), destination='keep')", where)
    assert paper.tree[1] == ["outer", [["inner", [["stroke", []], GROUP]]]]
    paper.undo()
    paper.krita.run("outer.setLocked(True)")
    _ours, said = paper.placed("delivery(Picture(96, 64), destination='keep')", where)
    assert "locked" in said
    assert [name for name, _below in paper.tree] == ["Background", "outer", "Scumble 2x", "top"]


def test_the_result_of_a_layer_that_is_gone_lies_above_all(paper):
    paper.krita.run(TWO_GROUPS + "where = target(layer=id_of(n)); outer.remove(); d.waitForDone()")
    _ours, said = paper.placed("delivery(Picture(96, 64), destination='keep')", "where")
    assert "gone" in said
    assert paper.tree[-1] == GROUP


def test_a_document_that_was_closed_and_opened_again_is_found_by_its_file(paper):
    path = paper.krita.home / "again.kra"
    paper.krita.run(
        TWO_GROUPS + f"d.setBatchmode(True); d.setFileName({str(path)!r}); assert d.saveAs({str(path)!r})\n"
        "where = target(layer=id_of(n)); d.setModified(False); d.close()\n"
        f"d = K.openDocument({str(path)!r}); K.activeWindow().addView(d); d.waitForDone()"
    )
    ours, said = paper.placed("delivery(Picture(96, 64), destination='keep')", "where")
    assert (ours, said) == (True, "")
    assert paper.tree[1] == ["outer", [["inner", [["stroke", []], GROUP]]]]


def test_a_transparent_result_shows_alone_and_the_artist_is_told(paper):
    paper.krita.run("d.topLevelNodes()[0].setVisible(False); d.refreshProjection()")
    _ours, said = paper.placed(f"delivery(Picture(64, 64, 'u8', {SOFT}), destination='keep')")
    assert "transparent" in said
    assert paper.krita.run("[n.visible() for n in d.topLevelNodes()[-1].childNodes()]") == [False, True]


def test_one_pixel_and_negative_places(paper):
    paper.placed("delivery(Picture(1, 1), x=-3, y=-2, destination='keep')", "target(selected=Box(0, 0, 1, 1))")
    box = paper.krita.run("b = find(d, meter.value.refined).bounds(); result = [b.x(), b.y(), b.width(), b.height()]")
    assert box == [-3, -2, 1, 1]
