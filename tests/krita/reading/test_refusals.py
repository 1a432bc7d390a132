"""What can't be sent from the real Krita has its sentence."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.krita


def test_each_thing_that_cannot_be_sent_has_its_sentence(reader):
    assert "Open or create a document" in reader.run("why(Wanted())")
    assert "Open or create a document" in reader.refused()
    reader.run("d = document(100, 80)")
    assert "Nothing is to be seen" in reader.run("why(Wanted())")
    reader.run(
        "below = layer(d, 'below', flat((9, 9, 9, 255), 100, 80))\nempty = layer(d, 'empty')\n"
        "hidden = layer(d, 'secret', flat((9, 9, 9, 255), 100, 80)); hidden.setVisible(False)\n"
        "g = layer(d, 'folder', kind='grouplayer')\n"
        "far = layer(d, 'far', flat((9, 9, 9, 255), 10, 10), (500, 500, 10, 10))\n"
        "effect = d.createFilterLayer('blur', K.filter('blur'), Selection()); d.rootNode().addChildNode(effect, None)\n"
        "mask = d.createFilterMask('mask', K.filter('invert'), below); below.addChildNode(mask, None)\n"
        "locked = layer(d, 'locked', flat((9, 9, 9, 255), 100, 80)); locked.setLocked(True)\n"
        "through = layer(d, 'through', kind='grouplayer'); through.setPassThroughMode(True)\n"
        "layer(d, 'in it', flat((9, 9, 9, 255), 100, 80), None, through); d.refreshProjection()"
    )
    by_id = "why(Wanted('layer', layers.id_of({0})))"
    assert reader.run("why(Wanted())") == ""
    assert "“empty” has nothing on the canvas" in reader.run(by_id.format("empty"))
    assert "“secret” is hidden" in reader.run(by_id.format("hidden"))
    assert "“folder” has nothing" in reader.run(by_id.format("g"))
    assert "“far” has nothing" in reader.run(by_id.format("far"))
    assert "“blur” has no picture of its own" in reader.run(by_id.format("effect"))
    assert "“mask” is a mask" in reader.run(by_id.format("mask"))
    assert "“through” passes" in reader.run(by_id.format("through"))
    assert reader.run(by_id.format("locked")) == ""
    assert "gone" in reader.run("why(Wanted('layer', '{12345678-0000-0000-0000-000000000000}'))")
    assert "Select a part" in reader.run("why(Wanted('selection'))")
    reader.run("s = Selection(); s.select(500, 500, 10, 10, 255); d.setSelection(s)")
    assert "outside of the canvas" in reader.run("why(Wanted('selection'))")
    assert "outside of the canvas" in reader.refused("Wanted('selection')")
