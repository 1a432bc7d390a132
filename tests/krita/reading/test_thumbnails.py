"""Thumbnails in the real Krita show what would be sent."""

from __future__ import annotations

import pytest
from tests.krita.reading.reader import PLACED, SRGB

pytestmark = pytest.mark.krita


@pytest.mark.parametrize(
    ("model", "depth", "profile"),
    [
        ("RGBA", "U8", SRGB),
        ("RGBA", "U16", "Rec2020-elle-V4-g10.icc"),
        ("RGBA", "F32", "sRGB-elle-V2-g10.icc"),
        ("GRAYA", "U8", "Gray-D50-elle-V2-g22.icc"),
        ("CMYKA", "U8", "Chemical proof"),
    ],
)
def test_a_thumbnail_shows_the_colours_of_what_would_be_sent(reader, model, depth, profile):
    reader.run(
        f"d = document(900, 600, {model!r}, {depth!r}, {profile!r})\nn = d.createNode('grey', 'paintlayer')\n"
        f"n.setColorSpace('RGBA', 'U8', {SRGB!r})\n"
        "n.setPixelData(QByteArray(flat((120, 120, 120, 255), 450, 600)), 0, 0, 450, 600)\n"
        "d.rootNode().addChildNode(n, None); d.refreshProjection()"
    )
    reader.steps("thumbnail.thumbnail(documents, Wanted(), 96)")
    assert reader.run("repr(meter.error)") == "None"
    assert reader.run("[meter.value.width(), meter.value.height()]") == [96, 64]
    colour = reader.run("list(meter.value.pixelColor(20, 30).getRgb())")
    assert colour == pytest.approx(reader.run("list(d.projection(200, 300, 1, 1).pixelColor(0, 0).getRgb())"), abs=3)
    assert reader.run("meter.value.pixelColor(80, 30).alpha()") == 0


def test_a_thumbnail_leaves_scumbles_layers_out_as_well(reader):
    reader.run(PLACED % "None")
    reader.steps("thumbnail.thumbnail(documents, Wanted(), 300)")
    assert reader.run("list(meter.value.pixelColor(150, 100).getRgb())") == [30, 20, 10, 255]
    reader.steps("thumbnail.thumbnail(documents, Wanted('layer', layers.id_of(g)), 300)")
    assert reader.run("list(meter.value.pixelColor(150, 100).getRgb())") == [255, 0, 0, 255]
