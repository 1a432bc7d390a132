"""Pictures between the wire and the job folder, piece by piece, through plain file reads and writes.

Not through the memory map: its pages would count as this process's memory until the system takes them back.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from scumble_bridge.fields import DEPTH_BYTES, LAYOUT_CHANNELS, Depth, Layout, PictureHeader
from scumble_bridge.frames import Buffer
from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture, write_failed

DTYPES: dict[str, np.dtype[Any]] = {"u8": np.dtype("u1"), "u16": np.dtype("<u2"), "f32": np.dtype("<f4")}
DEPTHS: dict[str, Depth] = {"uint8": "u8", "uint16": "u16", "float32": "f32"}
# Pixels that are turned at once: what is made on the way stays in the processor's cache.
_CACHED = 32 * 1024


class Intake:
    """A picture that comes in. The room on the disk is taken at once."""

    def __init__(self, path: Path, header: PictureHeader) -> None:
        self._path = path
        self._header = header
        extent = Extent(header.width, header.height)
        picture = Picture.create(path, extent, LAYOUT_CHANNELS[header.layout], DTYPES[header.depth])
        self._file = path.open("r+b", buffering=0)
        self._file.seek(picture.offset)
        self._part = b""  # of a pixel whose rest is under way
        self.received = 0

    @property
    def missing(self) -> int:
        """How many bytes are still to come."""
        return self._header.total_bytes - self.received

    def take(self, offset: int, data: Buffer) -> None:
        """The next piece; a bytearray is used up. Raises PictureError or ScumbleError."""
        if offset != self.received or len(data) > self.missing:
            raise PictureError(
                f"{self._path.stem} came with {len(data)} bytes at {offset}, but {self.missing} at {self.received} "
                "are missing: send its pieces in order and submit the job again."
            )
        self.received += len(data)
        if self._part or not isinstance(data, bytearray):
            data = bytearray(self._part + data)
        pixels = memoryview(data)
        whole = len(pixels) - len(pixels) % _pixel_bytes(self._header)
        self._part = bytes(pixels[whole:])
        reorder(pixels[:whole], self._header)
        try:
            self._write(pixels[:whole])
            if not self.missing:
                self._file.close()
        except OSError as error:
            raise write_failed(self._path, error) from error

    def close(self) -> None:
        self._file.close()

    def _write(self, data: memoryview) -> None:
        while len(data):
            data = data[self._file.write(data) :]


class ResultReader:
    """A result, from the job folder, as the client wants it. Its file stays open from the first `read` to `close`."""

    def __init__(self, path: Path, layout: Layout) -> None:
        picture = Picture.open(path)
        depth = DEPTHS[picture.dtype.name]
        self.header = PictureHeader(picture.extent.width, picture.extent.height, depth, layout)
        self._start = picture.offset
        self._path = path
        self._file: io.FileIO | None = None

    def read(self, offset: int, size: int) -> Buffer:
        """The bytes from `offset` on; any offset, also amid a pixel."""
        pixel = _pixel_bytes(self.header)
        first = offset - offset % pixel
        end = -(-(offset + size) // pixel) * pixel
        pixels = memoryview(bytearray(end - first))
        try:
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            self._file.seek(self._start + first)
            come = 0
            while come < len(pixels) and (count := self._file.readinto(pixels[come:])):
                come += count
        except OSError as error:
            raise PictureError(f"{self._path} can't be read ({error.strerror}): run the job again.") from error
        if come < len(pixels):
            raise PictureError(f"{self._path} is shorter than it was: run the job again.")
        reorder(pixels, self.header)
        return pixels[offset - first : offset - first + size]

    def close(self) -> None:
        """Let go of the file; a later `read` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def reorder(pixels: memoryview, header: PictureHeader) -> None:
    """Turn whole pixels in place from the wire's order of channels to RGBA, or back: it is the same swap."""
    if header.layout != "bgra" or not len(pixels):
        return
    if header.depth != "u8":
        channels = np.frombuffer(pixels, DTYPES[header.depth]).reshape(-1, 4)
        kept = channels[:, 0].copy()
        channels[:, 0] = channels[:, 2]
        channels[:, 2] = kept
        return
    # The two differ in some bits: turning just those over in both, whole pixels at a time, swaps them.
    whole = np.frombuffer(pixels, "<u4")
    scratch = np.empty(min(_CACHED, len(whole)), "<u4")
    for start in range(0, len(whole), _CACHED):
        part = whole[start : start + _CACHED]
        differ = scratch[: len(part)]
        np.right_shift(part, np.uint32(16), out=differ)
        differ ^= part
        differ &= np.uint32(0xFF)
        differ *= np.uint32(0x10001)
        part ^= differ


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
