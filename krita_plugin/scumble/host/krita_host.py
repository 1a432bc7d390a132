"""The host that is Krita. Everything here runs in the GUI thread."""

from collections.abc import Callable, Generator, Iterator

from krita import Document, Krita, Node

from scumble.geometry import Box, with_context
from scumble.host.base import Delivery, HostError, Result, Snapshot
from scumble.host.krita_snapshot import SRGB, KritaSnapshot
from scumble.qt import QtCore
from scumble.settings import Settings, Source
from scumble_bridge.fields import DEPTH_BYTES, Depth

# Rows written at once, in bytes.
BAND_BYTES = 4 * 1024 * 1024
SETTINGS_GROUP, SETTINGS_NAME = "scumble", "panel"

# Looks again whether the document still takes the result.
Destination = Callable[[], "tuple[Document | None, str]"]


class KritaHost:
    """Reads the active document and places groups of layers."""

    def unavailable(self, source: Source) -> str:
        document = self._active()
        if document is None:
            return "Open or create a document first."
        if source == "selection" and document.selection() is None:
            return "Select a part of the picture first, or choose Canvas."
        if source == "layer" and document.activeNode() is None:
            return "Choose a layer first."
        return ""

    def snapshot(self, source: Source) -> Snapshot:
        reason = self.unavailable(source)
        document = self._active()
        if reason or document is None:
            raise HostError(reason)
        document.waitForDone()
        canvas = Box(0, 0, document.width(), document.height())
        box, mask = canvas, None
        if source == "selection":
            selection = document.selection()
            bounds = Box(selection.x(), selection.y(), selection.width(), selection.height()).intersect(canvas)
            if bounds.is_empty:
                raise HostError("No pixels are selected on the canvas: select a part of the picture.")
            box = with_context(bounds, canvas)
            mask = selection.pixelData(box.x, box.y, box.width, box.height).data()
        return KritaSnapshot(document, source, box, mask)

    def place(self, snapshot: Snapshot, delivery: Delivery) -> "Iterator[str]":
        if not isinstance(snapshot, KritaSnapshot):
            raise HostError("The results belong to no Krita document: press Refine again.")
        document, note = _destination(snapshot, delivery.settings)
        if document is not None:
            group = yield from _group(document, snapshot, delivery, lambda: _destination(snapshot, delivery.settings))
            if group is not None:
                _insert(document, group, snapshot, delivery)
            else:  # closed or resized while the layers were filled: what is there is not thrown away
                document, note = _destination(snapshot, delivery.settings)
        if document is None:
            yield from _new_document(snapshot, delivery)
        size = delivery.refined.header
        yield note or f"Done: “Refined” lies above “Upscaled”, {size.width} × {size.height} pixels."

    def load_settings(self) -> Settings:
        return Settings.from_json(Krita.instance().readSetting(SETTINGS_GROUP, SETTINGS_NAME, ""))

    def save_settings(self, settings: Settings) -> None:
        Krita.instance().writeSetting(SETTINGS_GROUP, SETTINGS_NAME, settings.to_json())

    def _active(self) -> "Document | None":
        document = Krita.instance().activeDocument()
        return document if document is not None and _is_open(document) else None


def _is_open(document: Document) -> bool:
    """The wrapper of a closed document is safe to ask, and has no size."""
    return document.width() > 0


def _destination(snapshot: KritaSnapshot, settings: Settings) -> "tuple[Document | None, str]":
    """The artist's document while the result fits into it; else None, for a new one, and why if none was asked."""
    document = snapshot.document
    if not _is_open(document):
        return None, "The document was closed meanwhile, so the result is in a new one."
    if (document.width(), document.height()) != (snapshot.canvas.width, snapshot.canvas.height):
        return None, "The document has another size now, so the result is in a new one."
    if settings.destination == "new" and settings.source != "selection":
        return None, ""
    return document, ""


def _insert(document: Document, group: Node, snapshot: KritaSnapshot, delivery: Delivery) -> None:
    """Change the artist's document: enlarge it, where asked, and add the group. At most two steps of undo."""
    settings, size = delivery.settings, delivery.refined.header
    document.setBatchmode(True)
    try:
        if not settings.keeps_size and settings.scale != 1:
            resolution = round(document.resolution())
            document.scaleImage(size.width, size.height, resolution, resolution, "Bicubic")
            document.waitForDone()
        above = snapshot.layer
        parent = None if above is None else above.parentNode()
        if parent is None:  # the whole canvas was sent, or its layer is gone
            document.rootNode().addChildNode(group, None)
        else:
            parent.addChildNode(group, above)
        document.waitForDone()
    finally:
        document.setBatchmode(False)
    document.refreshProjection()


def _new_document(snapshot: KritaSnapshot, delivery: Delivery) -> "Iterator[str]":
    """A document of its own for the result, shown only when it is whole."""
    size = delivery.refined.header
    document = Krita.instance().createDocument(size.width, size.height, "Scumble", "RGBA", snapshot.depth, SRGB, 300.0)
    if document is None:
        raise HostError(
            f"Krita could not create a document of {size.width} × {size.height} pixels: close others and retry."
        )
    try:
        for node in document.topLevelNodes():
            node.remove()
        group = yield from _group(document, snapshot, delivery, lambda: (document, ""))
        assert group is not None  # nobody else knows this document yet
        document.rootNode().addChildNode(group, None)
        document.waitForDone()
    except BaseException:
        document.setModified(False)
        document.close()
        raise
    Krita.instance().activeWindow().addView(document)
    document.refreshProjection()


def _corner(document: Document, snapshot: KritaSnapshot, delivery: Delivery) -> "tuple[int, int]":
    """Where the result lies in the document that it goes to."""
    if document is not snapshot.document:
        return 0, 0
    if delivery.settings.keeps_size:
        return delivery.x + snapshot.box.x, delivery.y + snapshot.box.y
    return delivery.x, delivery.y  # the whole canvas was sent


def _group(
    document: Document, snapshot: KritaSnapshot, delivery: Delivery, destination: Destination
) -> "Generator[str, None, Node | None]":
    """A group with both layers, still outside of the document: whatever fails, the document is as it was.

    A generator that yields after each band. It returns the group, or None when `destination` gave up the document
    meanwhile; between that last look and the return nothing else runs.
    """
    title = delivery.settings.title
    x, y = _corner(document, snapshot, delivery)
    group = document.createGroupLayer(f"Scumble {title}")
    for name, result in ((f"Upscaled {title}", delivery.upscaled), (f"Refined {title}", delivery.refined)):
        layer = document.createNode(name, "paintlayer")
        if layer is None:
            raise HostError("Krita could not create a layer: is the document still open?")
        if not layer.setColorSpace("RGBA", snapshot.depth, SRGB):
            raise HostError("Krita could not give the layer the sRGB colour space: press Refine again.")
        opaque = True
        for band_is_opaque in _fill(layer, result, x, y):
            opaque = opaque and band_is_opaque
            yield ""
            if destination()[0] is None:
                return None
        # Two half-transparent layers over each other would make soft edges hard: then the refined one shows alone.
        layer.setVisible(opaque or result is delivery.refined)
        group.addChildNode(layer, None)
    return group


def _fill(layer: Node, result: Result, x: int, y: int) -> "Iterator[bool]":
    """Write the result's pixels, a band at a time; after each, whether all of it is opaque."""
    header = result.header
    rows = max(1, BAND_BYTES // header.row_bytes)
    for top in range(0, header.height, rows):
        count = min(rows, header.height - top)
        pixels = result.rows(top, count)
        layer.setPixelData(QtCore.QByteArray(pixels), x, y + top, header.width, count)
        yield is_opaque(pixels, header.depth)


def is_opaque(pixels: bytes, depth: Depth) -> bool:
    """Whether the alpha of every pixel (four channels, alpha last) is full."""
    size = DEPTH_BYTES[depth]
    step = 4 * size
    return all(pixels[3 * size + byte :: step].count(255) == len(pixels) // step for byte in range(size))
