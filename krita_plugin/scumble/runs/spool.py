"""Pictures on their way, kept in files so that Krita's memory doesn't hold them twice."""

import contextlib
import tempfile
from pathlib import Path
from typing import IO

from scumble.host.contract import HostError
from scumble.words import tr
from scumble_bridge.fields import PictureHeader
from scumble_bridge.places import data_folder


def open_spool() -> "IO[bytes]":
    """A file without a name. In the data folder: the system's own place for such files may lie in memory.

    Raises OSError.
    """
    folder = _place()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(prefix="scumble-", dir=folder)
    except OSError:
        return tempfile.TemporaryFile(prefix="scumble-")


class Spool:
    """Bytes come in order; rows are read back once all are there. A Result of the host's contract."""

    def __init__(self, header: PictureHeader) -> None:
        """Raises HostError."""
        self._header = header
        self.received = 0
        try:
            self._file = open_spool()
        except OSError as error:
            raise _full(error) from error

    @property
    def header(self) -> PictureHeader:
        return self._header

    @property
    def is_whole(self) -> bool:
        return self.received == self._header.total_bytes

    def take(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        """The next piece. Raises HostError when the disk is full or a piece is missing."""
        if offset != self.received or self.received + len(data) > self._header.total_bytes:
            raise HostError(tr("The result came in the wrong order: run it again."))
        try:
            self._file.seek(offset)
            self._file.write(data)
        except OSError as error:
            raise _full(error) from error
        self.received += len(data)

    def rows(self, top: int, count: int) -> bytes:
        """Raises HostError."""
        return self.read(top * self._header.row_bytes, count * self._header.row_bytes)

    def read(self, offset: int, size: int) -> bytes:
        """Raises HostError."""
        try:
            self._file.seek(offset)
            data = self._file.read(size)
        except OSError as error:
            raise _full(error) from error
        if len(data) != size:
            raise HostError(tr("The picture in {folder} is cut short: run it again.").format(folder=_place()))
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def _full(error: OSError) -> HostError:
    return HostError(
        tr("The picture can't be kept in {folder} ({reason}): free some room.").format(
            folder=_place(), reason=error.strerror or str(error)
        )
    )


def _place() -> Path:
    return data_folder() / "spool"
