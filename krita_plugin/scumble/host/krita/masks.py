"""Transparency masks for layers that are not in a document yet, and a way to have such layers composed later.

Krita 5.1 has no call that makes a mask, and one from `createNode` has no pixels and crashes on saving. A mask that was
loaded from a file is whole, and a copy of it fits into any document: so one comes from a file of one pixel, which is
written here. A clone of that document, which no list of documents shows, stays in memory.

The same document takes what must not be undone by the artist. A node that libkis hands out keeps the document by which
it was reached, and its commands go into that one's history. A layer reached through the parent of a borrowed mask can
so be told that its blending mode is what it was before: the step of undo is in our document, and Krita composes the
layer where it lies, a piece at a time as after a stroke of the brush. `refreshProjection`, the only other way, locks
the whole picture, and Krita's own idle watcher then waits for it in the GUI thread (eleven seconds at 8192 x 8192).
"""

import tempfile
import zipfile
from pathlib import Path

from krita import Document, Krita, Node

from scumble.host.contract import HostError
from scumble.qt import QtCore
from scumble.words import tr

_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE DOC PUBLIC '-//KDE//DTD krita 2.0//EN' 'http://www.calligra.org/DTD/krita-2.0.dtd'>
<DOC xmlns="http://www.calligra.org/DTD/krita" syntaxVersion="2.0" editor="Krita" kritaVersion="5.1.5">
 <IMAGE mime="application/x-kra" name="t" width="1" height="1" x-res="300" y-res="300" colorspacename="RGBA"
  profile="sRGB-elle-V2-srgbtrc.icc">
  <layers>
   <layer name="layer" nodetype="paintlayer" filename="layer2" x="0" y="0" visible="1" opacity="255"
    compositeop="normal" colorspacename="RGBA" channelflags="" uuid="{a7f6f0f0-5d5c-4d38-9d5e-6f3a3c1d0a01}">
    <masks>
     <mask name="mask" nodetype="transparencymask" filename="mask3" x="0" y="0" visible="1"
      uuid="{a7f6f0f0-5d5c-4d38-9d5e-6f3a3c1d0a02}"/>
    </masks>
   </layer>
  </layers>
 </IMAGE>
</DOC>
"""
_NO_TILES = "VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE {}\nDATA 0\n"


class Masks:
    """Keeps the document of one pixel.

    Making it takes Krita some 300 ms: `prepare` does that at a calm moment, else the first use does.
    """

    def __init__(self) -> None:
        self._first: Document | None = None
        self._tried = False

    def prepare(self) -> None:
        """Have the document ready."""
        if not self._tried:
            self._tried = True
            self._first = _from_file()

    def borrow(self) -> "Loan | None":
        """Masks for one result; None when this Krita gives none in this way."""
        self.prepare()
        return None if self._first is None else Loan(self._first.clone())


class Loan:
    """A clone of the document of one pixel for one result: what it remembers for undo goes away with it."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def mask(self, name: str) -> Node:
        """A mask that hides everything, to be painted with `setPixelData`, one byte a pixel."""
        mask = self._document.topLevelNodes()[0].childNodes()[0].duplicate()
        mask.setName(name)
        return mask

    def stamp(self, side: int) -> Node:
        """A transparent square layer: wherever it is moved in a group, `compose` composes that piece of the group."""
        stamp = self._document.createNode("…", "paintlayer")
        if stamp is None:
            raise HostError(tr("Krita could not create a layer: close other documents and retry."))
        stamp.setPixelData(QtCore.QByteArray(bytes(4 * side * side)), 0, 0, side, side)
        return stamp

    def handle(self, layer: Node, mask: Node) -> "Node | None":
        """The layer, which is in no document yet, with that mask of ours, reached so that `compose` works."""
        layer.setChildNodes([mask])  # unlike addChildNode it makes no step of undo
        return mask.parentNode()

    def close(self) -> None:
        """Let go of it, and so of what it remembers. No handle may be used any more."""
        self._document.setModified(False)
        self._document.close()


def compose(handle: Node) -> None:
    """Have Krita compose the layer anew where it lies, soon and in its own threads; without a step of undo."""
    handle.setBlendingMode(handle.blendingMode())


def _takes_pixels(mask: Node) -> bool:
    """Whether it can be painted, and hides what isn't painted."""
    if mask.pixelData(0, 0, 1, 1).data() != bytes(1):
        return False
    mask.setPixelData(QtCore.QByteArray(b"\x05"), 0, 0, 1, 1)
    taken = mask.pixelData(0, 0, 1, 1).data() == b"\x05"
    mask.setPixelData(QtCore.QByteArray(bytes(1)), 0, 0, 1, 1)
    return taken


def _from_file() -> "Document | None":
    krita = Krita.instance()
    silent = krita.batchmode()
    with tempfile.TemporaryDirectory(prefix="scumble-") as folder:
        path = Path(folder, "mask.kra")
        _write(path)
        krita.setBatchmode(True)  # else Krita says in a dialog what it doesn't like
        try:
            document = krita.openDocument(str(path))
        finally:
            krita.setBatchmode(silent)
        if document is None or document.width() == 0:
            return None
        try:
            masks = [mask for layer in document.topLevelNodes() for mask in layer.childNodes()]
            return document.clone() if masks and _takes_pixels(masks[0].duplicate()) else None
        finally:
            document.setModified(False)
            document.close()


def _write(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/x-krita")
        archive.writestr("maindoc.xml", _DOCUMENT)
        for name, size in (("layer2", 4), ("mask3.pixelselection", 1)):
            archive.writestr(f"t/layers/{name}", _NO_TILES.format(size))
            archive.writestr(f"t/layers/{name}.defaultpixel", bytes(size))
