"""Layers and masks that say where to refine: read in the real Krita, and set in the panel by an artist."""

from __future__ import annotations

import pytest
from tests.krita import stalls
from tests.krita.panel import CHILDREN, Panel
from tests.krita.session import KritaSession

pytestmark = pytest.mark.krita

SRGB = "sRGB-elle-V2-srgbtrc.icc"
# What an artist paints: white where more is to be refined (the right half), and red where there is moss (a corner).
PAINT = """
from PyQt5.QtCore import QByteArray
d = K.activeDocument()
def paint(name, colour, x, y, w, h):
    n = d.createNode(name, 'paintlayer')
    n.setPixelData(QByteArray(bytes(colour) * (w * h)), x, y, w, h)
    d.rootNode().addChildNode(n, None)
    return n
paint('Moss', (20, 20, 220, 255), 10, 10, 60, 60)
paint('More', (255, 255, 255, 255), 96, 0, 96, 128)
d.waitForDone()
"""
COMPARE = f"""
u, r = [c.pixelData(0, 0, 192, 128).data() for c in {CHILDREN}]
change = [abs(u[at] - r[at]) for at in range(len(u)) if at % 4 < 3]
left = [change[(y * 192 + x) * 3 + c] for y in range(128) for x in range(64) for c in range(3)]
right = [change[(y * 192 + x) * 3 + c] for y in range(128) for x in range(128, 192) for c in range(3)]
white = sum(u[(y * 192 + x) * 4 + c] > 250 for y in range(128) for x in range(128, 192) for c in range(3))
result = [max(left), sum(right) / len(right), white / len(right)]
"""
SETUP = """
from PyQt5.QtCore import QByteArray
from krita import Selection
from scumble.host.contract import Guides, HostError, Wanted
from scumble.host.krita.document import Documents
from scumble.host.krita.profiles import Profiles
from scumble.host.krita import layers, snapshot, sources
documents, profiles = Documents(), Profiles()
for each in K.documents():
    each.setModified(False); each.close()
d = K.createDocument(80, 60, 'guides', 'RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc', 300.0)
d.setBatchmode(True)
K.activeWindow().addView(d)
ground = d.topLevelNodes()[0]
ground.setPixelData(QByteArray(bytes([90, 120, 60, 255]) * 4800), 0, 0, 80, 60)
def layer(name, model, depth, profile, pixel, box=(8, 4, 30, 20)):
    n = d.createNode(name, 'paintlayer')
    if (model, depth) != ('RGBA', 'U8'):
        n.setColorSpace(model, depth, profile)
    n.setPixelData(QByteArray(bytes(pixel) * (box[2] * box[3])), *box)
    d.rootNode().addChildNode(n, None)
    return n
"""
# The mask inside of what was painted, and how much there is outside of it.
READ = """
s = meter.value
def values(mask):
    data = b''.join(mask.read(at, 1000) for at in range(0, 4800, 1000))
    inside = {data[y * 80 + x] for y in range(4, 24) for x in range(8, 38)}
    outside = sum(data) - sum(data[y * 80 + x] for y in range(4, 24) for x in range(8, 38))
    return [sorted(inside), outside, len(data)]
result = [values(s.strength)] + [values(each) for each in s.regions]
s.release()
"""
LAYERS = {
    "white": ("RGBA", "U8", SRGB, [255, 255, 255, 255], 255, 255),
    "grey": ("RGBA", "U8", SRGB, [128, 128, 128, 255], 128, 255),
    "thin white": ("RGBA", "U8", SRGB, [255, 255, 255, 51], 51, 51),
    "black": ("RGBA", "U8", SRGB, [0, 0, 0, 255], 0, 255),
    "16 bits": ("RGBA", "U16", SRGB, [0, 128] * 3 + [255, 255], 128, 255),
    "grey model": ("GRAYA", "U8", "Gray-D50-elle-V2-srgbtrc.icc", [77, 255], 77, 255),
    "float": ("RGBA", "F32", SRGB, [0, 0, 128, 63] * 3 + [0, 0, 0, 63], 128, 128),
}


@pytest.fixture
def document(krita: KritaSession) -> KritaSession:
    """An open document of 80 x 60, and the meter that drives steps."""
    stalls.install(krita)
    krita.run(SETUP)
    return krita


def take(krita: KritaSession, wanted: str) -> None:
    stalls.finish(krita, f"snapshot.guarded(snapshot.take(documents, profiles, {wanted}))")
    assert krita.run("repr(meter.error)") == "None"


def test_a_layers_brightness_is_its_strength_and_its_paint_a_region(document: KritaSession) -> None:
    document.run(f"made = {{name: layer(name, *row[:4]) for name, row in {LAYERS!r}.items()}}\nd.waitForDone()")
    for name, (*_kind, bright, painted) in LAYERS.items():
        document.run(f"i = layers.id_of(made[{name!r}])")
        take(document, "Wanted(guides=Guides(i, (i,), (i,)))")
        strength, region = document.run(READ)
        assert [strength[0], region[0]] == [pytest.approx([bright], abs=1), pytest.approx([painted], abs=1)], name
        assert (strength[1:], region[1:]) == ([0, 4800], [0, 4800])


def test_a_mask_counts_as_it_is_though_its_layer_is_painted_on_after_the_button_was_pressed(
    document: KritaSession,
) -> None:
    document.run(
        "from scumble.host.krita.masks import Masks\nloan = Masks().borrow()\nmask = loan.mask('Where')\n"
        "mask.setPixelData(QByteArray(bytes([200]) * 600), 8, 4, 30, 20)\n"
        "ground.addChildNode(mask, None)\nd.waitForDone()\nm = layers.id_of(mask)\n"
        "white = layer('white', 'RGBA', 'U8', '', [255] * 4)\nw = layers.id_of(white)\nd.waitForDone()"
    )
    take(document, "Wanted(guides=Guides(m, (w,)))")
    document.run("white.setPixelData(QByteArray(bytes(4 * 4800)), 0, 0, 80, 60)\nd.waitForDone()")
    assert document.run(READ) == [[[200], 0, 4800], [[255], 0, 4800]]
    document.run("loan.close()")


def test_guides_are_left_out_of_the_picture_unless_they_are_all_there_is(document: KritaSession) -> None:
    document.run(
        "white = layer('white', 'RGBA', 'U8', '', [255] * 4)\nd.waitForDone()\nw = layers.id_of(white)\n"
        "def first(s): s.read(0, 4); value = list(s.read((10 * 80 + 10) * 4, 4)); s.release(); return value"
    )
    take(document, "Wanted(guides=Guides(w, (), (w,)))")
    assert document.run("first(meter.value)") == [90, 120, 60, 255]
    take(document, "Wanted(guides=Guides(w))")
    assert document.run("first(meter.value)") == [255] * 4
    document.run("ground.setVisible(False)\nd.refreshProjection(); d.waitForDone()")
    take(document, "Wanted(guides=Guides(w, (), (w,)))")
    assert document.run("first(meter.value)") == [255] * 4


def test_what_is_gone_or_has_no_paint_of_its_own_is_said_in_one_sentence(document: KritaSession) -> None:
    document.run("g = d.createGroupLayer('Group'); d.rootNode().addChildNode(g, None)\nd.waitForDone()")
    for guides, words in (
        ("Guides('{0}')", "The layer of the strength map is gone"),
        ("Guides('', ('{0}',))", "The layer of region 1 is gone"),
        ("Guides('', (layers.id_of(ground), ''))", "Region 2 has no layer yet"),
        ("Guides(layers.id_of(g))", "“Group” has no paint of its own"),
    ):
        assert words in document.run(f"sources.unavailable(documents, Wanted(guides={guides}))")


def test_an_artist_refines_the_right_half_alone_by_a_strength_map(panel: Panel, krita: KritaSession) -> None:
    krita.run(PAINT)
    panel.choose("scumble_destination", "keep")
    panel.set("scumble_scale", 1.0)
    panel.set("scumble_strength", 50)
    krita.wait("any(layer.title == 'More' for layer in P.watcher.seen.layers)", 10)
    panel.unfold("scumble_section_guides")
    panel.click("scumble_strength_map")
    panel.keys("Down", "Return")
    krita.wait("P.form.settings.strength_map", 5)
    panel.click("scumble_region_add")
    panel.keys("Down")  # from the uppermost layer, which is the map, to the moss
    panel.keys("Tab", "Tab", "m", "o", "s", "s")
    krita.wait("[r.prompt for r in P.form.settings.regions] == ['moss']", 5)
    assert panel.value("[n.name() for n in K.activeDocument().topLevelNodes()][-2:]") == ["Moss", "More"]
    names = "{n.uniqueId().toString(): n.name() for n in K.activeDocument().topLevelNodes()}"
    assert panel.value(f"[{names}[S.strength_map], {names}[S.regions[0].layer]]") == ["More", "Moss"]
    panel.press_refine()
    panel.wait_until_done()
    most_left, mean_right, white = krita.run(COMPARE)
    assert most_left <= 1  # dither
    assert mean_right > 1.5
    assert white < 0.05  # the map itself was not in the picture
    krita.run("[n for n in K.activeDocument().topLevelNodes() if n.name() == 'More'][0].remove()")
    krita.wait(f"'strength map is gone' in {krita.widget('scumble_refine')}.toolTip()", 10)
    assert not krita.run(f"{krita.widget('scumble_refine')}.isEnabled()")


def test_local_selections_and_filter_masks_say_where_too(document: KritaSession) -> None:
    document.run(
        "s = Selection(); s.select(8, 4, 30, 20, 180)\n"
        "local = d.createSelectionMask('Local'); local.setSelection(s); d.rootNode().addChildNode(local, None)\n"
        "blur = d.createFilterMask('Blur', K.filter('blur'), s); ground.addChildNode(blur, None)\n"
        "d.waitForDone()\nl, b = layers.id_of(local), layers.id_of(blur)"
    )
    assert {"Local", "Blur"} <= set(document.run("[c.title for c in layers.choices(d) if c.is_guide]"))
    take(document, "Wanted(guides=Guides(l, (b,), (l, b)))")
    assert document.run(READ) == [[[180], 0, 4800]] * 2


LARGE = """
large = K.createDocument(8192, 8192, 'large', 'RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc', 300.0)
large.setBatchmode(True)
for name in ('picture', 'map'):
    n = large.createNode(name, 'paintlayer')
    for top in range(0, 8192, 64):
        n.setPixelData(QByteArray(bytes(range(256)) * (8192 * 4 * 64 // 256)), 0, top, 8192, 64)
    n.setVisible(name == 'picture')
    large.rootNode().addChildNode(n, None)
m = layers.id_of(n)
K.activeWindow().addView(large)

from scumble.runs.source import MASK_PIECE

def take_it():
    global s
    s = yield from snapshot.take(documents, profiles, Wanted(guides=Guides(m, (m,), (m,))))

def read_it():
    for at in range(0, s.header.total_bytes, 1 << 20):
        s.read(at, 1 << 20)
        yield
    for mask in (s.strength, *s.regions):
        for at in range(0, 8192 * 8192, MASK_PIECE):
            mask.read(at, MASK_PIECE)
            yield
    s.release()
"""


@pytest.mark.all
def test_masks_of_8192_by_8192_pixels_hardly_stop_the_event_loop(document: KritaSession) -> None:
    """The best of some runs counts: other programs may take the processor away at any time."""
    document.run(LARGE)
    document.wait("K.activeDocument() is not None and K.activeDocument().width() == 8192")
    taken: list[stalls.Stalls] = []
    read: list[stalls.Stalls] = []
    while len(read) < 20 and (len(read) < 3 or max(quietest(taken).longest, quietest(read).longest) > 50):
        taken.append(driven(document, "take_it()"))
        read.append(driven(document, "read_it()"))
    told = (
        f"the 3 quietest of {len(read)} runs: taken: {quietest(taken)}; picture, map and region read: {quietest(read)}"
    )
    print(told)
    assert quietest(taken).longest <= 50, told  # Krita copies a document in one piece
    assert quietest(read).longest <= 50 and quietest(read).p99 <= 25, told


def driven(document: KritaSession, steps: str) -> stalls.Stalls:
    found = stalls.finish(document, steps, budget=0)
    assert document.run("repr(meter.error)") == "None"
    return found


def quietest(runs: list[stalls.Stalls]) -> stalls.Stalls:
    return stalls.together(sorted(runs, key=lambda run: run.longest)[:3])
