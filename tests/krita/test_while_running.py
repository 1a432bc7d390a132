"""While a run goes on in the real Krita: what it tells, and that the artist goes on, whatever he does meanwhile."""

from __future__ import annotations

import base64
import re
import time
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.krita.panel import FRESH, SIZE, Panel

pytestmark = pytest.mark.krita

UNDO = "[K.activeDocument().modified(), K.action('edit_undo').isEnabled()]"
PIXELS = """
import base64
d = K.activeDocument(); d.waitForDone()
result = base64.b64encode({what}.pixelData(0, 0, 192, 128).data()).decode()
"""
WATCH = (
    "SAID = []\nRUN = P.runner.runs[-1]\nRUN.changed.connect(lambda state: SAID.append([state.phase, state.sentence]))"
)
ROWS = "[e.row.state for e in P.queue.entries if e.is_under_way]"


def pixels(krita, what="d"):
    data = base64.b64decode(krita.run(PIXELS.format(what=what)))
    return np.frombuffer(data, np.uint8).reshape(128, 192, 4)[..., 2::-1].astype(int)


def slow(panel, steps=12):
    panel.in_tiles(steps)
    panel.choose("scumble_destination", "keep")


def test_it_tells_how_far_it_is_and_the_artist_paints_on(panel, krita):
    """Finished tiles show in the docker and over the canvas; neither file nor undo know of them."""
    slow(panel)
    before = pixels(krita)
    panel.unfold("scumble_section_tiles")
    panel.click("scumble_previews_box")
    panel.press_refine()
    krita.run(WATCH)
    state = krita.run(UNDO)
    panel.wait_for("Refining: tile 3 of 9")
    assert re.search(r"Refining: tile \d of 9, .+ left", panel.said), panel.said
    assert krita.run(f"[{krita.widget('scumble_progress')}.isVisible(), P.run_box.preview.isVisible()]") == [True, True]
    assert krita.run(f"0 < {krita.widget('scumble_progress')}.value() < 1000")
    krita.wait(f"{krita.widget('scumble_overlay')} is not None", 10)
    assert krita.run(UNDO) == state
    assert np.array_equal(pixels(krita), before)
    path = krita.home / "while.kra"
    krita.run(f"d = K.activeDocument(); d.setBatchmode(True); assert d.exportImage({str(path)!r}, krita.InfoObject())")
    with zipfile.ZipFile(path) as archive, archive.open("mergedimage.png") as stream:
        assert np.array_equal(np.asarray(Image.open(stream).convert("RGB")).astype(int), before)
    panel.drag((40, 64), (150, 64))
    krita.run("K.activeDocument().waitForDone()")
    painted = pixels(krita)
    assert np.abs(painted - before).max() > 30
    assert krita.run("RUN.state.is_busy")
    panel.wait_until_done()
    told = [said for phase, said in krita.run("SAID") if phase == "running"]
    assert "Composing…" in told
    assert [f"Refining: tile {n} of 9" in "\n".join(told) for n in (4, 6, 8)] == [True] * 3
    assert krita.run(f"{krita.widget('scumble_overlay')} is None")
    layer = "K.activeDocument().topLevelNodes()[-1].childNodes()[0]"
    upscaled = pixels(krita, layer)
    changed = np.abs(painted - before).max(axis=2) > 30
    assert np.abs(upscaled - before)[changed].mean() < np.abs(upscaled - painted)[changed].mean() / 3
    background = "K.activeDocument().topLevelNodes()[0]"
    assert np.array_equal(pixels(krita, background), painted)
    panel.click("scumble_previews_box")


def test_it_rests_and_goes_on_and_what_was_finished_before_a_cancel_is_not_done_again(panel, krita):
    slow(panel)
    before, tree = panel.shown, panel.tree
    panel.press_refine()
    panel.wait_for("Refining: tile 3 of 9")
    panel.click("scumble_pause")
    panel.wait_for_phase("paused", 60)
    assert panel.text("scumble_pause") == "Resume"
    assert re.match(r"Paused after \d of 9 tiles\.", panel.said), panel.said
    rested = panel.said
    time.sleep(2)
    assert panel.said == rested
    panel.click("scumble_pause")
    krita.wait("P.runner.runs[-1].state.phase == 'running'", 30)
    panel.wait_for("Refining")
    panel.click("scumble_cancel")
    panel.wait_for_phase("offered", 60)
    assert "continue, or discard" in panel.said
    assert (panel.shown, panel.tree) == (before, tree)
    finished = panel.tiles_on_the_disk()
    assert 2 <= len(finished) < 10
    panel.click("scumble_continue")
    panel.wait_until_done()
    now = panel.tiles_on_the_disk()
    assert {name: now.get(name) for name in finished} == finished  # none of them was written again
    assert len(now) > len(finished)
    assert len(panel.tree) == len(tree) + 1


def test_two_documents_wait_for_the_core_together_and_one_is_called_off(panel, krita):
    slow(panel)
    panel.unfold("scumble_section_queue")
    panel.press_refine()
    first = krita.run("P.watcher.seen.document")
    second = krita.home / "second.png"
    with Image.open(krita.home / "in.png") as picture:
        picture.rotate(180).save(second)
    krita.run(f"d = K.openDocument({str(second)!r}); K.activeWindow().addView(d); d.waitForDone()")
    krita.wait(f"P.watcher.seen.document not in ('', {first!r})")
    assert not krita.run("P.run_box.run is P.runner.runs[-1] and P.run_box.run.document == ''")
    panel.press_refine()
    krita.wait(f"sorted({ROWS}) == ['queued', 'running']", 30)
    assert krita.run(f"{krita.widget('scumble_queue')}.count()") >= 2
    krita.wait("'1 job before this one' in P.run_box.status.text()", 10)
    waiting = krita.run("[e.row.state for e in P.queue.entries].index('queued')")
    panel.into_sight("scumble_queue")
    where = krita.run(
        f"l = {krita.widget('scumble_queue')}\nl.scrollToItem(l.item({waiting}))\n"
        f"c = l.viewport().mapToGlobal(l.visualItemRect(l.item({waiting})).center())\nresult = [str(c.x()), str(c.y())]"
    )
    krita._xdotool("mousemove", *where, "click", "1")
    krita.wait(f"{krita.widget('scumble_queue_cancel')}.isEnabled()", 5)
    panel.click("scumble_queue_cancel")
    krita.wait("P.runner.runs[-1].state.phase == 'stopped'", 20)
    # The other goes on behind, and its document gets its layers though another is in front.
    krita.wait("P.runner.runs[-2].state.is_over", 120)
    assert krita.run("P.runner.runs[-2].state.phase") == "done"
    names = "[[n.name() for n in d.topLevelNodes()] for d in K.documents()]"
    placed = [row for row in krita.run(names) if any(name.startswith("Scumble") for name in row)]
    assert len(placed) == 1
    assert krita.run(f"[n.name() for n in K.activeDocument().topLevelNodes()] in {placed!r}") is False


def test_krita_may_be_closed_in_the_middle_and_the_result_is_placed_after(panel, krita):
    """Restarts Krita."""
    path = krita.home / "mine.kra"
    krita.run(f"d = K.activeDocument(); d.setBatchmode(True); assert d.saveAs({str(path)!r})")
    krita.run(FRESH.format(path=str(path)))
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.document == P._host.active_document()")
    slow(panel)
    panel.press_refine()
    panel.wait_for("Refining: tile 2 of 9")
    krita.quit()
    assert krita.core_pids()
    krita.start(path)
    krita.run(f"P = {krita.widget('scumble_panel')}")
    panel.roomy()
    krita.wait("P.runner.runs and P.run_box.run is not None", 20)
    krita.wait("P.runner.runs[-1].state.phase in ('offered', 'ready')", 120)
    assert krita.run(f"{SIZE} == [192, 128] and len(K.activeDocument().topLevelNodes()) == 1")
    if krita.run("P.runner.runs[-1].state.phase") == "offered":
        panel.click("scumble_continue")
        krita.wait("P.runner.runs[-1].state.phase in ('ready', 'done')", 120)
    if krita.run("P.runner.runs[-1].state.phase") == "ready":
        panel.click("scumble_place")
    panel.wait_until_done()
    assert krita.run("len(K.documents())") == 1
    assert [name[:7] for name, _ in panel.tree] == ["Backgro", "Scumble"]
    assert len(Panel(krita).tree) == 1
