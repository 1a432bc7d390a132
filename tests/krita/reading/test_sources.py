"""Sources in the real Krita: what is sent of a selection, a layer, a group, and of layers of other kinds."""

from __future__ import annotations

import numpy as np
import pytest
from tests.krita.reading.reader import SRGB, decoded, noise

pytestmark = pytest.mark.krita


def test_a_selection_is_sent_with_its_soft_edge_and_with_what_is_around_it(reader):
    reader.run(
        f"d = document(400, 300)\nlayer(d, 'noise', {noise(40, 30, 4, 'U8')}, (190, 140, 40, 30))\n"
        "s = Selection(); s.select(200, 150, 20, 10, 255); s.feather(3); d.setSelection(s)"
    )
    taken = reader.take("Wanted('selection')")
    x, y, width, height = taken["box"]
    assert (x % 8, y % 8) == (0, 0)
    left, top, wide, high = taken["selected"]
    assert x + 64 <= left + 8
    assert left < 200
    assert (left + wide, top + high) <= (x + width, y + height)
    mask = np.frombuffer(taken.selection, np.uint8).reshape(height, width)
    own = reader.run("base64.b64encode(d.selection().pixelData(0, 0, 400, 300).data()).decode()")
    np.testing.assert_array_equal(mask, decoded(own, "u8", (300, 400))[y : y + height, x : x + width])
    assert len(np.unique(mask)) > 4
    shown = decoded(reader.run("shown(d)"), "u8", (300, 400, 4))
    np.testing.assert_array_equal(taken.pixels, shown[y : y + height, x : x + width])


def test_one_selected_pixel_and_a_selection_beyond_the_canvas_are_sent(reader):
    reader.run("d = document(300, 200)\nlayer(d, 'flat', flat((1, 2, 3, 255), 300, 200))")
    reader.run("s = Selection(); s.select(299, 199, 1, 1, 255); d.setSelection(s)")
    taken = reader.take("Wanted('selection')")
    assert taken["selected"] == [299, 199, 1, 1]
    assert np.frombuffer(taken.selection, np.uint8).sum() == 255
    reader.run("s = Selection(); s.select(-50, -50, 100, 100, 255); d.setSelection(s)")
    assert reader.take("Wanted('selection')")["selected"] == [0, 0, 50, 50]
    reader.run("s = Selection(); s.select(0, 0, 300, 200, 255); d.setSelection(s)")
    taken = reader.take("Wanted('selection')")
    assert (taken["box"], taken.selection) == ([0, 0, 300, 200], None)


def test_a_layer_or_group_is_sent_by_itself_with_its_masks_and_what_else_is_hidden_stays_out(reader):
    reader.run(
        "d = document(40, 30)\nlayer(d, 'below', flat((9, 9, 9, 255), 40, 30))\n"
        "g = layer(d, 'group', kind='grouplayer')\n"
        "a = layer(d, 'a', flat((50, 60, 70, 255), 40, 10), (0, 0, 40, 10), g)\n"
        "b = layer(d, 'b', flat((80, 90, 100, 255), 40, 20), (0, 10, 40, 20), g)\n"
        "c = layer(d, 'hidden', flat((200, 200, 200, 255), 40, 30), None, g); c.setVisible(False)\n"
        "top = layer(d, 'top, hidden', flat((255, 0, 255, 255), 40, 30)); top.setVisible(False)\n"
        "d.refreshProjection()"
    )
    choices = reader.run("[[c.title, c.level] for c in layers.choices(d)]")
    assert choices == [["top, hidden", 0], ["group", 0], ["hidden", 1], ["b", 1], ["a", 1], ["below", 0]]
    group = reader.take("Wanted('layer', layers.id_of(g))")
    expected = np.zeros((30, 40, 4), np.uint8)
    expected[:10], expected[10:] = (50, 60, 70, 255), (80, 90, 100, 255)
    np.testing.assert_array_equal(group.pixels, expected)
    assert group["layer"] == reader.run("layers.id_of(g)")
    alone = reader.take("Wanted('layer', layers.id_of(a))")
    expected[10:] = 0
    np.testing.assert_array_equal(alone.pixels, expected)
    reader.run("d.setActiveNode(a)")
    reader.krita.wait("d.activeNode().name() == 'a'")
    np.testing.assert_array_equal(reader.take("Wanted('layer')").pixels, expected)
    assert reader.take().pixels[0, 0].tolist() == [50, 60, 70, 255]


def test_a_layer_with_colours_of_its_own_travels_in_these(reader):
    reader.run(
        f"d = document(20, 10, 'CMYKA', 'U8', 'Chemical proof')\nn = d.createNode('rgb', 'paintlayer')\n"
        f"n.setColorSpace('RGBA', 'U16', {SRGB!r})\n"
        f"n.setPixelData(QByteArray({noise(20, 10, 4, 'U16')}), 0, 0, 20, 10)\nd.rootNode().addChildNode(n, None)"
    )
    taken = reader.take("Wanted('layer', layers.id_of(n))")
    assert (taken["depth"], taken.profile) == ("u16", b"")
    own = reader.run("base64.b64encode(n.pixelData(0, 0, 20, 10).data()).decode()")
    np.testing.assert_array_equal(taken.pixels, decoded(own, "u16", (10, 20, 4)))


def test_a_layer_under_a_filter_and_fill_layers_are_sent_as_they_look(reader):
    reader.run(
        "d = document(60, 40)\nbelow = layer(d, 'below', flat((0, 0, 0, 255), 60, 40))\n"
        "mask = d.createFilterMask('mask', K.filter('invert'), below); below.addChildNode(mask, None)\n"
        'red = (\'<!DOCTYPE color><color channeldepth="U8"><sRGB r="1" g="0" b="0" \'\n'
        "       'space=\"sRGB-elle-V2-srgbtrc.icc\"/></color>')\n"
        "info = krita.InfoObject(); info.setProperty('color', red)\n"
        "fill = d.createFillLayer('fill', 'color', info, Selection()); d.rootNode().addChildNode(fill, None)\n"
        "fill.setVisible(False); d.refreshProjection(); d.waitForDone()"
    )
    taken = reader.take("Wanted('layer', layers.id_of(below))")
    assert taken.pixels[20, 20].tolist() == [255, 255, 255, 255]
    assert reader.take().pixels[20, 20].tolist() == [255, 255, 255, 255]
    reader.run("fill.setVisible(True); d.refreshProjection(); d.waitForDone()")
    kind = reader.take("Wanted('layer', layers.id_of(fill))")
    own = decoded(
        reader.run("base64.b64encode(fill.projectionPixelData(0, 0, 60, 40).data()).decode()"), "u8", (40, 60, 4)
    )
    np.testing.assert_array_equal(kind.pixels, own)


def test_vector_and_clone_layers_are_sent_as_they_look(reader):
    reader.run(
        "d = document(60, 40)\nbelow = layer(d, 'below', flat((10, 20, 30, 255), 30, 40), (0, 0, 30, 40))\n"
        "v = d.createVectorLayer('vector'); d.rootNode().addChildNode(v, None)\n"
        'v.addShapesFromSvg(\'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40">\'\n'
        '                   \'<rect x="2" y="2" width="20" height="20" fill="#ff0000"/></svg>\')\n'
        "c = d.createCloneLayer('clone', below); d.rootNode().addChildNode(c, None); d.refreshProjection()"
    )
    look = "base64.b64encode({0}.projectionPixelData(0, 0, 60, 40).data()).decode()"
    reader.krita.wait("any(v.projectionPixelData(0, 0, 60, 40).data())")
    for name in ("v", "c"):
        taken = reader.take(f"Wanted('layer', layers.id_of({name}))")
        own = decoded(reader.run(look.format(name)), "u8", (40, 60, 4))
        assert own.any()
        np.testing.assert_array_equal(taken.pixels, own)


def test_an_animation_is_sent_as_the_current_frame_and_says_so(reader):
    reader.run(
        "d = document(30, 20)\nn = layer(d, 'moving', flat((5, 6, 7, 255), 30, 20)); n.enableAnimation()\n"
        "d.refreshProjection()"
    )
    assert ", frame 0" in reader.run("sources.offer(documents, Wanted()).kind")
    assert reader.take().pixels[5, 5].tolist() == [5, 6, 7, 255]
    assert reader.take("Wanted('layer', layers.id_of(n))").pixels[5, 5].tolist() == [5, 6, 7, 255]


def test_a_canvas_of_30000_pixels_is_read_in_bands(reader):
    reader.run(
        "d = document(30000, 30000, view=False)\n"
        "layer(d, 'a', flat((5, 6, 7, 255), 300, 300), (29700, 29700, 300, 300))"
    )
    reader.run("taking = snapshot.take\nk = documents.key(d)\nchosen = sources.choose(documents, Wanted(), d)")
    reader.run("s = snapshot.hold(chosen)")
    reader.steps("s.prepare(profiles, d)")
    assert reader.run("s.header.total_bytes") == 30000 * 30000 * 4
    assert reader.run("list(s.read(s.header.total_bytes - 8, 8))") == [5, 6, 7, 255] * 2
    assert reader.run("sorted(set(s.read(10**9, 1 << 20)))") == [0]
    reader.run("s.release(); d.setModified(False); d.close()")


def test_looking_at_layers_keeps_none_of_them_in_memory(reader):
    reader.run("d = document(50, 50)\nlayer(d, 'a', flat((5, 6, 7, 255), 50, 50))")
    owned = reader.run("from PyQt5 import sip\nresult = [sip.ispyowned(n) for n in layers.children(d.rootNode())]")
    assert owned == [True]
