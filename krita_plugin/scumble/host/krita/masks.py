"""Transparency masks for layers that are not in a document yet.

Krita 5.1 has no call for it, and a mask from `createNode` has no pixels and crashes on saving. A mask that was loaded
from a file is whole, and a copy of it fits into any document: so one comes from a file of one pixel, which is made
here, and stays in memory.
"""

import tempfile
import zipfile
from pathlib import Path

from krita import Document, Krita, Node

from scumble.qt import QtCore

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
    """Makes masks that hide everything, to be painted with `setPixelData`, one byte a pixel.

    The first one opens and closes a document, which takes Krita some 300 ms: `prepare` does that at a calm moment.
    """

    def __init__(self) -> None:
        self._first: "Node | None" = None  # noqa: UP037 - Node is no class outside of Krita
        self._tried = False

    def prepare(self) -> None:
        """Have the first mask ready."""
        if not self._tried:
            self._tried = True
            self._first = _from_file()

    def new(self, document: Document, name: str) -> "Node | None":
        """A mask for a layer of that document; None when this Krita gives none."""
        create = getattr(document, "createTransparencyMask", None)
        made = create(name) if create is not None else None
        if isinstance(made, Node) and _takes_pixels(made):
            return made
        self.prepare()
        mask = None if self._first is None else self._first.duplicate()
        if mask is not None:
            mask.setName(name)
        return mask


def _takes_pixels(mask: Node) -> bool:
    """Whether it can be painted, and hides what isn't painted."""
    if mask.pixelData(0, 0, 1, 1).data() != bytes(1):
        return False
    mask.setPixelData(QtCore.QByteArray(b"\x05"), 0, 0, 1, 1)
    taken = mask.pixelData(0, 0, 1, 1).data() == b"\x05"
    mask.setPixelData(QtCore.QByteArray(bytes(1)), 0, 0, 1, 1)
    return taken


def _from_file() -> "Node | None":
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
            copy = masks[0].duplicate() if masks else None
            return copy if copy is not None and _takes_pixels(copy) else None
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
