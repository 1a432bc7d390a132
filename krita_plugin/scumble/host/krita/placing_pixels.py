"""The pixels of a result, written into a layer band by band."""

import math
import struct
from array import array
from collections.abc import Callable, Iterable

from krita import Node

from scumble.host.contract import Result, Steps
from scumble.host.krita.colour import rgba_to_grey
from scumble.qt import QtCore
from scumble_bridge.fields import DEPTH_BYTES, Depth, PictureHeader

# Written in one step: some milliseconds, whatever the depth.
BAND_BYTES = 1024 * 1024
CODES: "dict[Depth, str]" = {"u8": "B", "u16": "H", "f16": "H", "f32": "I"}
# Full alpha, as it lies in memory.
OPAQUE: "dict[Depth, bytes]" = {"u8": b"\xff", "u16": b"\xff\xff", "f16": b"\x00\x3c", "f32": b"\x00\x00\x80\x3f"}


def fill(layer: Node, result: Result, x: int, y: int, mask: "Node | None" = None) -> "Steps[bool]":
    """Write all of the result, its left upper corner at `x`, `y`; whether all of it is opaque.

    With a mask, alpha goes into the mask, and what isn't wholly transparent becomes opaque in the layer: both together
    look as the result does. Raises HostError.
    """
    solid = yield from _fill(layer, result, x, y, mask, lambda pixels: pixels)
    return bool(solid)


def fill_grey(layer: Node, result: Result, x: int, y: int, mask: "Node | None" = None) -> "Steps[bool | None]":
    """The same for a grey layer; None, with part of it written, where the result isn't grey."""
    depth = result.header.depth.upper()
    return (yield from _fill(layer, result, x, y, mask, lambda pixels: rgba_to_grey(pixels, depth)))


def _fill(
    layer: Node, result: Result, x: int, y: int, mask: "Node | None", convert: "Callable[[bytes], bytes | None]"
) -> "Steps[bool | None]":
    header = result.header
    opaque = True
    for top, rows in bands(header):
        pixels = result.rows(top, rows)
        place = (x, y + top, header.width, rows)
        opaque = opaque and is_opaque(pixels, header.depth)
        hidden = b""
        if mask is not None:
            pixels, hidden = split_alpha(pixels, header.depth)
        own = convert(pixels)
        if own is None:
            return None
        if mask is not None:
            mask.setPixelData(QtCore.QByteArray(hidden), *place)
        layer.setPixelData(QtCore.QByteArray(own), *place)
        yield
    return opaque


def bands(header: PictureHeader) -> "Iterable[tuple[int, int]]":
    """Top and number of rows of each band."""
    rows = max(1, BAND_BYTES // header.row_bytes)
    return ((top, min(rows, header.height - top)) for top in range(0, header.height, rows))


def is_opaque(pixels: bytes, depth: Depth) -> bool:
    """Whether the alpha of every pixel (four channels, alpha last) is full."""
    alpha = array(CODES[depth], pixels)[3::4]
    return alpha.tobytes() == OPAQUE[depth] * len(alpha)


def split_alpha(pixels: bytes, depth: Depth) -> "tuple[bytes, bytes]":
    """The same pixels, opaque where they aren't wholly transparent, and their alpha with 8 bits."""
    alpha = array(CODES[depth], pixels)[3::4]
    levels = {bits: _level(bits, depth) for bits in set(alpha)}
    hidden = alpha.tobytes() if depth == "u8" else bytes(map(levels.__getitem__, alpha))
    size = DEPTH_BYTES[depth]
    out = bytearray(pixels)
    for byte, value in enumerate(OPAQUE[depth]):
        out[3 * size + byte :: 4 * size] = hidden.translate(bytes([0] + [value] * 255))
    return bytes(out), hidden


def _level(bits: int, depth: Depth) -> int:
    if depth in ("u8", "u16"):
        return bits if depth == "u8" else (bits + 128) // 257
    data = bits.to_bytes(DEPTH_BYTES[depth], "little")
    value: float = struct.unpack("<e" if depth == "f16" else "<f", data)[0]
    return 0 if math.isnan(value) else round(255 * min(1.0, max(0.0, value)))
