"""What stays of a placed result in the real Krita: before and after, and notes in the file."""

from __future__ import annotations

import base64
import os
import time

import pytest

pytestmark = pytest.mark.krita


@pytest.mark.parametrize("selected", ["None", "Box(0, 0, 9, 9)"])
def test_before_and_after_leave_no_undo_and_survive_a_deleted_layer(paper, selected):
    before = paper.shown
    paper.placed("delivery(Picture(96, 64), destination='keep', keep_upscaled=False)", f"target(selected={selected})")
    after, text = paper.shown, paper.krita.run("undo_text()")
    tree, active = paper.tree, paper.krita.run("id_of(d.activeNode())")
    assert paper.krita.run("before_after.show_before(meter.value, True)")
    paper.krita.wait(f"shown() == base64.b64decode({base64.b64encode(before).decode()!r})")
    assert paper.krita.run("before_after.show_before(meter.value, False)")
    paper.krita.wait(f"shown() == base64.b64decode({base64.b64encode(after).decode()!r})")
    time.sleep(0.5)
    assert paper.krita.run("[undo_text(), tree(), id_of(d.activeNode())]") == [text, tree, active]
    paper.krita.run("find(d, meter.value.refined).remove(); d.waitForDone()")
    assert paper.krita.run("before_after.show_before(meter.value, True)") is False


def test_notes_are_kept_in_the_file_and_taken_out_again(paper):
    data = os.urandom(1000)
    path = paper.krita.home / "noted.kra"
    paper.krita.run(f"save_note(d, 'history', {data!r}); save_note(d, 'other', b'x'); save_note(d, 'other', b'')")
    paper.krita.run(f"d.setBatchmode(True); assert d.saveAs({str(path)!r}); d.setModified(False); d.close()")
    paper.krita.run(f"d = K.openDocument({str(path)!r})")
    assert paper.krita.run(f"load_note(d, 'history') == {data!r}")
    assert paper.krita.run("[load_note(d, 'other') == b'', load_note(d, 'never') == b'']") == [True, True]
    paper.krita.run("d.close()")


def test_a_closed_document_has_no_notes(paper):
    paper.krita.run("d.setModified(False); d.close()")
    assert paper.krita.run("[load_note(d, 'history') == b'', save_note(d, 'history', b'x')]") == [True, None]


def test_old_results_are_forgotten_when_there_are_too_many(paper):
    paper.krita.run(
        "from scumble.host.krita.notes import PlacedNote, remember_placed, MOST_BYTES\n"
        "for i in range(9): remember_placed(d, PlacedNote('', '', f'id{i}', 'x' * 60_000))"
    )
    assert paper.krita.run("len(load_note(d, 'results')) <= MOST_BYTES")
    assert paper.krita.run("[n.refined for n in placed_notes(d)]") == ["id5", "id6", "id7", "id8"]
    assert paper.krita.run("__import__('json').loads(load_note(d, 'layers'))[-1]") == "id8"
    paper.krita.run("save_note(d, 'results', b'[[1], {')")
    assert paper.krita.run("placed_notes(d)") == []
