"""PNG with 8 or 16 bits, sRGB-tagged, with text in it."""

import struct
import zlib

import imagecodecs
import numpy as np

from scumble_core.files.read import Pixels

_AFTER_HEADER = 8 + 25  # the signature and IHDR


def encode_png(pixels: Pixels, text: dict[str, str] | None = None, level: int = 6) -> bytes:
    """H x W x 4, uint8 or uint16 (float32 becomes uint16). `text` goes into iTXt chunks."""
    if pixels.dtype.kind == "f":
        pixels = np.round(np.clip(pixels, 0, 1) * 65535).astype(np.uint16)
    encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=level))
    extra = _chunk(b"sRGB", b"\0")
    for key, value in (text or {}).items():
        extra += _chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + value.encode("utf-8"))
    return encoded[:_AFTER_HEADER] + extra + encoded[_AFTER_HEADER:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
