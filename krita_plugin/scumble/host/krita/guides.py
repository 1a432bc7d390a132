"""Layers and masks that say where something holds: one byte a pixel, as they were at one moment, read in bands.

A mask counts as it is. A layer's brightness is a map of strength (white paint: all, black or none: nothing), and where
it has paint at all is a region. Integers of all colour models are read as they lie; Krita converts floats, and colours
of which a brightness is wanted.
"""

from dataclasses import dataclass

from krita import Document, Node

from scumble.geometry import Box
from scumble.host.contract import Guides, HostError, Steps
from scumble.host.krita.bands import Bands
from scumble.host.krita.colour import SAMPLE_BYTES, SRGB, Conversion, Space, grey_to_rgba, space_of
from scumble.host.krita.layers import GUIDES, id_of, walk
from scumble.qt import QtGui
from scumble.words import tr

# A band, in pixels: two milliseconds where nothing is converted, else as in snapshot.py.
BAND_PIXELS, CONVERTED_PIXELS = 256 * 1024, 32 * 1024
_PLAIN = Space("RGBA", "U8", SRGB)


@dataclass(frozen=True)
class Guiding:
    """What `Guides` names, in an open document."""

    strength: "Node | None" = None
    regions: "tuple[Node, ...]" = ()


def guiding(document: Document, guides: Guides) -> Guiding:
    """Raises HostError for what is gone, or can't say where."""
    if not (guides.strength or guides.regions):
        return Guiding()
    root = document.rootNode()
    nodes = {} if root is None else {id_of(node): node for node in walk(root)}
    strength = None
    if guides.strength:
        strength = _fit(
            nodes.get(guides.strength), tr("The layer of the strength map is gone: choose another, or none.")
        )
    regions = []
    for number, layer in enumerate(guides.regions, start=1):
        gone = tr("The layer of region {number} is gone: choose another, or remove the region.")
        unset = tr("Region {number} has no layer yet: choose one, or remove the region.")
        regions.append(_fit(nodes.get(layer), (gone if layer else unset).format(number=number)))
    return Guiding(strength, tuple(regions))


def _fit(node: "Node | None", gone: str) -> Node:
    if node is None:
        raise HostError(gone)
    if node.type() not in GUIDES:
        raise HostError(
            tr("“{name}” has no paint of its own to say where: choose a paint layer or a mask.").format(
                name=node.name()
            )
        )
    return node


@dataclass(frozen=True)
class Held:
    """The masks of one snapshot. See contract.Snapshot."""

    strength: "KritaMask | None" = None
    regions: "tuple[KritaMask, ...]" = ()

    @property
    def needs_lender(self) -> bool:
        """Whether Krita has to convert colours for one of them."""
        return any(mask.needs_lender for mask in self._all())

    def lend(self, lender: "Document | None") -> None:
        """A clone, or a document of Scumble's own, for scratch layers."""
        for mask in self._all():
            mask.lender = lender

    def release(self) -> None:
        for mask in self._all():
            mask.release()

    def _all(self) -> "tuple[KritaMask, ...]":
        return self.regions if self.strength is None else (self.strength, *self.regions)


def held(found: Guiding, box: Box) -> "Steps[Held]":
    """Clones, which share all pixels until one side paints: one a step, since a full 8192 x 8192 takes 8 ms."""
    strength = None
    if found.strength is not None:
        strength = KritaMask(found.strength, box, is_light=True)
        yield
    regions = []
    for node in found.regions:
        regions.append(KritaMask(node, box, is_light=False))
        yield
    return Held(strength, tuple(regions))


class KritaMask:
    """See contract.Mask. `lender`: set before the first `read`, where `needs_lender`."""

    def __init__(self, node: Node, box: Box, is_light: bool) -> None:
        """`is_light`: a layer's brightness, else its coverage. Raises HostError for colours that nobody can read."""
        self._space = None if node.type().endswith("mask") else space_of(node)
        self._is_light = is_light
        self._node: Node | None = node.clone()
        self._box = box
        self._bands = Bands(self._band_at)
        self.lender: Document | None = None

    @property
    def needs_lender(self) -> bool:
        space = self._space
        if space is None:
            return False
        return space.depth not in ("U8", "U16") or (self._is_light and space.model not in ("RGBA", "GRAYA"))

    def read(self, offset: int, size: int) -> bytes:
        """Any bytes; asked for in order, every row is read from Krita once."""
        return self._bands.read(offset, size, self._box.width * self._box.height)

    def release(self) -> None:
        self._node, self.lender = None, None
        self._bands.forget()

    def _band_at(self, offset: int) -> "tuple[int, bytes]":
        node, box = self._node, self._box
        top = offset // box.width
        if node is None:
            raise HostError(tr("The picture was let go before it was read: press Refine again."))
        most = CONVERTED_PIXELS if self.needs_lender else BAND_PIXELS
        rows = min(max(1, most // box.width), box.height - top)
        pixels = node.pixelData(box.x, box.y + top, box.width, rows).data()
        band = pixels if self._space is None else self._counted(pixels, self._space, rows)
        if len(band) != rows * box.width:
            raise HostError(tr("Krita gave fewer pixels than the document has: save it, open it again and retry."))
        return top * box.width, band

    def _counted(self, pixels: bytes, space: Space, rows: int) -> bytes:
        if self.needs_lender:
            if self.lender is None:
                raise HostError(tr("Krita could not convert the colours: is the document still open?"))
            pixels, space = Conversion(self.lender, space, _PLAIN)(pixels, self._box.width, rows), _PLAIN
        return light(pixels, space) if self._is_light else coverage(pixels, space)


def coverage(pixels: bytes, space: Space) -> bytes:
    """Alpha, for integers: the last byte of a pixel is alpha, or its upper half."""
    return pixels[space.pixel_bytes - 1 :: space.pixel_bytes]


def light(pixels: bytes, space: Space) -> bytes:
    """Brightness on black ground, for integers of RGBA and grey."""
    if SAMPLE_BYTES[space.depth] == 2:
        pixels = pixels[1::2]
    bgra = grey_to_rgba(pixels, "U8") if space.model == "GRAYA" else pixels
    formats, count = QtGui.QImage.Format, len(bgra) // 4
    # One row: longer ones would begin at multiples of four.
    image = QtGui.QImage(bgra, count, 1, 4 * count, formats.Format_ARGB32)
    # What is premultiplied lies on black, as soon as its alpha is forgotten.
    image = image.convertToFormat(formats.Format_ARGB32_Premultiplied)
    image.reinterpretAsFormat(formats.Format_RGB32)
    grey = image.convertToFormat(formats.Format_Grayscale8)
    data = grey.constBits()
    return b"" if data is None else data.asstring(count)
