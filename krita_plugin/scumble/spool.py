"""A result on its way in: kept in a file, so that Krita's memory doesn't hold it twice."""

import tempfile

from scumble.host.base import HostError
from scumble_bridge.fields import PictureHeader


class Spool:
    """Bytes come in order; rows are read back once all are there."""

    def __init__(self, header: PictureHeader) -> None:
        self._header = header
        self._file = tempfile.TemporaryFile(prefix="scumble-")  # noqa: SIM115 - it lives as long as the job
        self.received = 0

    @property
    def header(self) -> PictureHeader:
        return self._header

    @property
    def is_whole(self) -> bool:
        return self.received == self._header.total_bytes

    def take(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        """The next piece. Raises HostError when the disk is full or a piece is missing."""
        if offset != self.received:
            raise HostError("The result came in the wrong order: press Refine again.")
        try:
            self._file.write(data)
        except OSError as error:
            raise HostError(
                f"The result can't be kept in {tempfile.gettempdir()} ({error.strerror}): free some room."
            ) from error
        self.received += len(data)

    def rows(self, top: int, count: int) -> bytes:
        self._file.seek(top * self._header.row_bytes)
        return self._file.read(count * self._header.row_bytes)

    def close(self) -> None:
        self._file.close()
