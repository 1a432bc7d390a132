"""A picture as a memory-mapped .npy file: read and written box by box, never whole in RAM."""

import contextlib
import errno
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.picture.geometry import Bounds, Extent

Depth = Literal["uint8", "uint16", "float32"]
Floats = NDArray[np.float32]

# Rows are read in bands of about this many values, which bounds the working memory of whole-picture passes.
BAND_VALUES = 8_000_000


class Picture:
    """H x W x C pixels in a .npy file, straight alpha, sRGB-encoded; uint8, uint16 or float32.

    `read` and `write` speak float32, where integers' 0 to 255 or 65535 is 0 to 1; float pictures pass unchanged.
    """

    def __init__(self, path: Path, pixels: "np.memmap[Any, np.dtype[Any]]") -> None:
        self.path = path
        self.pixels = pixels

    @classmethod
    def create(cls, path: Path, extent: Extent, channels: int, dtype: DTypeLike) -> "Picture":
        """A new picture, all zero. The room is taken on the disk now, so that a full disk shows before any work."""
        if extent.is_empty:
            raise PictureError(f"{path.name} would have no pixels ({extent.width} x {extent.height}): give it a size.")
        kind = _depth(path, np.dtype(dtype))
        shape = (extent.height, extent.width, channels)
        size = math.prod(shape) * kind.itemsize
        try:
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(
                    file, {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
                )
                offset = file.tell()
                _reserve(file, path, offset + size)
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            raise write_failed(path, error, size) from error
        return cls(path, np.memmap(path, dtype=kind, mode="r+", offset=offset, shape=shape))

    @classmethod
    def open(cls, path: Path, writable: bool = False) -> "Picture":
        """The picture kept in this file."""
        try:
            pixels = np.lib.format.open_memmap(path, mode="r+" if writable else "r")
        except FileNotFoundError as error:
            raise PictureError(f"{path} is missing: run the job again.") from error
        except (OSError, ValueError, EOFError) as error:
            raise PictureError(f"{path} is not a whole picture ({error}): run the job again.") from error
        if pixels.ndim != 3 or 0 in pixels.shape:
            raise PictureError(f"{path} holds an array of shape {pixels.shape}, not a picture: run the job again.")
        _depth(path, pixels.dtype)
        return cls(path, pixels)

    @property
    def extent(self) -> Extent:
        return Extent(self.pixels.shape[1], self.pixels.shape[0])

    @property
    def bounds(self) -> Bounds:
        return Bounds.of(self.extent)

    @property
    def channels(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.pixels.dtype

    def bands(self) -> Iterator[Bounds]:
        """Bands of whole rows, from the top, each small enough to work on in RAM."""
        rows = max(1, BAND_VALUES // (self.extent.width * self.channels))
        return self.bounds.bands(rows)

    def read(self, bounds: Bounds) -> Floats:
        """The pixels of a box inside the picture, height x width x channels."""
        return to_floats(self.read_raw(bounds))

    def write(self, bounds: Bounds, pixels: Floats, dither: bool = False) -> None:
        """Put pixels into a box inside the picture, rounded to the nearest value and clipped to what it can hold.

        `dither` (8-bit pictures) spreads the rounding by a fixed pattern of the picture's own coordinates: the same
        pixels give the same bytes whatever the box. Pixels that 8 bits hold exactly stay as they are.
        """
        if not np.isfinite(pixels).all():
            raise ScumbleError(
                "internal",
                f"The pixels for {self.path.name} at {bounds.x}, {bounds.y} came out as NaN or infinity: "
                "try other settings or another model.",
            )
        pattern = _dither_pattern(bounds)[..., None] if dither and self.dtype == np.uint8 else 0.5
        self.write_raw(bounds, from_floats(pixels, self.dtype, pattern))

    def read_raw(self, bounds: Bounds) -> NDArray[Any]:
        """A copy of the box in the picture's own type."""
        return np.array(self.pixels[self._inside(bounds)])

    def write_raw(self, bounds: Bounds, pixels: NDArray[Any]) -> None:
        """Put values of the picture's own type into a box."""
        if pixels.dtype != self.dtype or pixels.shape != (bounds.height, bounds.width, self.channels):
            raise ValueError(f"{pixels.dtype} {pixels.shape} does not fit {bounds} of {self.path.name}, {self.dtype}")
        self.pixels[self._inside(bounds)] = pixels

    def flush(self) -> None:
        self.pixels.flush()

    def _inside(self, bounds: Bounds) -> tuple[slice, slice]:
        if not self.bounds.contains(bounds):
            raise ValueError(f"{bounds} is not inside {self.path.name}, {self.extent}")
        return bounds.slices


def to_floats(pixels: NDArray[Any]) -> Floats:
    """Integers to 0 to 1; floats unchanged."""
    floats = pixels.astype(np.float32)
    if pixels.dtype.kind == "u":
        floats /= np.float32(np.iinfo(pixels.dtype).max)
    return floats


def from_floats(pixels: Floats, dtype: DTypeLike, threshold: float | Floats = 0.5) -> NDArray[Any]:
    """The opposite of `to_floats`, rounded to nearest. `threshold` (0 to 1) is where a fraction rounds up."""
    kind = np.dtype(dtype)
    if kind.kind != "u":
        return pixels.astype(kind)
    top = np.iinfo(kind).max
    return cast(NDArray[Any], np.floor(np.clip(pixels, 0, 1) * np.float32(top) + threshold).astype(kind))


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
    """Make the file `size` bytes long with real room behind it: a hole would be a bus error on a full disk."""
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


def _dither_pattern(bounds: Bounds) -> Floats:
    """Interleaved gradient noise: an even pattern between 0 and 1, a function of the absolute place alone."""
    x = np.arange(bounds.x, bounds.right, dtype=np.float64)[None, :]
    y = np.arange(bounds.y, bounds.bottom, dtype=np.float64)[:, None]
    noise = np.mod(52.9829189 * np.mod(0.06711056 * x + 0.00583715 * y, 1), 1)
    # Kept off 0 and 1, so that float rounding can't push an exact value to its neighbour.
    return (0.005 + 0.99 * noise).astype(np.float32)
