"""The picture that a run sends: read from the host once, and kept for as long as it may be asked for again."""

import logging

from scumble.geometry import Box
from scumble.host.contract import HostError, Snapshot, Target
from scumble.runs.spool import Spool
from scumble_bridge.fields import DEPTH_BYTES, LAYOUT_CHANNELS, PictureHeader

_log = logging.getLogger("scumble.panel")


class Source:
    """Reads a snapshot in order, and keeps its bytes in a file meanwhile: a core that lost them gets them again, also
    after the snapshot was released, which happens as soon as all was read.

    Where the file can't be kept (a full disk) the snapshot itself stays.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.header = snapshot.header
        self.profile = snapshot.profile
        self.selection = snapshot.selection
        self.target = snapshot.target
        self._snapshot: Snapshot | None = snapshot
        self._spool: Spool | None = None
        self._owners = 1
        try:
            self._spool = Spool(self.header)
        except HostError as error:
            _log.warning("%s", error)

    @property
    def is_kept(self) -> bool:
        """Whether all of it can be read without the document."""
        return self._spool is not None and self._spool.is_whole

    def read(self, offset: int, size: int) -> bytes:
        """Raises HostError."""
        spool = self._spool
        if spool is not None and offset + size <= spool.received:
            return spool.read(offset, size)
        if self._snapshot is None:
            raise HostError("the picture is not kept any more")
        data = self._snapshot.read(offset, size)
        if spool is not None and offset == spool.received:
            self._keep(spool, offset, data)
        return data

    def rows(self, top: int, count: int) -> bytes:
        """Whole rows. Raises HostError."""
        return self.read(top * self.header.row_bytes, count * self.header.row_bytes)

    def shared(self) -> "Source":
        """Itself, for one more, who releases it as well."""
        self._owners += 1
        return self

    def release(self) -> None:
        """The last one who does lets go of all."""
        self._owners -= 1
        if self._owners > 0:
            return
        if self._snapshot is not None:
            self._snapshot.release()
            self._snapshot = None
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _keep(self, spool: Spool, offset: int, data: bytes) -> None:
        try:
            spool.take(offset, data)
        except HostError as error:
            _log.warning("%s", error)
            spool.close()
            self._spool = None
            return
        if spool.is_whole and self._snapshot is not None:
            self._snapshot.release()
            self._snapshot = None


class Part:
    """A box of a snapshot, as a snapshot of its own: for the trial of one tile."""

    def __init__(self, whole: Snapshot, box: Box) -> None:
        """`box`: on the canvas, within the snapshot's."""
        self._whole = whole
        target = whole.target
        self._box = box.moved(-target.box.x, -target.box.y)
        self.target = Target(target.document, target.file, target.canvas, box, None, target.layer)
        self.header = PictureHeader(box.width, box.height, whole.header.depth, whole.header.layout)

    @property
    def profile(self) -> bytes:
        return self._whole.profile

    @property
    def selection(self) -> "bytes | None":
        """The trial shows the tile as it would become everywhere."""
        return None

    def read(self, offset: int, size: int) -> bytes:
        """Row by row from the whole."""
        row_bytes, pieces = self.header.row_bytes, []
        end = offset + size
        while offset < end:
            row, column = divmod(offset, row_bytes)
            length = min(row_bytes - column, end - offset)
            pieces.append(self._whole.read(self._at(row) + column, length))
            offset += length
        return b"".join(pieces)

    def release(self) -> None:
        self._whole.release()

    def _at(self, row: int) -> int:
        header = self._whole.header
        pixel = DEPTH_BYTES[header.depth] * LAYOUT_CHANNELS[header.layout]
        return (self._box.y + row) * header.row_bytes + self._box.x * pixel
