"""Pixels of a Krita document, as they were at one moment, read in bands."""

from krita import Document, Node

from scumble.geometry import Box
from scumble.host.base import HostError
from scumble.settings import Source
from scumble_bridge.fields import Depth, PictureHeader

SRGB = "sRGB-elle-V2-srgbtrc.icc"
# Bytes of a band read at once: small enough for no pause, large enough for few calls.
BAND_BYTES = 8 * 1024 * 1024
DEPTHS: "dict[str, Depth]" = {"U8": "u8", "U16": "u16"}


class KritaSnapshot:
    """A copy-on-write clone of the document, brought to sRGB with 8 or 16 bits where it is something else.

    Colours of other models and depths are converted by Krita itself; 8-bit documents stay at 8 bits, all others
    (floating point, too) travel with 16.
    """

    def __init__(self, document: Document, source: Source, box: Box, selection: "bytes | None") -> None:
        self.document = document
        self._box = box
        self._selection = selection
        self.canvas = Box(0, 0, document.width(), document.height())
        self.layer = document.activeNode() if source == "layer" else None
        path = () if self.layer is None else _path_of(self.layer)
        self._clone = document.clone()
        self._clone.setBatchmode(True)
        self.depth = "U8" if document.colorDepth() == "U8" else "U16"
        known = (document.colorModel(), document.colorDepth(), document.colorProfile())
        if known != ("RGBA", self.depth, SRGB) and not self._clone.setColorSpace("RGBA", self.depth, SRGB):
            self.release()
            raise HostError(
                "Krita could not convert the document to sRGB: convert it by Image > Convert Image Color Space."
            )
        self._clone.waitForDone()
        self._node = None if self.layer is None else _node_at(self._clone, path)
        self._first, self._band = 0, b""

    @property
    def box(self) -> Box:
        return self._box

    @property
    def selection(self) -> "bytes | None":
        return self._selection

    @property
    def header(self) -> PictureHeader:
        return PictureHeader(self._box.width, self._box.height, DEPTHS[self.depth], "bgra")

    def read(self, offset: int, size: int) -> bytes:
        """Any bytes; asked for in order, every row is read from Krita once."""
        out = bytearray()
        while size:
            if not self._first <= offset < self._first + len(self._band):
                self._read_band(offset)
            start = offset - self._first
            piece = self._band[start : start + size]
            out += piece
            offset += len(piece)
            size -= len(piece)
        return bytes(out)

    def release(self) -> None:
        self._node = None
        self._clone.setModified(False)
        self._clone.close()

    def _read_band(self, offset: int) -> None:
        row_bytes = self.header.row_bytes
        top = offset // row_bytes
        rows = max(1, min(BAND_BYTES // row_bytes, self._box.height - top))
        place = (self._box.x, self._box.y + top, self._box.width, rows)
        pixels = self._clone.pixelData(*place) if self._node is None else self._node.projectionPixelData(*place)
        self._first, self._band = top * row_bytes, pixels.data()
        if len(self._band) != rows * row_bytes:
            raise HostError("Krita gave fewer pixels than the document has: save it, open it again and retry.")


def _path_of(node: Node) -> "tuple[int, ...]":
    """Which child of which child it is, from the root down: how the same layer is found in a clone."""
    path: list[int] = []
    parent = node.parentNode()
    while parent is not None:
        ids = [child.uniqueId() for child in parent.childNodes()]
        path.insert(0, ids.index(node.uniqueId()))
        node, parent = parent, parent.parentNode()
    return tuple(path)


def _node_at(document: Document, path: "tuple[int, ...]") -> Node:
    node = document.rootNode()
    for index in path:
        node = node.childNodes()[index]
    return node
