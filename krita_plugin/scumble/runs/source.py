"""The picture that a run sends: read from the host once, and kept for as long as it may be asked for again."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from scumble.geometry import Box
from scumble.host.contract import HostError, Mask, Snapshot, Target
from scumble.runs.order import mask_header
from scumble.runs.spool import Spool
from scumble_bridge.fields import DEPTH_BYTES, LAYOUT_CHANNELS, PictureHeader
from scumble_bridge.qt_adapter import PIECE

# Offset, size: bytes.
Read = Callable[[int, int], bytes]
# A byte of a mask is a pixel, for which Krita gives up to eight: as many pixels a turn as in a piece of a picture.
MASK_PIECE = 128 * 1024
_log = logging.getLogger("scumble.panel")


class Sending(NamedTuple):
    """What goes out as one stream: its bytes in all, what reads them, and how many may be read in one turn."""

    total: int
    read: Read
    piece: int = PIECE


class Source:
    """Reads a snapshot and its masks in order, and keeps their bytes in files meanwhile: a core that lost them gets
    them again, also after the snapshot was released, which happens as soon as all was read.

    Where a file can't be kept (a full disk) the snapshot itself stays.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.header = snapshot.header
        self.profile = snapshot.profile
        self.selection = snapshot.selection
        self.target = snapshot.target
        self._snapshot: Snapshot | None = snapshot
        self._owners = 1
        mask = mask_header(self.header)
        masks = {f"region-{number}": region for number, region in enumerate(snapshot.regions, start=1)}
        if snapshot.strength is not None:
            masks["strength"] = snapshot.strength
        self._picture = _Stream(self.header, snapshot.read)
        self._masks = {name: _Stream(mask, each.read) for name, each in masks.items()}

    @property
    def is_kept(self) -> bool:
        """Whether all of it can be read without the document."""
        return self._picture.is_whole and all(each.is_whole for each in self._masks.values())

    def read(self, offset: int, size: int) -> bytes:
        """Of the picture. Raises HostError."""
        return self._read(self._picture, offset, size)

    def rows(self, top: int, count: int) -> bytes:
        """Whole rows. Raises HostError."""
        return self.read(top * self.header.row_bytes, count * self.header.row_bytes)

    def stream(self, name: str) -> Sending:
        """The stream of this name on the wire."""
        if name in ("profile", "selection"):
            whole = self.profile if name == "profile" else self.selection or b""
            return Sending(len(whole), lambda offset, size: whole[offset : offset + size])
        stream = self._picture if name == "source" else self._masks[name]
        piece = PIECE if name == "source" else MASK_PIECE
        return Sending(stream.header.total_bytes, lambda offset, size: self._read(stream, offset, size), piece)

    def shared(self) -> "Source":
        """Itself, for one more, who releases it as well."""
        self._owners += 1
        return self

    def release(self) -> None:
        """The last one who does lets go of all."""
        self._owners -= 1
        if self._owners > 0:
            return
        self._let_go()
        for stream in (self._picture, *self._masks.values()):
            stream.close()

    def _read(self, stream: "_Stream", offset: int, size: int) -> bytes:
        data = stream.read(offset, size)
        if self._snapshot is not None and self.is_kept:
            self._let_go()
        return data

    def _let_go(self) -> None:
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is not None:
            snapshot.release()
            for stream in (self._picture, *self._masks.values()):
                stream.forget()


class _Stream:
    """One picture, read through to a file."""

    def __init__(self, header: PictureHeader, read: Read) -> None:
        self.header = header
        self._read: Read | None = read
        self._spool: Spool | None = None
        try:
            self._spool = Spool(header)
        except HostError as error:
            _log.warning("%s", error)

    @property
    def is_whole(self) -> bool:
        return self._spool is not None and self._spool.is_whole

    def read(self, offset: int, size: int) -> bytes:
        """Raises HostError."""
        spool = self._spool
        if spool is not None and offset + size <= spool.received:
            return spool.read(offset, size)
        if self._read is None:
            raise HostError("the picture is not kept any more")
        data = self._read(offset, size)
        if spool is not None and offset == spool.received:
            self._keep(spool, offset, data)
        return data

    def forget(self) -> None:
        """There is nobody any more who could be asked for what the file hasn't."""
        self._read = None

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _keep(self, spool: Spool, offset: int, data: bytes) -> None:
        try:
            spool.take(offset, data)
        except HostError as error:
            _log.warning("%s", error)
            self.close()


class Part:
    """A box of a snapshot, as a snapshot of its own: for the trial of one tile."""

    def __init__(self, whole: Snapshot, box: Box) -> None:
        """`box`: on the canvas, within the snapshot's."""
        self._whole = whole
        target = whole.target
        self.target = Target(target.document, target.file, target.canvas, box, None, target.layer)
        self.header = PictureHeader(box.width, box.height, whole.header.depth, whole.header.layout)
        inner, mask = box.moved(-target.box.x, -target.box.y), mask_header(whole.header)
        self._picture = _Window(whole, whole.header, inner)
        self.strength = None if whole.strength is None else _Window(whole.strength, mask, inner)
        self.regions = tuple(_Window(region, mask, inner) for region in whole.regions)

    @property
    def profile(self) -> bytes:
        return self._whole.profile

    @property
    def selection(self) -> "bytes | None":
        """The trial shows the tile as it would become everywhere."""
        return None

    def read(self, offset: int, size: int) -> bytes:
        return self._picture.read(offset, size)

    def release(self) -> None:
        self._whole.release()


class _Window:
    """A box of a picture or mask."""

    def __init__(self, whole: Mask, header: PictureHeader, box: Box) -> None:
        """`header`: of the whole."""
        self._whole, self._row_bytes, self._box = whole, header.row_bytes, box
        self._pixel = DEPTH_BYTES[header.depth] * LAYOUT_CHANNELS[header.layout]

    def read(self, offset: int, size: int) -> bytes:
        """Row by row from the whole."""
        row_bytes, pieces, end = self._box.width * self._pixel, [], offset + size
        while offset < end:
            row, column = divmod(offset, row_bytes)
            length = min(row_bytes - column, end - offset)
            pieces.append(self._whole.read(self._at(row) + column, length))
            offset += length
        return b"".join(pieces)

    def _at(self, row: int) -> int:
        return (self._box.y + row) * self._row_bytes + self._box.x * self._pixel
