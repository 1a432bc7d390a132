"""What comes back is what was sent: strength 0 at scale 1, for documents of every model and depth, through the core.

In RGB and grey to the level. Of CMYK and Lab, whose numbers don't come back from RGB even in Krita (one colour has
many mixtures of inks, and many have none in RGB), the colours: no further off than Krita's own way there and back.
"""

from __future__ import annotations

import base64

import numpy as np
import pytest
from tests.krita.panel import CHILDREN, Panel

pytestmark = pytest.mark.krita

SRGB = "sRGB-elle-V2-srgbtrc.icc"
WIDTH, HEIGHT = 96, 64
DTYPES = {"U8": np.uint8, "U16": np.uint16, "F16": np.float16, "F32": np.float32}
CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4}

MAKE = """
from PyQt5.QtCore import QByteArray
import base64
d = K.createDocument({width}, {height}, 'paper', {model!r}, {depth!r}, {profile!r}, 300.0)
n = d.topLevelNodes()[0]
n.setPixelData(QByteArray(base64.b64decode({pixels!r})), 0, 0, {width}, {height})
K.activeWindow().addView(d); d.waitForDone(); d.refreshProjection()
"""
PIXELS = """
import base64
d = K.activeDocument(); d.waitForDone()
result = base64.b64encode(d.pixelData(0, 0, {width}, {height}).data()).decode()
"""


# The same by Krita alone: there and back over RGB in floating point.
OWN = """
n2 = K.activeDocument().topLevelNodes()[0].duplicate()
n2.setColorSpace('RGBA', 'F32', {carrier!r})
n2.setColorSpace({model!r}, {depth!r}, K.activeDocument().colorProfile())
n2.setColorSpace('RGBA', 'F32', {carrier!r})
import base64
result = base64.b64encode(n2.pixelData(0, 0, {width}, {height}).data()).decode()
"""
SHOWN = """
n2 = {node}.duplicate()
n2.setColorSpace('RGBA', 'F32', {carrier!r})
import base64
result = base64.b64encode(n2.pixelData(0, 0, {width}, {height}).data()).decode()
"""


def painted(model: str, depth: str) -> np.ndarray:
    """Slopes in every channel, some of it see-through, and grain; as Krita's bytes lie."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    rng = np.random.default_rng(3)
    planes = [x / (WIDTH - 1), y / (HEIGHT - 1), (x + y) / (WIDTH + HEIGHT - 2), rng.random((HEIGHT, WIDTH))]
    alpha = np.where(x < 16, 0.5, 1.0)
    values = np.stack([*planes[: CHANNELS[model] - 1], alpha], axis=2)
    if DTYPES[depth] in (np.uint8, np.uint16):
        return np.round(values * np.iinfo(DTYPES[depth]).max).astype(DTYPES[depth])
    return values.astype(DTYPES[depth])


@pytest.mark.parametrize(
    ("model", "depth", "profile", "levels"),
    [
        ("RGBA", "U8", SRGB, 1),
        ("RGBA", "U8", "ClayRGB-elle-V2-g22.icc", 1),
        ("RGBA", "U16", SRGB, 1),
        ("RGBA", "U16", "Rec2020-elle-V4-g10.icc", 1),
        ("RGBA", "F16", "", 1),
        ("RGBA", "F32", "", 1),
        ("GRAYA", "U8", "", 1),
        ("GRAYA", "U16", "", 1),
        ("GRAYA", "F32", "", 1),
        ("CMYKA", "U8", "", None),
        ("LABA", "U16", "", None),
    ],
)
def test_strength_0_at_scale_1_gives_back_the_same_pixels(krita, model, depth, profile, levels):
    panel = Panel(krita)
    pixels = painted(model, depth)
    krita.run(
        MAKE.format(
            width=WIDTH, height=HEIGHT, model=model, depth=depth, profile=profile,
            pixels=base64.b64encode(pixels.tobytes()).decode(),
        )
    )  # fmt: skip
    read = PIXELS.format(width=WIDTH, height=HEIGHT)
    before = np.frombuffer(base64.b64decode(krita.run(read)), DTYPES[depth])
    panel.choose("scumble_destination", "keep")
    panel.choose("scumble_upscaler", "none")
    panel.set("scumble_scale", 1.0)
    krita.run(f"{krita.widget('scumble_strength')}.show_exact(0)\nP.form.amount._edited()")
    krita.wait(f"P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == {WIDTH}")
    panel.press_refine()
    panel.wait_until_done()
    krita.run("for node in K.activeDocument().topLevelNodes()[:-1]:\n    node.setVisible(False)")
    krita.run(
        f"{CHILDREN}[0].setVisible(False); {CHILDREN}[1].setVisible(True)\nK.activeDocument().refreshProjection()"
    )
    after = np.frombuffer(base64.b64decode(krita.run(read)), DTYPES[depth])
    if levels is None:
        assert_no_further_than_krita(krita, model, depth)
        return
    if depth in ("U8", "U16"):
        error = np.abs(before.astype(int) - after.astype(int)).max()
    else:  # a level of half floats, near 1
        error = np.abs(before.astype(float) - after.astype(float)).max() / (2.0**-11)
    assert error <= levels


def assert_no_further_than_krita(krita, model: str, depth: str) -> None:
    place = {"width": WIDTH, "height": HEIGHT, "carrier": "sRGB-elle-V2-g10.icc"}

    def colours(code: str) -> np.ndarray:
        return np.frombuffer(base64.b64decode(krita.run(code)), np.float32).astype(float)

    sent = colours(SHOWN.format(node="K.activeDocument().topLevelNodes()[0]", **place))
    own = colours(OWN.format(model=model, depth=depth, **place))
    ours = colours(SHOWN.format(node=f"{CHILDREN}[1]", **place))
    level = 1 / np.iinfo(DTYPES[depth]).max
    assert np.abs(ours - sent).mean() <= np.abs(own - sent).mean() + level
    assert np.quantile(np.abs(ours - sent), 0.99) <= np.quantile(np.abs(own - sent), 0.99) + 2 * level
