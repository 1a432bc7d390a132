"""Pictures between the wire and the job folder, piece by piece, through plain file reads and writes.

Half floats are kept as float32, which is what pictures are worked on in; their results go back as halves.

Not through the memory map: its pages would count as this process's memory until the system takes them back.
"""

import io
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from scumble_bridge.fields import DEPTH_BYTES, LAYOUT_CHANNELS, Depth, Layout, PictureHeader
from scumble_bridge.frames import Buffer
from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Extent
from scumble_core.picture.order import Order, turn
from scumble_core.picture.storage import Picture, write_failed

# How a depth's values come over the wire, and how they lie in the job folder.
DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype("u1"), "u16": np.dtype("<u2"), "f16": np.dtype("<f2"), "f32": np.dtype("<f4"),
}  # fmt: skip
KEPT: dict[str, np.dtype[Any]] = {**DTYPES, "f16": np.dtype("<f4")}
DEPTHS: dict[str, Depth] = {"uint8": "u8", "uint16": "u16", "float32": "f32"}
# The largest half float: beyond it would be infinity.
_MOST_HALF = 65504.0
# Pixels that are turned at once: what is made on the way stays in the processor's cache.
_CACHED = 64 * 1024


class Intake(ABC):
    """A stream that comes in, in order, into a file."""

    def __init__(self, path: Path, total: int) -> None:
        self.path = path
        self._total = total
        self._file: io.FileIO | None = None
        self.received = 0

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self._total - self.received

    def take(self, offset: int, data: Buffer) -> None:
        """The next piece. Raises PictureError or ScumbleError."""
        if offset != self.received or len(data) > self.missing:
            raise PictureError(
                f"{self.path.stem} came with {len(data)} bytes at {offset}, but {self.missing} at {self.received} "
                "are missing: send its pieces in order and submit the job again."
            )
        self.received += len(data)
        try:
            self._write(self._kept(data))
            if not self.missing:
                self.close()
        except OSError as error:
            raise write_failed(self.path, error) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @abstractmethod
    def _kept(self, data: Buffer) -> memoryview:
        """What of a piece is to be written now."""

    def _write(self, data: memoryview) -> None:
        while len(data) and self._file is not None:
            data = data[self._file.write(data) :]


class PictureIntake(Intake):
    """A picture or a mask. The room on the disk is taken at once."""

    def __init__(self, path: Path, header: PictureHeader) -> None:
        super().__init__(path, header.total_bytes)
        self._header = header
        extent = Extent(header.width, header.height)
        order: Order = "bgra" if header.layout == "bgra" else "rgba"  # as it comes, so that no pixel is touched here
        picture = Picture.create(path, extent, LAYOUT_CHANNELS[header.layout], KEPT[header.depth], order)
        self._file = path.open("r+b", buffering=0)
        self._file.seek(picture.offset)
        self._part = b""  # of a value whose rest is under way

    def _kept(self, data: Buffer) -> memoryview:
        if self._header.depth != "f16":
            return memoryview(data)
        data = self._part + data
        whole = len(data) - len(data) % DTYPES["f16"].itemsize
        self._part = data[whole:]
        return memoryview(np.frombuffer(data[:whole], DTYPES["f16"]).astype(KEPT["f16"]).tobytes())


class ProfileIntake(Intake):
    """Bytes that are kept as they come."""

    def __init__(self, path: Path, total: int) -> None:
        super().__init__(path, total)
        self._file = path.open("wb", buffering=0)

    def _kept(self, data: Buffer) -> memoryview:
        return memoryview(data)


class ResultReader:
    """A result, from the job folder, as the client wants it. Its file stays open from the first `read` to `close`."""

    def __init__(self, path: Path, layout: Layout, depth: Depth | None = None) -> None:
        """`depth`: "f16" for a result that is kept as float32, but goes out in halves."""
        picture = Picture.open(path)
        kept = DEPTHS[picture.dtype.name]
        own: Depth = "f16" if (kept, depth) == ("f32", "f16") else kept
        self.header = PictureHeader(picture.extent.width, picture.extent.height, own, layout)
        self._start = picture.offset
        self._turns = layout not in ("mask", picture.order)
        self._path = path
        self._file: io.FileIO | None = None

    def read(self, offset: int, size: int) -> Buffer:
        """The bytes from `offset` on; any offset, also amid a pixel."""
        pixel = _pixel_bytes(self.header)
        first = offset - offset % pixel
        end = -(-(offset + size) // pixel) * pixel
        larger = KEPT[self.header.depth].itemsize // DTYPES[self.header.depth].itemsize
        pixels = self._read_kept(first * larger, (end - first) * larger)
        if self.header.depth == "f16":
            floats = np.clip(np.frombuffer(pixels, KEPT["f16"]), -_MOST_HALF, _MOST_HALF)
            pixels = memoryview(bytearray(floats.astype(DTYPES["f16"]).tobytes()))
        if self._turns:
            turn(np.frombuffer(pixels, DTYPES[self.header.depth]))
        return pixels[offset - first : offset - first + size]

    def close(self) -> None:
        """Let go of the file; a later `read` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_kept(self, start: int, size: int) -> memoryview:
        pixels = memoryview(bytearray(size))
        try:
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            self._file.seek(self._start + start)
            come = 0
            while come < size and (count := self._file.readinto(pixels[come:])):
                come += count
        except OSError as error:
            raise PictureError(f"{self._path} can't be read ({error.strerror}): run the job again.") from error
        if come < size:
            raise PictureError(f"{self._path} is shorter than it was: run the job again.")
        return pixels


def _pixel_bytes(header: PictureHeader) -> int:
    return DEPTH_BYTES[header.depth] * LAYOUT_CHANNELS[header.layout]
