"""The host that is Krita. Everything here runs in the GUI thread."""

from collections.abc import Generator, Iterator

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
        settings, size = delivery.settings, delivery.refined.header
        document: Document | None = snapshot.document
        note = ""
        if document is None or not _is_open(document):
            document, note = None, "The document was closed meanwhile, so the result is in a new one."
        elif (document.width(), document.height()) != (snapshot.canvas.width, snapshot.canvas.height):
            document, note = None, "The document has another size now, so the result is in a new one."
        elif settings.destination == "new" and settings.source != "selection":
            document = None
        x, y = (0, 0) if document is None else (delivery.x + snapshot.box.x, delivery.y + snapshot.box.y)
        if document is not None and not settings.keeps_size:
            x, y = delivery.x, delivery.y  # the whole canvas was sent
        target = document or _new_document(size.width, size.height, snapshot.depth)
        try:
            group = yield from _group(target, snapshot.depth, delivery, x, y)
            target.setBatchmode(True)
            above = target.activeNode() if settings.source == "layer" and document is not None else None
            if document is not None and not settings.keeps_size and settings.scale != 1:
                resolution = round(target.resolution())
                target.scaleImage(size.width, size.height, resolution, resolution, "Bicubic")
                target.waitForDone()
            parent = None if above is None else above.parentNode()
            (parent or target.rootNode()).addChildNode(group, above)
            target.waitForDone()
        except BaseException:
            if document is None:
                target.setModified(False)
                target.close()
            raise
        target.setBatchmode(False)
        if document is None:
            Krita.instance().activeWindow().addView(target)
        target.refreshProjection()
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


def _new_document(width: int, height: int, depth: str) -> Document:
    document = Krita.instance().createDocument(width, height, "Scumble", "RGBA", depth, SRGB, 300.0)
    if document is None:
        raise HostError(f"Krita could not create a document of {width} × {height} pixels: close others and retry.")
    for node in document.topLevelNodes():
        node.remove()
    return document


def _group(document: Document, depth: str, delivery: Delivery, x: int, y: int) -> "Generator[str, None, Node]":
    """A group with both layers, still outside of the document: whatever fails, the document is as it was.

    A generator that returns the group; it yields after each band.
    """
    title = delivery.settings.title
    group = document.createGroupLayer(f"Scumble {title}")
    for name, result in ((f"Upscaled {title}", delivery.upscaled), (f"Refined {title}", delivery.refined)):
        layer = document.createNode(name, "paintlayer")
        if layer is None:
            raise HostError("Krita could not create a layer: is the document still open?")
        if not layer.setColorSpace("RGBA", depth, SRGB):
            raise HostError("Krita could not give the layer the sRGB colour space: press Refine again.")
        opaque = yield from _fill(layer, result, x, y)
        # Two half-transparent layers over each other would make soft edges hard: then the refined one shows alone.
        layer.setVisible(opaque or result is delivery.refined)
        group.addChildNode(layer, None)
    return group


def _fill(layer: Node, result: Result, x: int, y: int) -> "Generator[str, None, bool]":
    """Write the result's pixels, a band at a time; returns whether all of them are opaque."""
    header = result.header
    rows = max(1, BAND_BYTES // header.row_bytes)
    opaque = True
    for top in range(0, header.height, rows):
        count = min(rows, header.height - top)
        pixels = result.rows(top, count)
        opaque = opaque and is_opaque(pixels, header.depth)
        layer.setPixelData(QtCore.QByteArray(pixels), x, y + top, header.width, count)
        yield ""
    return opaque


def is_opaque(pixels: bytes, depth: Depth) -> bool:
    """Whether the alpha of every pixel (four channels, alpha last) is full."""
    size = DEPTH_BYTES[depth]
    step = 4 * size
    return all(pixels[3 * size + byte :: step].count(255) == len(pixels) // step for byte in range(size))
