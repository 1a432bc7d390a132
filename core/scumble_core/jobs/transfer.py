"""Pictures between the wire and the job folder, piece by piece, through plain file reads and writes.

Not through the memory map: its pages would count as this process's memory until the system takes them back.
"""

from pathlib import Path
from typing import Any

import numpy as np

from scumble_bridge.fields import DEPTH_BYTES, LAYOUT_CHANNELS, Depth, Layout, PictureHeader
from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture, write_failed

DTYPES: dict[str, np.dtype[Any]] = {"u8": np.dtype("u1"), "u16": np.dtype("<u2"), "f32": np.dtype("<f4")}
DEPTHS: dict[str, Depth] = {"uint8": "u8", "uint16": "u16", "float32": "f32"}


class Intake:
    """A picture that comes in. The room on the disk is taken at once."""

    def __init__(self, path: Path, header: PictureHeader) -> None:
        self._path = path
        self._header = header
        extent = Extent(header.width, header.height)
        picture = Picture.create(path, extent, LAYOUT_CHANNELS[header.layout], DTYPES[header.depth])
        self._file = path.open("r+b")
        self._file.seek(picture.offset)
        self._part = b""  # of a pixel whose rest is under way
        self.received = 0

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self._header.total_bytes - self.received

    def take(self, offset: int, data: bytes) -> None:
        """The next piece. Raises PictureError or ScumbleError."""
        if offset != self.received or len(data) > self.missing:
            raise PictureError(
                f"{self._path.stem} came with {len(data)} bytes at {offset}, but {self.missing} at {self.received} "
                "are missing: send its pieces in order and submit the job again."
            )
        self.received += len(data)
        data = self._part + data
        whole = len(data) - len(data) % _pixel_bytes(self._header)
        self._part = data[whole:]
        try:
            self._file.write(reordered(data[:whole], self._header))
            if not self.missing:
                self._file.close()
        except OSError as error:
            raise write_failed(self._path, error) from error

    def close(self) -> None:
        self._file.close()


class ResultReader:
    """A result, from the job folder, as the client wants it."""

    def __init__(self, path: Path, layout: Layout) -> None:
        picture = Picture.open(path)
        depth = DEPTHS[picture.dtype.name]
        self.header = PictureHeader(picture.extent.width, picture.extent.height, depth, layout)
        self._start = picture.offset
        self._path = path

    def read(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on; any offset, also amid a pixel."""
        pixel = _pixel_bytes(self.header)
        first = offset - offset % pixel
        end = -(-(offset + size) // pixel) * pixel
        try:
            with self._path.open("rb") as file:
                file.seek(self._start + first)
                data = file.read(end - first)
        except OSError as error:
            raise PictureError(f"{self._path} can't be read ({error.strerror}): run the job again.") from error
        if len(data) != end - first:
            raise PictureError(f"{self._path} is shorter than it was: run the job again.")
        return reordered(data, self.header)[offset - first : offset - first + size]


def reordered(data: bytes, header: PictureHeader) -> bytes:
    """Whole pixels between the wire's order of channels and RGBA: the same swap both ways."""
    if header.layout != "bgra":
        return data
    pixels = np.frombuffer(data, DTYPES[header.depth]).reshape(-1, 4)
    return pixels[:, [2, 1, 0, 3]].tobytes()


def check_pictures(source: PictureHeader, selection: PictureHeader | None) -> None:
    """PictureError when they can't be a job's pictures."""
    if not source.total_bytes or source.layout == "mask":
        raise PictureError(
            f"The source is {source.width} x {source.height}, {source.layout}: send pixels, rgba or bgra."
        )
    if selection is not None and selection != PictureHeader(source.width, source.height, "u8", "mask"):
        raise PictureError(
            f"The selection is {selection.width} x {selection.height}, {selection.depth}, {selection.layout}: "
            f"send a mask of {source.width} x {source.height}, u8, like the source."
        )


def _pixel_bytes(header: PictureHeader) -> int:
    return DEPTH_BYTES[header.depth] * LAYOUT_CHANNELS[header.layout]
