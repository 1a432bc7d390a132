"""What can't be refined, or hardly, in the real Krita: one sentence, or the right thing, and never an exception."""

from __future__ import annotations

import pytest
from tests.krita.panel import SELECT

pytestmark = pytest.mark.krita

LAYER = """
d = K.activeDocument()
n = d.createNode('stroke', {kind!r})
if {kind!r} == 'paintlayer' and {painted}:
    n.setPixelData(bytes([20, 200, 40, 255]) * (64 * 48), 40, 30, 64, 48)
d.rootNode().addChildNode(n, None); d.setActiveNode(n); d.waitForDone()
"""
ALONE = "P.form.settings.source == 'layer' and K.activeDocument().activeNode().name() == 'stroke'"


def layer(panel, krita, kind="paintlayer", painted=True):
    """Alone the source; results go back to the document's own size."""
    krita.run(LAYER.format(kind=kind, painted=painted))
    panel.choose("scumble_source", "layer")
    panel.choose("scumble_destination", "keep")
    krita.wait(ALONE, 5)


def refused(panel, krita):
    """The sentence that stands in the panel while Refine can't be pressed."""
    krita.wait(f"not {krita.widget('scumble_refine')}.isEnabled()", 10)
    # Both at one moment: the panel looks again all the while.
    said, tip = krita.run(f"[{krita.widget('scumble_status')}.text(), {krita.widget('scumble_refine')}.toolTip()]")
    assert said
    assert said == tip
    assert said.count(".") <= 2
    return said


def test_a_locked_layer_is_read_and_stays_as_it_is(panel, krita):
    layer(panel, krita)
    krita.run("K.activeDocument().activeNode().setLocked(True)")
    panel.press_refine()
    panel.wait_until_done()
    assert krita.run("[n.name() for n in K.activeDocument().topLevelNodes()]")[1] == "stroke"
    assert krita.run("K.activeDocument().topLevelNodes()[1].locked()")
    assert len(panel.tree) == 3


@pytest.mark.parametrize("kind", ["paintlayer", "grouplayer"])
def test_an_empty_layer_or_group_is_refused_with_the_reason(panel, krita, kind):
    tree = len(panel.tree)
    layer(panel, krita, kind, painted=False)
    assert "stroke" in refused(panel, krita)
    assert len(panel.tree) == tree + 1


def test_a_hidden_layer_is_refused_with_the_reason(panel, krita):
    layer(panel, krita)
    krita.run("n = K.activeDocument().activeNode(); n.setVisible(False); K.activeDocument().refreshProjection()")
    assert "“stroke” is hidden" in refused(panel, krita)


def test_an_empty_vector_layer_is_refused_with_the_reason(panel, krita):
    layer(panel, krita, "vectorlayer")
    assert "stroke" in refused(panel, krita)


def test_a_selection_of_one_pixel_is_refined(panel, krita):
    panel.choose("scumble_source", "selection")
    krita.run(SELECT.format(100, 60, 1, 1))
    krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.selected is not None", 10)
    panel.press_refine()
    panel.wait_until_done()
    assert panel.size == [192, 128]
    assert any(name.startswith("Scumble") for name, _ in panel.tree)


def test_a_selection_wholly_outside_is_refused_with_the_reason(panel, krita):
    panel.choose("scumble_source", "selection")
    krita.run(SELECT.format(400, 300, 50, 40))
    assert "elect" in refused(panel, krita)


def test_without_a_document_every_action_says_one_sentence_or_nothing(panel, krita):
    krita.run("for d in K.documents():\n    d.setModified(False); d.close()")
    krita.wait("K.activeDocument() is None")
    assert refused(panel, krita) == "Open or create a document first."
    assert not krita.run("P.form.source.thumbnail.isVisible()")
    assert not krita.run("P.estimate.isVisible() and P.estimate.text() != ''")
    runs = krita.run("len(P.runner.runs)")
    for name in (
        "scumble_refine", "scumble_refine_selection", "scumble_test_tile", "scumble_redo_tile", "scumble_tile_grid",
        "scumble_before_after", "scumble_pause", "scumble_cancel", "scumble_show_docker",
    ):  # fmt: skip
        krita.run(f"K.action({name!r}).trigger()")
        krita.check()
    krita.wait("all(run.state.is_over for run in P.runner.runs)", 10)
    assert krita.run("len(K.documents())") == 0
    assert krita.run("len(P.runner.runs)") <= runs + 2
    krita.run("K.action('scumble_tile_grid').trigger()")
