"""A picture as a .npy file: read and written box by box, never whole in RAM.

Pixels go through plain reads and writes at a place in the file, not through a memory map: touched pages of a map count
as this process's memory until the system takes them back, so that its size would grow with the picture's.
"""

import contextlib
import errno
import io
import math
import os
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.picture.depth import Depth, Floats, all_finite, from_floats, to_floats
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.order import Order, turn

__all__ = ["BAND_VALUES", "Depth", "Floats", "Picture", "from_floats", "to_floats", "write_failed"]

# Rows are read in bands of about this many values, which bounds the working memory of whole-picture passes.
BAND_VALUES = 8_000_000
# One system call moves no more than this: systems refuse, or cut off, what is near 2 GiB.
_LARGEST_TRANSFER = 2**30


class Picture:
    """H x W x C pixels in a .npy file, straight alpha, sRGB-encoded; uint8, uint16 or float32.

    `read` and `write` speak float32, where integers' 0 to 255 or 65535 is 0 to 1; float pictures pass unchanged. Both,
    and their raw kin, speak RGBA, also where the file has another order.
    """

    def __init__(
        self,
        path: Path,
        file: io.FileIO,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        offset: int,
        order: Order = "rgba",
    ) -> None:
        """`offset`: where in the file the pixels begin, in bytes. The picture closes the file when it is let go."""
        self.path = path
        self.dtype = dtype
        self.order = order
        self.offset = offset
        self.channels = shape[2]
        self.extent = Extent(shape[1], shape[0])
        self._file = file
        self._row_bytes = shape[1] * shape[2] * dtype.itemsize
        weakref.finalize(self, file.close)

    @classmethod
    def create(cls, path: Path, extent: Extent, channels: int, dtype: DTypeLike, order: Order = "rgba") -> "Picture":
        """A new picture, all zero. The room is taken on the disk now, so that a full disk shows before any work.

        `order` is for pictures of four channels: how they lie in the file.
        """
        if extent.is_empty:
            raise PictureError(f"{path.name} would have no pixels ({extent.width} x {extent.height}): give it a size.")
        kind = _depth(path, np.dtype(dtype))
        shape = (extent.height, extent.width, channels)
        size = math.prod(shape) * kind.itemsize
        try:
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, _header(shape, kind, order))
                offset = file.tell()
                _reserve(file, path, offset + size)
            return cls(path, path.open("r+b", buffering=0), shape, kind, offset, order)
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            raise write_failed(path, error, size) from error

    @classmethod
    def open(cls, path: Path, writable: bool = False) -> "Picture":
        """The picture kept in this file."""
        try:
            file = path.open("r+b" if writable else "rb", buffering=0)
        except FileNotFoundError as error:
            raise PictureError(f"{path} is missing: run the job again.") from error
        except OSError as error:
            raise _not_whole(path, error) from error
        try:
            shape, kind, offset, order = _read_header(path, file)
            return cls(path, file, shape, kind, offset, order)
        except (OSError, ValueError, EOFError) as error:
            file.close()
            raise _not_whole(path, error) from error
        except PictureError:
            file.close()
            raise

    @property
    def bounds(self) -> Bounds:
        return Bounds.of(self.extent)

    def bands(self) -> Iterator[Bounds]:
        """Bands of whole rows, from the top, each small enough to work on in RAM."""
        rows = max(1, BAND_VALUES // (self.extent.width * self.channels))
        return self.bounds.bands(rows)

    def read(self, bounds: Bounds) -> Floats:
        """The pixels of a box inside the picture, height x width x channels."""
        pixels = self.read_raw(bounds)
        return pixels if pixels.dtype == np.float32 else to_floats(pixels)

    def write(self, bounds: Bounds, pixels: Floats, dither: Point | None = None) -> None:
        """Put pixels into a box inside the picture, rounded to the nearest value and clipped to what it can hold.

        `dither` (8-bit pictures) spreads the rounding by a fixed pattern; it says where in the pattern the picture's
        corner lies: the same pixels give the same bytes whatever the box. Pixels that 8 bits hold exactly stay.
        """
        if not all_finite(pixels):
            raise ScumbleError(
                "internal",
                f"The pixels for {self.path.name} at {bounds.x}, {bounds.y} came out as NaN or infinity: "
                "try other settings or another model.",
            )
        if pixels.dtype != self.dtype:
            pattern = None if dither is None else bounds.translate(dither.x, dither.y).origin
            pixels = from_floats(pixels, self.dtype, pattern if self.dtype == np.uint8 else None)
        self.write_raw(bounds, pixels)

    def read_raw(self, bounds: Bounds) -> NDArray[Any]:
        """A copy of the box in the picture's own type."""
        pixels = np.empty((bounds.height, bounds.width, self.channels), self.dtype)
        if pixels.size:
            data = pixels.data.cast("B")
            for place, start, end in self._runs(bounds):
                self._read_at(place, data[start:end])
            if self.order == "bgra":
                turn(pixels)
        return pixels

    def write_raw(self, bounds: Bounds, pixels: NDArray[Any]) -> None:
        """Put values of the picture's own type into a box."""
        if pixels.dtype != self.dtype or pixels.shape != (bounds.height, bounds.width, self.channels):
            raise ValueError(f"{pixels.dtype} {pixels.shape} does not fit {bounds} of {self.path.name}, {self.dtype}")
        if not pixels.flags.c_contiguous:
            # Row by row: a part of a wider band is not copied as a whole, which would double the working memory.
            for y, row in enumerate(pixels):
                self.write_raw(Bounds(bounds.x, bounds.y + y, bounds.width, 1), np.ascontiguousarray(row)[None])
        elif pixels.size:
            if self.order == "bgra":
                pixels = pixels.copy()  # whose they are, wants them as they were
                turn(pixels)
            data = pixels.data.cast("B")
            for place, start, end in self._runs(bounds):
                self._write_at(place, data[start:end])

    def flush(self) -> None:
        """Other processes see what was written as soon as `write` returns: nothing is held back here."""

    def _runs(self, bounds: Bounds) -> Iterator[tuple[int, int, int]]:
        """What of the box lies in one piece in the file: its place there, its first and last byte in the box."""
        if not self.bounds.contains(bounds):
            raise ValueError(f"{bounds} is not inside {self.path.name}, {self.extent}")
        first = self.offset + bounds.y * self._row_bytes
        if bounds.width == self.extent.width:
            yield first, 0, bounds.height * self._row_bytes
            return
        pixel = self.channels * self.dtype.itemsize
        size = bounds.width * pixel
        first += bounds.x * pixel
        for y in range(bounds.height):
            yield first + y * self._row_bytes, y * size, (y + 1) * size

    def _read_at(self, place: int, data: memoryview) -> None:
        while data:
            part = data[:_LARGEST_TRANSFER]
            if hasattr(os, "preadv"):
                count = os.preadv(self._file.fileno(), [part], place)
            else:
                self._file.seek(place)
                count = self._file.readinto(part)
            if not count:
                raise PictureError(f"{self.path} is shorter than it was: run the job again.")
            data, place = data[count:], place + count

    def _write_at(self, place: int, data: memoryview) -> None:
        try:
            while data:
                part = data[:_LARGEST_TRANSFER]
                if hasattr(os, "pwritev"):
                    count = os.pwritev(self._file.fileno(), [part], place)
                else:
                    self._file.seek(place)
                    count = self._file.write(part)
                data, place = data[count:], place + count
        except OSError as error:
            raise write_failed(self.path, error) from error


def _header(shape: tuple[int, int, int], kind: np.dtype[Any], order: Order) -> dict[str, Any]:
    """What a .npy file says of its pixels: another order than RGBA by the names of each pixel's four parts."""
    value = np.lib.format.dtype_to_descr(kind)
    if order == "rgba":
        return {"descr": value, "fortran_order": False, "shape": shape}
    return {"descr": [(name, value) for name in order], "fortran_order": False, "shape": shape[:2]}


def _read_header(path: Path, file: io.FileIO) -> tuple[tuple[int, int, int], np.dtype[Any], int, Order]:
    """Shape, type, the pixels' offset and order of a .npy file that is long enough for them."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, kind = read(file)
    order: Order = "rgba"
    if kind.names == tuple("bgra") and kind == np.dtype([(name, kind["b"]) for name in kind.names]):
        shape, kind, order = (*shape, 4), kind["b"], "bgra"
    if by_columns or len(shape) != 3 or 0 in shape:
        raise PictureError(f"{path} holds an array of shape {shape}, not a picture: run the job again.")
    kind = _depth(path, kind)
    offset = file.tell()
    missing = offset + math.prod(shape) * kind.itemsize - path.stat().st_size
    if missing > 0:
        raise ValueError(f"{missing} bytes are missing")
    return (shape[0], shape[1], shape[2]), kind, offset, order


def _not_whole(path: Path, error: Exception) -> PictureError:
    return PictureError(f"{path} is not a whole picture ({error}): run the job again.")


def write_failed(path: Path, error: OSError, size: int = 0) -> ScumbleError:
    """One sentence for a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        need = f" ({size / 1e6:,.0f} MB needed)" if size else ""
        return ScumbleError(
            "disk_full", f"The disk is full at {path.parent}{need}: free some room there and try again."
        )
    if isinstance(error, FileNotFoundError):
        return PictureError(f"The folder {path.parent} does not exist: make it, or choose another.")
    if isinstance(error, PermissionError):
        return PictureError(f"{path} may not be written: choose a folder that is yours.")
    return PictureError(f"{path} could not be written ({error.strerror or error}): choose another place.")


def _depth(path: Path, kind: np.dtype[Any]) -> np.dtype[Any]:
    if kind not in (np.uint8, np.uint16, np.float32):
        raise PictureError(f"{path.name} is of type {kind}, but pictures are uint8, uint16 or float32.")
    return kind


def _reserve(file: BinaryIO, path: Path, size: int) -> None:
    """Make the file `size` bytes long with real room behind it."""
    if shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
    file.truncate(size)
