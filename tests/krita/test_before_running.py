"""Before a run in the real Krita: what it would take, where the tiles lie, and one tile as a trial."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.krita

CANVAS = """
from PyQt5.QtCore import QPoint
w = P.drawing._overlay._follower.view.widget
corner = w.mapToGlobal(QPoint(0, 0))
result = [corner.x(), corner.y(), w.width(), w.height()]
"""
MODIFIED = "[K.activeDocument().modified(), K.action('edit_undo').isEnabled()]"
SHOWN_IN_DOCKER = """
import hashlib
i = P.run_box.preview.image
result = [P.run_box.preview.isVisible(), i.width(), hashlib.sha256(i.bits().asstring(i.sizeInBytes())).hexdigest()]
"""


def white_share(panel, krita):
    """How much of the canvas is pure white: grid lines are, and nothing in the picture."""
    krita._xdotool("mousemove", "1500", "60")
    krita.run("P.drawing._overlay.follow()")
    x, y, width, height = krita.run(CANVAS)
    path = krita.home / "canvas.png"
    krita.screenshot(path)
    canvas = np.asarray(Image.open(path).convert("RGB"))[y : y + height, x : x + width]
    return float((canvas == 255).all(axis=2).mean())


@pytest.fixture
def estimated(panel, krita):
    """With a core that runs, as after the first run or Start."""
    krita.run("P.core.ensure()")
    krita.wait("P.estimator.estimate is not None and '384 × 256' in P.estimate.text()", 60)
    return panel


def test_size_tiles_memory_and_time_are_told_and_follow_what_is_set(estimated, krita):
    panel = estimated
    said = panel.text("scumble_estimate")
    assert "384 × 256" in said
    assert all(word in said for word in ("MP", "1 tile", "of memory", "about")), said
    panel.click("scumble_scale_4")
    krita.wait("'768 × 512' in P.estimate.text()", 10)
    panel.write("scumble_scale", "3")
    panel.keys("Tab")
    krita.wait("'576 × 384' in P.estimate.text()", 10)
    panel.click("scumble_scale_2")
    panel.unfold("scumble_section_expert")
    panel.write("scumble_tile_size", "128")
    panel.keys("Tab")
    krita.wait("'9 tiles' in P.estimate.text()", 10)
    assert krita.run("P.estimate.isVisible()")


def test_the_tile_grid_shows_over_the_canvas_and_not_in_the_document(estimated, krita):
    panel = estimated
    panel.in_tiles()
    krita.wait("P.estimator.estimate.tiles == 9", 10)
    before, state = panel.shown, krita.run(MODIFIED)
    plain = white_share(panel, krita)
    panel.unfold("scumble_section_tiles")
    panel.click("scumble_tile_grid_box")
    krita.wait("K.action('scumble_tile_grid').isChecked()", 5)
    krita.wait(f"{krita.widget('scumble_overlay')} is not None", 5)
    assert white_share(panel, krita) > plain + 0.002
    assert panel.shown == before
    assert krita.run(MODIFIED) == state
    path = krita.home / "grid.kra"
    krita.run(f"d = K.activeDocument(); d.setBatchmode(True); assert d.exportImage({str(path)!r}, krita.InfoObject())")
    with zipfile.ZipFile(path) as archive, archive.open("mergedimage.png") as stream:
        saved = np.asarray(Image.open(stream).convert("RGB"))
    with Image.open(krita.home / "in.png") as picture:
        assert np.array_equal(saved, np.asarray(picture.convert("RGB")))
    panel.shortcut("ctrl+alt+shift+g")
    krita.wait(f"not {krita.widget('scumble_tile_grid_box')}.isChecked()", 5)
    assert not krita.run("K.action('scumble_tile_grid').isChecked()")
    assert white_share(panel, krita) == pytest.approx(plain, abs=0.0005)
    panel.shortcut("ctrl+alt+shift+g")
    krita.wait(f"{krita.widget('scumble_tile_grid_box')}.isChecked()", 5)
    panel.click("scumble_tile_grid_box")
    krita.wait("not K.action('scumble_tile_grid').isChecked()", 5)


def test_one_tile_is_tried_at_the_pointer_and_placed_or_thrown_away(estimated, krita):
    panel = estimated
    panel.in_tiles()
    panel.choose("scumble_destination", "keep")
    krita.wait("P.estimator.estimate.tiles == 9", 10)
    before, tree, state = panel.shown, panel.tree, krita.run(MODIFIED)
    panel.point_at(170, 110)
    with panel.a_new_run():
        panel.shortcut("ctrl+alt+shift+t")
    panel.wait_for_phase("ready")
    assert "place it" in panel.said
    box = panel.value("[(b := P.runner.runs[-1].asked.tile).x, b.y, b.right, b.bottom]")
    assert box[0] <= 170 < box[2] <= 192
    assert box[1] <= 110 < box[3] <= 128
    assert box[0] > 60
    assert (panel.shown, panel.tree, krita.run(MODIFIED)) == (before, tree, state)
    visible, width, after = krita.run(SHOWN_IN_DOCKER)
    assert visible
    assert width > 1
    place = krita.run("w = P.run_box.preview; c = w.mapToGlobal(w.rect().center()); result = [str(c.x()), str(c.y())]")
    krita._xdotool("mousemove", *place, "mousedown", "1")
    krita.wait("P.run_box.preview.shows_before", 5)
    assert krita.run(SHOWN_IN_DOCKER)[2] != after
    krita._xdotool("mouseup", "1")
    krita.wait("not P.run_box.preview.shows_before", 5)
    assert krita.run(SHOWN_IN_DOCKER)[2] == after
    panel.click("scumble_discard")
    panel.wait_for_phase("stopped", 5)
    assert (panel.shown, panel.tree, krita.run(MODIFIED)) == (before, tree, state)
    panel.point_at(20, 20)
    with panel.a_new_run():
        panel.choose_in_menu("scumble_refine_more", "Test one tile")
    panel.wait_for_phase("ready")
    panel.click("scumble_place")
    panel.wait_until_done()
    assert len(panel.tree) == len(tree) + 1
    bounds = krita.run(
        "b = K.activeDocument().topLevelNodes()[-1].childNodes()[-1].bounds()\n"
        "result = [b.x(), b.y(), b.right(), b.bottom()]"
    )
    assert bounds[:2] == [0, 0]
    assert bounds[2] < 128
    assert bounds[3] < 100
    assert panel.size == [192, 128]
