"""Placed pixels in the real Krita are the very ones, or what Krita itself would make of them."""

from __future__ import annotations

import pytest
from tests.krita.placing.paper import SRGB

pytestmark = pytest.mark.krita


@pytest.mark.parametrize(("wire", "depth"), [("u8", "U8"), ("u16", "U16"), ("f16", "F16"), ("f32", "F32")])
@pytest.mark.parametrize("profile", [SRGB, "Rec2020-elle-V4-g10.icc"])
def test_layers_hold_the_very_pixels_in_documents_of_their_kind(paper, wire, depth, profile):
    paper.fresh(f"depth={depth!r}, profile={profile!r}")
    # The profile's own bytes come from Krita's folder of profiles.
    paper.krita.run(
        "steps = Profiles().find(__import__('scumble.host.krita.colour').host.krita.colour.space_of(d))\n"
        "try:\n    while True: next(steps)\nexcept StopIteration as end: icc = end.value"
    )
    icc = "b''" if profile == SRGB else "icc"
    paper.placed(f"delivery(Picture(96, 64, {wire!r}), destination='keep', profile={icc})")
    assert paper.krita.run("[n.colorProfile() for n in [find(d, meter.value.refined)]]") == [profile]
    assert paper.krita.run(f"shown() == Picture(96, 64, {wire!r}).pixels()")


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        ("model='GRAYA', depth='U8', profile='Gray-D50-elle-V2-srgbtrc.icc'", "GRAYA"),
        ("model='GRAYA', depth='U16', profile='Gray-D50-elle-V2-srgbtrc.icc'", "GRAYA"),
    ],
)
def test_grey_comes_back_within_one_level(paper, arguments, model):
    paper.fresh(arguments)
    wire = "u8" if "U8" in arguments else "u16"
    paper.placed(f"delivery(Picture(96, 64, {wire!r}, grey=True), destination='keep')")
    assert paper.krita.run("[find(d, meter.value.refined).colorModel()]") == [model]
    worst = paper.krita.run(
        f"code = CODES[{wire!r}]\na = array(code, shown())[0::2]; b = array(code, Picture(96, 64, {wire!r}, grey=True)"
        ".pixels())[0::4]\nresult = max(abs(x - y) for x, y in zip(a, b))"
    )
    assert worst <= 1
    assert paper.krita.run("undo_text()").endswith("Add Layer")
    paper.undo()
    assert paper.tree == [["Background", []]]


@pytest.mark.parametrize(
    "arguments",
    [
        "model='CMYKA', depth='U8', profile='Chemical proof'",
        "model='GRAYA', depth='U16', profile='Gray-D50-elle-V2-srgbtrc.icc'",
        "model='LABA', depth='U16', profile='Lab identity built-in'",
    ],
)
def test_other_models_get_layers_of_their_own_kind_that_look_the_same(paper, arguments):
    paper.fresh(arguments)
    paper.placed("delivery(Picture(96, 64, 'u16'), destination='keep')")
    own = paper.krita.run("n = find(d, meter.value.refined); result = [n.colorModel(), n.colorDepth()]")
    assert own == paper.krita.run("[d.colorModel(), d.colorDepth()]")
    # Krita's own conversion of the same pixels is the measure.
    same = paper.krita.run(
        f"c = d.clone(); m = c.createNode('m', 'paintlayer'); m.setColorSpace('RGBA', 'U16', {SRGB!r})\n"
        "m.setPixelData(QByteArray(Picture(96, 64, 'u16').pixels()), 0, 0, 96, 64)\n"
        "m.setColorSpace(d.colorModel(), d.colorDepth(), d.colorProfile())\n"
        "result = m.pixelData(0, 0, 96, 64) == n.pixelData(0, 0, 96, 64); c.setModified(False); c.close()"
    )
    assert same
