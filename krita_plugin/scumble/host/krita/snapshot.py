"""Pixels of a Krita document as they were at one moment, read in bands.

A small part is copied at that moment. Of a large one a clone is made, which shares all pixels until one side paints:
of a single layer where that is all there is to see, else of the document. A clone costs half a microsecond for each
64 x 64 pixels that a layer has: at 8192 x 8192, 8 ms a full layer.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from krita import Document, Selection

from scumble.geometry import Box
from scumble.host.contract import HostError, Mask, Snapshot, Steps, T, Target, Wanted
from scumble.host.krita.bands import Bands
from scumble.host.krita.colour import SRGB, Conversion, Convert, Space, carrier, grey_to_rgba
from scumble.host.krita.document import Documents, is_idle, is_open
from scumble.host.krita.guides import Held, held
from scumble.host.krita.layers import children, find, is_plain, only_layer
from scumble.host.krita.profiles import Profiles
from scumble.host.krita.recompose import leave_out
from scumble.host.krita.sources import Chosen, choose
from scumble.qt import QtCore
from scumble.words import tr
from scumble_bridge.fields import PictureHeader

# What is copied at once, in Krita's own bytes: about 8 ms.
COPY_BYTES = 16 * 1024 * 1024
# A band, in bytes as they travel; where Krita converts colours, in pixels (60 to 250 ns each).
BAND_BYTES = 1024 * 1024
BAND_PIXELS = 32 * 1024
# How long a stroke, a filter or a transformation may keep the document busy.
PATIENCE_S = 60.0

Read = Callable[[int, int, int, int], bytes]


class KritaSnapshot:
    """See contract.Snapshot."""

    def __init__(self, target: Target, space: Space, read: Read, clone: "Document | None") -> None:
        self._target, self._space, self._read_pixels, self._clone = target, space, read, clone
        self._selection: bytes | None = None
        self._guides = Held()
        self._header = PictureHeader(target.box.width, target.box.height, space.wire_depth, space.wire_layout)
        self._profile = b""
        self._convert: Convert | None = None
        self._is_reading = False
        self._band_rows = 1
        self._bands = Bands(self._band_at)

    @property
    def header(self) -> PictureHeader:
        return self._header

    @property
    def profile(self) -> bytes:
        return self._profile

    @property
    def target(self) -> Target:
        return self._target

    @property
    def selection(self) -> "bytes | None":
        return self._selection

    @property
    def strength(self) -> "Mask | None":
        return self._guides.strength

    @property
    def regions(self) -> "tuple[Mask, ...]":
        return self._guides.regions

    def read(self, offset: int, size: int) -> bytes:
        """Any bytes; asked for in order, every row is read from Krita once."""
        return self._bands.read(offset, size, self._header.total_bytes)

    def release(self) -> None:
        # Krita runs an event loop of its own within some conversions: whoever is done in there must not take the clone
        # away from under it. The read that goes on does it at its end.
        if self._is_reading:
            self._read_pixels = _released
            return
        clone, self._clone = self._clone, None
        self._read_pixels, self._convert = _released, None
        self._bands.forget()
        self._guides.release()
        close_clone(clone)

    def prepare(self, profiles: Profiles, document: Document) -> "Steps[None]":
        """Find out how the pixels travel. `document`: lends scratch layers when there is no clone yet."""
        space, travelling = self._space, carrier(self._space)
        profile: bytes | None = None
        if space.model in ("RGBA", "GRAYA"):
            profile = yield from profiles.travelling(space)
        if profile is None:  # another model, or nobody can tell what the profile means: Krita converts
            travelling, profile = yield from _carried(space, profiles)
            if self._clone is None:
                self._clone = document.clone()
            self._convert = Conversion(self._clone, space, travelling)
        elif space.model == "GRAYA":
            self._convert = _from_grey(space.depth)
        box = self._target.box
        self._profile = profile
        self._header = PictureHeader(box.width, box.height, travelling.wire_depth, travelling.wire_layout)
        self._band_rows = max(1, BAND_BYTES // self._header.row_bytes)
        if isinstance(self._convert, Conversion):
            self._band_rows = max(1, min(self._band_rows, BAND_PIXELS // box.width))

    def guide(self, guides: Held, document: Document) -> None:
        """With these masks. `document`: as in `prepare`."""
        self._guides = guides
        if self._clone is None and guides.needs_lender:
            self._clone = document.clone()
        guides.lend(self._clone)

    def select(self, selection: Selection) -> "Steps[None]":
        """Read the mask, band by band."""
        box = self._target.box
        rows = max(1, BAND_BYTES // box.width)
        bands, all_selected = [], True
        for top in range(0, box.height, rows):
            count = min(rows, box.height - top)
            bands.append(selection.pixelData(box.x, box.y + top, box.width, count).data())
            all_selected = all_selected and bands[-1] == b"\xff" * len(bands[-1])
            yield
        self._selection = None if all_selected else b"".join(bands)

    def _band_at(self, offset: int) -> "tuple[int, bytes]":
        box, row_bytes = self._target.box, self._header.row_bytes
        top = offset // row_bytes
        rows = min(self._band_rows, box.height - top)
        outer, self._is_reading = self._is_reading, True
        try:
            pixels = self._read_pixels(box.x, box.y + top, box.width, rows)
            if len(pixels) == rows * box.width * self._space.pixel_bytes and self._convert is not None:
                pixels = self._convert(pixels, box.width, rows)
        except (RuntimeError, AttributeError) as error:  # Krita closes, and takes the clone away
            raise HostError(tr("Krita closed the picture while it was read: open it again and retry.")) from error
        finally:
            self._is_reading = outer
            if not outer and self._read_pixels is _released:
                self.release()
        if len(pixels) != rows * row_bytes:
            raise HostError(tr("Krita gave fewer pixels than the document has: save it, open it again and retry."))
        return top * row_bytes, pixels


def take(documents: Documents, profiles: Profiles, wanted: Wanted) -> "Steps[Snapshot]":
    """As in the contract. The moment is the first at which no stroke of the artist's is at work."""
    first = choose(documents, wanted)
    wanted = replace(wanted, layer=first.target.layer)
    until = time.monotonic() + PATIENCE_S
    while not is_idle(first.document):
        if time.monotonic() > until:
            raise HostError(tr("Krita is still busy with this document: finish what is going on there, then retry."))
        yield
    # From here to the end of `hold` nothing else runs.
    chosen = choose(documents, wanted, first.document)
    selection = None if chosen.target.selected is None else chosen.document.selection().duplicate()
    snapshot = hold(chosen)
    try:
        yield
        guides = yield from held(chosen.guiding, chosen.target.box)
        yield from complete(snapshot, chosen)
        if selection is not None:
            yield from snapshot.select(selection)
        yield from snapshot.prepare(profiles, chosen.document)
        snapshot.guide(guides, chosen.document)
    except BaseException:
        snapshot.release()
        raise
    return snapshot


def hold(chosen: Chosen) -> KritaSnapshot:
    """What the source is at this moment; Scumble's layers may still be among it. Raises HostError."""
    if chosen.space.model in ("RGBA", "GRAYA"):
        read = _held_without_clone(chosen)
        if read is not None:
            return KritaSnapshot(chosen.target, chosen.space, read, None)
    clone = chosen.document.clone()
    if clone is None or not is_open(clone):
        raise HostError(tr("Krita could not copy the document: save it, open it again and retry."))
    clone.setBatchmode(True)
    try:
        return KritaSnapshot(chosen.target, chosen.space, reader(clone, chosen), clone)
    except HostError:
        close_clone(clone)
        raise


def _held_without_clone(chosen: Chosen) -> "Read | None":
    """A copy of a small source's pixels, or a clone of the one layer that is the source."""
    box = chosen.target.box
    if chosen.native_bytes <= COPY_BYTES and not chosen.left_out:
        pixels = reader(chosen.document, chosen)(box.x, box.y, box.width, box.height)
        return _rows_of(pixels, box, chosen.space)
    node = chosen.node
    if node is None:
        node = only_layer(chosen.document, chosen.left_out)
    if node is None or not is_plain(node):
        return None
    layer = node.clone()
    return lambda x, y, width, height: layer.pixelData(x, y, width, height).data()


def reader(document: Document, chosen: Chosen) -> Read:
    """Reads the source's pixels in the document or in a clone of it. Raises HostError."""
    if chosen.node is None:
        return lambda x, y, width, height: document.pixelData(x, y, width, height).data()
    node = find(document, chosen.target.layer)
    if node is None:
        raise HostError(tr("The chosen layer is gone: choose another."))
    return lambda x, y, width, height: node.projectionPixelData(x, y, width, height).data()


def complete(snapshot: KritaSnapshot, chosen: Chosen) -> "Steps[None]":
    """Take Scumble's layers out of what is held."""
    clone = snapshot._clone
    if clone is None:
        return
    if chosen.left_out:
        yield from leave_out(clone, chosen.left_out, chosen.target.box)
    while not is_idle(clone):
        yield


def close_clone(clone: "Document | None") -> None:
    """Throw a clone away, whatever is left of it: layer by layer, since freeing the pixels of one takes its time."""
    if clone is None:
        return
    try:
        root = clone.rootNode() if is_open(clone) else None
        layers = [] if root is None else children(root)
        if root is not None and len(layers) > 1 and QtCore.QCoreApplication.instance() is not None:
            root.setChildNodes([])  # takes the lowest one out, and composes nothing
            if len(children(root)) < len(layers):
                del layers
                QtCore.QTimer.singleShot(0, lambda: close_clone(clone))
                return
        if root is not None:
            clone.setModified(False)
            clone.close()
    except RuntimeError:  # Krita is closing and has deleted it
        return


def guarded(steps: "Steps[T]") -> "Steps[T]":
    """The same steps, from which nothing but HostError comes out."""
    try:
        return (yield from steps)
    except HostError:
        raise
    except Exception as error:
        message = tr("Krita could not read the picture ({why}): is the document still open?")
        raise HostError(message.format(why=error)) from error


def _carried(space: Space, profiles: Profiles) -> "Steps[tuple[Space, bytes]]":
    """The space that Krita converts to, and its profile."""
    plain = space if space.model not in ("RGBA", "GRAYA") else replace(space, model="XYZA")
    travelling = carrier(plain, profiles.known())
    profile = yield from profiles.travelling(travelling)
    return (replace(travelling, profile=SRGB), b"") if profile is None else (travelling, profile)


def _from_grey(depth: str) -> Convert:
    return lambda pixels, _width, _height: grey_to_rgba(pixels, depth)


def _rows_of(pixels: bytes, box: Box, space: Space) -> Read:
    """Reads whole rows from a copy of the box."""
    row = box.width * space.pixel_bytes

    def read(_x: int, y: int, _width: int, height: int) -> bytes:
        return pixels[(y - box.y) * row : (y - box.y + height) * row]

    return read


def _released(_x: int, _y: int, _width: int, _height: int) -> bytes:
    raise HostError(tr("The picture was let go before it was read: press Refine again."))
