"""Words for what the panel does with the host when it reads: in Krita, and about what came of it."""

from __future__ import annotations

import base64

import numpy as np
from tests.krita import stalls

SRGB = "sRGB-elle-V2-srgbtrc.icc"
NUMBERS = {"u8": np.uint8, "u16": np.uint16, "f16": np.float16, "f32": np.float32}
SETUP = """
import base64, json
from PyQt5.QtCore import QByteArray
from krita import Selection
from scumble.host.contract import HostError, Wanted
from scumble.host.krita.colour import Conversion, Space
from scumble.host.krita.document import Documents
from scumble.host.krita.profiles import Profiles
from scumble.host.krita import layers, snapshot, sources, thumbnail
documents, profiles = Documents(), Profiles()

def close_all():
    for each in K.documents():
        each.setModified(False)
        each.close()

def document(width, height, model="RGBA", depth="U8", profile="sRGB-elle-V2-srgbtrc.icc", view=True):
    d = K.createDocument(width, height, "test", model, depth, profile, 300.0)
    d.setBatchmode(True)
    for node in d.topLevelNodes():
        node.remove()
    if view:
        K.activeWindow().addView(d)
    return d

def layer(d, name, pixels=None, box=None, parent=None, kind="paintlayer"):
    node = d.createGroupLayer(name) if kind == "grouplayer" else d.createNode(name, kind)
    if pixels is not None:
        x, y, width, height = box or (0, 0, d.width(), d.height())
        assert len(pixels) % (width * height) == 0
        node.setPixelData(QByteArray(pixels), x, y, width, height)
    (parent or d.rootNode()).addChildNode(node, None)
    return node

def flat(colour, width, height):
    return bytes(colour) * (width * height)

def taken(s):
    box = s.target.box
    pixels = b"".join(s.read(at, 100_000) for at in range(0, s.header.total_bytes, 100_000))
    return {
        "size": [s.header.width, s.header.height], "depth": s.header.depth, "layout": s.header.layout,
        "profile": base64.b64encode(s.profile).decode(), "box": [box.x, box.y, box.width, box.height],
        "selected": s.target.selected and [s.target.selected.x, s.target.selected.y, s.target.selected.width,
                                           s.target.selected.height],
        "selection": None if s.selection is None else base64.b64encode(s.selection).decode(),
        "pixels": base64.b64encode(pixels).decode(), "layer": s.target.layer, "file": s.target.file,
        "key": s.target.document,
    }

def shown(d):
    return base64.b64encode(d.pixelData(0, 0, d.width(), d.height()).data()).decode()

def why(wanted):
    said = sources.unavailable(documents, wanted)
    try:
        sources.offer(documents, wanted)
    except HostError as error:
        assert str(error) == said
    else:
        assert said == ""
    return said
"""


class Reader:
    """Words for what the panel does with the host."""

    def __init__(self, krita):
        self.krita = krita
        self.run = krita.run

    def steps(self, code: str) -> stalls.Stalls:
        return stalls.finish(self.krita, code)

    def take(self, wanted: str = "Wanted()", code: str = "") -> Taken:
        """Take it, and read all of it."""
        self.steps(f"snapshot.guarded(snapshot.take(documents, profiles, {wanted}))")
        assert self.run("repr(meter.error)") == "None"
        if code:
            self.run(code)
        return Taken(self.run("s = meter.value\nresult = taken(s)\ns.release()\ns.release()"))

    def refused(self, wanted: str = "Wanted()") -> str:
        """The one sentence that taking it ends with."""
        self.steps(f"snapshot.guarded(snapshot.take(documents, profiles, {wanted}))")
        assert self.run("type(meter.error).__name__") == "HostError"
        return self.run("str(meter.error)")


class Taken:
    def __init__(self, fields: dict[str, object]) -> None:
        self.fields = fields
        self.profile = base64.b64decode(fields["profile"])
        self.selection = None if fields["selection"] is None else base64.b64decode(fields["selection"])
        width, height = fields["size"]
        raw = base64.b64decode(fields["pixels"])
        self.pixels = np.frombuffer(raw, NUMBERS[fields["depth"]]).reshape(height, width, 4)

    def __getitem__(self, name: str) -> object:
        return self.fields[name]


def noise(width: int, height: int, channels: int, depth: str, seed: int = 0) -> str:
    """An expression for reproducible pixels in Krita, which has no numpy."""
    rng = np.random.default_rng(seed)
    if depth in ("F16", "F32"):
        values = rng.uniform(-0.2, 3, (height, width, channels)).astype(NUMBERS[depth.lower()])
        values[..., -1] = rng.uniform(0, 1, (height, width))
    else:
        number = NUMBERS[depth.lower()]
        values = rng.integers(0, np.iinfo(number).max + 1, (height, width, channels)).astype(number)
    return f"base64.b64decode({base64.b64encode(values.tobytes()).decode()!r})"


def decoded(text: str, depth: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), NUMBERS[depth]).reshape(shape)


# A picture with Scumble's own layers in it; where their group lies is to be filled in.
PLACED = """
d = document(300, 200)
below = layer(d, 'below', flat((10, 20, 30, 255), 300, 200))
inner = layer(d, 'artist group', kind='grouplayer')
paint = layer(d, 'paint', flat((40, 50, 60, 255), 100, 100), (0, 0, 100, 100), inner)
g = layer(d, 'my best refinement', kind='grouplayer', parent=%s)
up = layer(d, 'Upscaled', flat((0, 255, 0, 255), 200, 150), (50, 25, 200, 150), g)
fine = layer(d, 'Refined', flat((0, 0, 255, 255), 200, 150), (50, 25, 200, 150), g)
soft = layer(d, 'over', flat((255, 255, 255, 100), 300, 50), (0, 0, 300, 50))
d.refreshProjection()
d.setAnnotation('scumble/layers', '', QByteArray(json.dumps([layers.id_of(n) for n in (g, up, fine)]).encode()))
d.setModified(False)
"""
TREE = "[[n.name(), n.visible(), n.type()] for n in layers.walk(d.rootNode())]"
