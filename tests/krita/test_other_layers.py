"""File, vector and clone layers, and frames of an animation, refined through the panel in the real Krita."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.krita.panel import CHILDREN, SELECT, SIZE

pytestmark = pytest.mark.krita

# A group of three: a file to the left, a shape in the middle, and to the right a clone of a stroke that is hidden.
KINDS = """
d = K.activeDocument()
stroke = d.createNode('stroke', 'paintlayer')
stroke.setPixelData(bytes([20, 200, 40, 255]) * (48 * 96), 136, 16, 48, 96)
d.rootNode().addChildNode(stroke, None)
g = d.createGroupLayer('kinds'); d.rootNode().addChildNode(g, None)
f = d.createFileLayer('file', {path!r}, 'None'); g.addChildNode(f, None)
v = d.createVectorLayer('vector'); g.addChildNode(v, None)
v.addShapesFromSvg('<svg xmlns="http://www.w3.org/2000/svg" width="192" height="128" viewBox="0 0 192 128">'
                   '<rect x="72" y="16" width="48" height="96" fill="#ff0000"/></svg>')
c = d.createCloneLayer('clone', stroke); g.addChildNode(c, None)
stroke.setVisible(False); d.refreshProjection(); d.waitForDone()
"""
REFINED = "__import__('scumble.host.krita.layers').host.krita.layers.find(d, P.runner._made[-1].placed.refined)"
LOOK = "base64.b64encode({0}.projectionPixelData(0, 0, 192, 128).data()).decode()"


def pixels(krita, node):
    text = krita.run(f"import base64\nd = K.activeDocument(); d.waitForDone()\nresult = {LOOK.format(node)}")
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(128, 192, 4).astype(int)


@pytest.mark.parametrize("active", ["g", "f", "v", "c"])
def test_a_group_of_file_vector_and_clone_layers_and_each_of_them_is_refined(panel, krita, active):
    picture = krita.home / "file.png"
    Image.new("RGBA", (48, 96), (30, 60, 220, 255)).save(picture)
    krita.run(KINDS.format(path=str(picture)))
    krita.wait(f"len({CHILDREN}) == 3 and all(any(n.projectionPixelData(0, 0, 192, 128).data()) for n in {CHILDREN})")
    krita.run(f"d.setActiveNode({active})")
    panel.choose("scumble_source", "layer")
    panel.choose("scumble_destination", "keep")
    krita.wait(
        f"P.watcher.seen.offer is not None and P.watcher.seen.offer.target.layer == {active}.uniqueId().toString()"
    )
    sent = pixels(krita, active)
    panel.press_refine()
    panel.wait_until_done()
    refined = pixels(krita, REFINED)
    inside = sent[..., 3] == 255
    assert 1000 < inside.sum() < 192 * 128 * 0.8
    assert (refined[..., 3][~inside] < 255).all()
    assert np.abs(refined - sent)[inside].mean() < 12
    kinds = krita.run("[n.type() for n in g.childNodes()]")
    assert [kind for kind in kinds if kind != "grouplayer"] == ["filelayer", "vectorlayer", "clonelayer"]


FRAMES = """
d = K.activeDocument(); n = d.topLevelNodes()[0]; d.setActiveNode(n)
n.enableAnimation(); d.setFullClipRangeEndTime(20); d.setCurrentTime(7); d.waitForDone()
"""
PAINT = """
d = K.activeDocument(); n = d.topLevelNodes()[0]
n.setPixelData(bytes([200, 90, 30, 255]) * (192 * 128), 0, 0, 192, 128); d.refreshProjection(); d.waitForDone()
"""
PIXEL = "d = K.activeDocument(); d.waitForDone()\nresult = list(d.pixelData({0}, {1}, 1, 1).data())"


@pytest.mark.parametrize("destination", ["enlarge", "keep"])
def test_the_frame_that_is_seen_is_refined_and_the_animation_stays(panel, krita, destination):
    first = krita.run(PIXEL.format(90, 60))
    krita.run(FRAMES)
    krita.wait("K.activeDocument().activeNode().animated() and K.activeDocument().currentTime() == 7")
    krita.run("K.action('add_blank_frame').trigger()")
    krita.wait("K.activeDocument().topLevelNodes()[0].hasKeyframeAtTime(7)")
    krita.run(PAINT)
    panel.choose("scumble_destination", destination)
    krita.wait("P.watcher.seen.offer is not None and ', frame 7' in P.watcher.seen.offer.kind")
    panel.press_refine()
    panel.wait_until_done()
    assert krita.run("K.activeDocument().currentTime()") == 7
    scale = 1 if destination == "keep" else 2
    assert panel.size == [192 * scale, 128 * scale]
    refined = krita.run(f"list({CHILDREN}[1].pixelData({90 * scale}, {60 * scale}, 1, 1).data())")
    assert refined == pytest.approx([200, 90, 30, 255], abs=12)
    # Both frames are what they were, under the new layers.
    krita.run("K.activeDocument().topLevelNodes()[-1].setVisible(False); K.activeDocument().refreshProjection()")
    assert krita.run(PIXEL.format(90 * scale, 60 * scale)) == pytest.approx([200, 90, 30, 255], abs=1)
    krita.run("K.activeDocument().setCurrentTime(0)")
    krita.wait("K.activeDocument().currentTime() == 0")
    assert krita.run(PIXEL.format(90 * scale, 60 * scale)) == pytest.approx(first, abs=12)
    times = "[t for t in range(21) if K.activeDocument().topLevelNodes()[0].hasKeyframeAtTime(t)]"
    assert krita.run(times) == [0, 7]


WIDE = """
d = K.createDocument(30000, 400, 'wide', 'RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc', 300.0)
n = d.topLevelNodes()[0]
row = bytes([40, 90, 160, 255, 60, 200, 90, 255]) * 15000
n.setPixelData(row * 400, 0, 0, 30000, 400)
K.activeWindow().addView(d); d.waitForDone(); d.refreshProjection()
"""


def resident(pid):
    """MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def test_the_far_end_of_a_canvas_of_30000_pixels_is_refined(panel, krita):
    krita.run(WIDE)
    krita.wait(f"{SIZE} == [30000, 400]")
    panel.choose("scumble_source", "selection")
    krita.run(SELECT.format(29900, 340, 200, 100))
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.selected is not None")
    panel.press_refine()
    panel.wait_until_done()
    box = krita.run(f"b = {CHILDREN}[1].bounds(); result = [b.x(), b.y(), b.width(), b.height()]")
    assert box == [29900, 340, 100, 60]
    assert panel.size == [30000, 400]


@pytest.mark.all
def test_the_whole_of_a_canvas_of_30000_pixels_is_brought_there_and_back_in_little_memory(panel, krita):
    krita.run(WIDE)
    krita.wait(f"{SIZE} == [30000, 400]")
    panel.choose("scumble_destination", "keep")
    panel.choose("scumble_upscaler", "none")
    panel.set("scumble_scale", 1.0)
    krita.run(f"{krita.widget('scumble_strength')}.show_exact(0)\nP.form.amount._edited()")
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == 30000")
    before = resident(krita._krita.pid)
    panel.press_refine()
    panel.wait_until_done()
    grown = resident(krita._krita.pid) - before
    print(f"Krita has grown by {grown:.0f} MB; a layer has 48")
    assert grown < 500


def test_a_document_that_is_resized_amid_its_run_is_left_alone(panel, krita):
    panel.press_refine()
    krita.wait("P.runner.runs[-1].state.phase in ('sending', 'waiting', 'running')", 30)
    krita.run("K.activeDocument().resizeImage(0, 0, 150, 100); K.activeDocument().waitForDone()")
    tree = panel.tree
    panel.wait_until_done()
    assert "another size" in krita.run("P.runner.runs[-1].state.sentence")
    sizes = "sorted([d.width(), d.height(), len(d.topLevelNodes())] for d in K.documents())"
    assert krita.run(sizes) == [[150, 100, len(tree)], [384, 256, 1]]
