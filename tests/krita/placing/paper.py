"""A paper to place results on in the real Krita, and words for what an artist then looks at."""

from __future__ import annotations

import base64
import time

from tests.krita import stalls

SRGB = "sRGB-elle-V2-srgbtrc.icc"
# In Krita: results that are made as they are read, targets and deliveries, and words for what an artist looks at.
WORDS = """
import base64, hashlib, struct
from array import array
from dataclasses import replace
from PyQt5.QtCore import QByteArray
from scumble.geometry import Box
from scumble.host.contract import Delivery, HostError, Placement, Target
from scumble.host.krita.before_after import BeforeAfter
from scumble.host.krita.document import Documents
from scumble.host.krita.layers import find, id_of
from scumble.host.krita.masks import Masks
from scumble.host.krita.notes import load_note, placed_notes, save_note
from scumble.host.krita.placing import Placing
from scumble.host.krita.profiles import Profiles
from scumble_bridge.fields import PictureHeader

SRGB = "sRGB-elle-V2-srgbtrc.icc"
CODES = {"u8": "B", "u16": "H", "f16": "H", "f32": "f"}

class Picture:
    '''Slanted stripes of colour; alpha by a function of x and y, 0 to 255.'''
    def __init__(self, width, height, depth="u8", alpha=None, shift=0, grey=False):
        self.header = PictureHeader(width, height, depth, "bgra" if depth in ("u8", "u16") else "rgba")
        self.alpha, self.shift, self.grey = alpha, shift, grey
    def level(self, value):
        depth = self.header.depth
        if depth == "u8": return value
        if depth == "u16": return value * 257
        if depth == "f32": return value / 255
        return struct.unpack("<H", struct.pack("<e", value / 255))[0]
    def rows(self, top, count):
        out = array(CODES[self.header.depth])
        for y in range(top, top + count):
            for x in range(self.header.width):
                colours = [(x * 3 + y + self.shift) % 256, (x + y * 2) % 256, (x * 2 + 40) % 256]
                if self.grey: colours = colours[:1] * 3
                colours.append(255 if self.alpha is None else self.alpha(x, y))
                out.extend(self.level(value) for value in colours)
        return out.tobytes()
    def pixels(self):
        return self.rows(0, self.header.height)

class Plain(Picture):
    '''One colour, quickly made, for large pictures.'''
    def rows(self, top, count):
        return bytes([40, 90, 160, 255]) * (self.header.width * count)

documents, masks = Documents(), Masks()
placing = Placing(documents, Profiles(), masks)
before_after = BeforeAfter(documents, masks)

def fresh(width=96, height=64, model="RGBA", depth="U8", profile=SRGB):
    global d
    for each in K.documents():
        each.setModified(False); each.close()
    d = K.createDocument(width, height, "paper", model, depth, profile, 300.0)
    K.activeWindow().addView(d); d.waitForDone()

def target(box=None, selected=None, layer=""):
    canvas = Box(0, 0, d.width(), d.height())
    return Target(documents.key(d), d.fileName() or "", canvas, box or canvas, selected, layer)

def delivery(refined, upscaled=None, x=0, y=0, scale=1.0, profile=b"", note='{"seed": 7}', **placement):
    return Delivery(Placement(**placement), x, y, scale, "2x", note, profile, upscaled or Picture(refined.header.width,
        refined.header.height, refined.header.depth, refined.alpha, 9), refined)

def tree(nodes=None):
    return [[n.name(), tree(n.childNodes())] for n in (d.topLevelNodes() if nodes is None else nodes)
            if n.type() != "selectionmask"]

def shown(document=None):
    document = document or d
    document.waitForDone()
    return document.pixelData(0, 0, document.width(), document.height()).data()

def undo_text():
    return K.action("edit_undo").text()
"""
GROUP = ["Scumble 2x", [["Upscaled 2x", []], ["Refined 2x", []]]]
MASKED = ["Scumble 2x", [["Upscaled 2x", []], ["Refined 2x", [["Selection", []]]]]]
# Alpha that rises slowly from the sides of a picture of 64 pixels.
SOFT = "lambda x, y: max(0, min(255, 6 * min(x, 63 - x) - 20))"
TWO_GROUPS = """
outer = d.createGroupLayer("outer"); inner = d.createGroupLayer("inner"); n = d.createNode("stroke", "paintlayer")
inner.setChildNodes([n]); outer.setChildNodes([inner]); d.rootNode().addChildNode(outer, None)
top = d.createNode("top", "paintlayer"); d.rootNode().addChildNode(top, None); d.waitForDone()
"""


class Paper:
    def __init__(self, krita):
        self.krita = krita
        self.fresh()

    def fresh(self, arguments=""):
        self.krita.run(f"fresh({arguments})")
        self.krita.wait("K.activeDocument() is not None and K.activeDocument() == d and d.activeNode() is not None")
        time.sleep(0.3)

    def place(self, delivery, target="target()", seconds=120):
        """Place it to the end."""
        return stalls.finish(self.krita, f"steps = placing.place({target}, {delivery})\n", seconds)

    def placed(self, delivery, target="target()"):
        self.place(delivery, target)
        assert self.krita.run("repr(meter.error)") == "None"
        return self.krita.run("[meter.value.document == documents.key(d), meter.value.said]")

    @property
    def tree(self):
        return self.krita.run("tree()")

    @property
    def shown(self):
        return base64.b64decode(self.krita.run("base64.b64encode(shown()).decode()"))

    @property
    def size(self):
        return self.krita.run("[d.width(), d.height()]")

    def undo(self, times=1):
        self._step("edit_undo", times)

    def redo(self, times=1):
        self._step("edit_redo", times)

    def _step(self, action, times):
        for _ in range(times):
            self.krita.run(f"K.action({action!r}).trigger()")
            time.sleep(0.5)
        self.krita.run("d.waitForDone()")
