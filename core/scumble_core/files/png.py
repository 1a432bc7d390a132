"""PNG with 8 or 16 bits, its profile and text in it, written a band of rows at a time."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from scumble_core.files.read import Pixels
from scumble_core.picture.geometry import Extent

Bytes = NDArray[np.uint8]
_COLOUR_WITH_ALPHA = 6


def write_png(
    file: BinaryIO, extent: Extent, bands: Iterable[Pixels], text: Mapping[str, str] | None = None,
    profile: bytes | None = None, level: int = 6,
) -> None:  # fmt: skip
    """A picture of `extent` from its bands of rows (... x W x 4, all uint8 or all uint16), from the top.

    `text` goes into iTXt chunks; `profile` (ICC) into iCCP, and without one the picture is tagged as sRGB.
    """
    file.write(b"\x89PNG\r\n\x1a\n")
    above: Bytes | None = None
    packer = zlib.compressobj(level)
    for band in bands:
        wide = band.dtype == np.uint16
        rows = np.ascontiguousarray(band, ">u2" if wide else np.uint8).view(np.uint8).reshape(len(band), -1)
        if above is None:
            above = np.zeros(rows.shape[1], np.uint8)
            header = struct.pack(
                ">IIBBBBB", extent.width, extent.height, 16 if wide else 8, _COLOUR_WITH_ALPHA, 0, 0, 0
            )
            file.write(_chunk(b"IHDR", header) + _colour_chunk(profile))
            for key, value in (text or {}).items():
                file.write(_chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + value.encode("utf-8")))
        packed = packer.compress(_filtered(rows, above, 8 if wide else 4).data)
        if packed:
            file.write(_chunk(b"IDAT", packed))
        above = rows[-1]
    file.write(_chunk(b"IDAT", packer.flush()) + _chunk(b"IEND", b""))


def _colour_chunk(profile: bytes | None) -> bytes:
    if profile is None:
        return _chunk(b"sRGB", b"\0")
    return _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))


def _filtered(rows: Bytes, above: Bytes, pixel: int) -> Bytes:
    """Each row as its difference from the pixel to the left, the row above or Paeth's choice of these.

    As the PNG specification (section 12.7) advises, the one whose differences are smallest in sum.
    """
    up = np.concatenate((above[None], rows[:-1]))
    left, corner = (np.pad(values[:, :-pixel], ((0, 0), (pixel, 0))) for values in (rows, up))
    kinds = {1: rows - left, 2: rows - up, 4: rows - _paeth(left, up, corner)}
    costs = [np.abs(differences.view(np.int8).astype(np.int16)).sum(axis=1) for differences in kinds.values()]
    best = np.argmin(costs, axis=0)
    out = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    for number, (kind, differences) in enumerate(kinds.items()):
        chosen = best == number
        out[chosen, 0] = kind
        out[chosen, 1:] = differences[chosen]
    return out


def _paeth(left: Bytes, up: Bytes, corner: Bytes) -> Bytes:
    """Section 9.4: whichever of the three is nearest to left + up - corner."""
    a, b, c = (values.astype(np.int16) for values in (left, up, corner))
    to_left, to_up, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    is_left = (to_left <= to_up) & (to_left <= to_corner)
    return np.where(is_left, left, np.where(to_up <= to_corner, up, corner))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
