"""Scumble's own results in the real Krita: left out of what is sent, unless they are what is wanted."""

from __future__ import annotations

import numpy as np
import pytest
from tests.krita.reading.reader import PLACED, TREE, decoded

pytestmark = pytest.mark.krita


@pytest.mark.parametrize("parent", ["None", "inner"])
@pytest.mark.parametrize("wanted", ["Wanted()", "Wanted('selection')"])
def test_scumbles_results_are_left_out_of_what_is_sent_whatever_they_are_called(reader, parent, wanted):
    reader.run(PLACED % parent)
    reader.run("s = Selection(); s.select(60, 30, 100, 100, 255); d.setSelection(s); d.setModified(False)")
    before, tree = reader.run("shown(d)"), reader.run(TREE)
    taken = reader.take(wanted)
    assert (reader.run("shown(d)"), reader.run(TREE), reader.run("d.modified()")) == (before, tree, False)
    reader.run("g.setVisible(False); d.refreshProjection()")
    x, y, width, height = taken["box"]
    expected = decoded(reader.run("shown(d)"), "u8", (200, 300, 4))[y : y + height, x : x + width]
    np.testing.assert_array_equal(taken.pixels, expected)
    assert (expected != decoded(before, "u8", (200, 300, 4))[y : y + height, x : x + width]).any()


@pytest.mark.parametrize("name", ["my refined layer", "other"])
def test_loose_results_are_left_out_too(reader, name):
    reader.run(
        "d = document(300, 200)\nlayer(d, 'below', flat((10, 20, 30, 255), 300, 200))\n"
        f"fine = layer(d, {name!r}, flat((0, 0, 255, 255), 200, 150), (50, 25, 200, 150))\n"
        "over = layer(d, 'over', flat((255, 255, 255, 100), 300, 50), (0, 0, 300, 50)); d.refreshProjection()\n"
        "d.setAnnotation('scumble/layers', '', QByteArray(json.dumps([layers.id_of(fine)]).encode()))"
    )
    taken = reader.take()
    reader.run("fine.setVisible(False); d.refreshProjection()")
    np.testing.assert_array_equal(taken.pixels, decoded(reader.run("shown(d)"), "u8", (200, 300, 4)))


def test_without_a_note_the_groups_name_tells_and_over_one_plain_layer_too(reader):
    reader.run((PLACED % "None").replace("my best refinement", "Scumble 2x"))
    reader.run("d.removeAnnotation('scumble/layers'); inner.setVisible(False); soft.setVisible(False)")
    reader.run("d.refreshProjection()")
    taken = reader.take()
    assert np.unique(taken.pixels.reshape(-1, 4), axis=0).tolist() == [[10, 20, 30, 255]]


def test_what_the_artist_painted_into_scumbles_group_is_sent(reader):
    reader.run(PLACED % "None")
    reader.run("own = layer(d, 'own', flat((7, 7, 7, 255), 20, 20), (120, 80, 20, 20), g); d.refreshProjection()")
    taken = reader.take()
    assert taken.pixels[90, 130].tolist() == [7, 7, 7, 255]
    assert taken.pixels[90, 110].tolist() == [10, 20, 30, 255]


def test_where_nothing_else_is_seen_scumbles_result_is_the_picture(reader):
    reader.run(PLACED % "None")
    reader.run("[n.setVisible(False) for n in (below, inner, soft)]; d.refreshProjection()")
    assert reader.take().pixels[100, 100].tolist() == [0, 0, 255, 255]


def test_scumbles_group_or_layer_can_be_chosen_to_be_refined_again(reader):
    reader.run(PLACED % "None")
    assert reader.take("Wanted('layer', layers.id_of(g))").pixels[100, 100].tolist() == [0, 0, 255, 255]
    assert reader.take("Wanted('layer', layers.id_of(up))").pixels[100, 100].tolist() == [0, 255, 0, 255]
