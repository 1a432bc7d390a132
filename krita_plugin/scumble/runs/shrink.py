"""A small sRGB picture of a large one, read a row at a time: for the docker and the history."""

import struct
from array import array
from typing import Protocol

from scumble.host.contract import Steps
from scumble.qt import QtCore, QtGui
from scumble_bridge.fields import DEPTH_BYTES, PictureHeader


class Rows(Protocol):
    """Whatever has rows: a source, or a result."""

    @property
    def header(self) -> PictureHeader: ...

    def rows(self, top: int, count: int) -> bytes:
        """Raises HostError."""


def shrunk(picture: Rows, side: int, profile: bytes = b"") -> "Steps[QtGui.QImage]":
    """No larger than `side`, one pixel of many taken for each; a row a step. Raises HostError.

    `profile`: the ICC profile of its colours; nothing: sRGB.
    """
    header = picture.header
    share = min(1.0, side / max(header.width, header.height, 1))
    width, height = max(1, round(header.width * share)), max(1, round(header.height * share))
    columns = [(2 * x + 1) * header.width // (2 * width) for x in range(width)]
    kept = []
    for y in range(height):
        row = picture.rows((2 * y + 1) * header.height // (2 * height), 1)
        kept.append(_sixteen(row, columns, header))
        yield
    image = QtGui.QImage(b"".join(kept), width, height, width * 8, QtGui.QImage.Format.Format_RGBA64).copy()
    yield
    return _in_srgb(image, profile)


def _sixteen(row: bytes, columns: "list[int]", header: PictureHeader) -> bytes:
    """These pixels of a row as 16-bit RGBA."""
    size = DEPTH_BYTES[header.depth] * 4
    picked = b"".join([row[at * size : at * size + size] for at in columns])
    if header.depth == "u8":
        values = array("H", [value * 257 for value in picked])
    elif header.depth == "u16":
        values = array("H", struct.unpack(f"<{len(columns) * 4}H", picked))
    else:
        kind = "e" if header.depth == "f16" else "f"
        floats = struct.unpack(f"<{len(columns) * 4}{kind}", picked)
        # NaN compares as false with all: it becomes black.
        values = array("H", [round(value * 65535) if 0 < value < 1 else 65535 if value >= 1 else 0 for value in floats])
    if header.layout == "bgra":
        values[0::4], values[2::4] = values[2::4], values[0::4]
    return values.tobytes()


def _in_srgb(image: QtGui.QImage, profile: bytes) -> QtGui.QImage:
    if profile:
        space = QtGui.QColorSpace.fromIccProfile(QtCore.QByteArray(profile))
        if space.isValid():
            image.setColorSpace(space)
            image.convertToColorSpace(QtGui.QColorSpace(QtGui.QColorSpace.NamedColorSpace.SRgb))
    return image.convertToFormat(QtGui.QImage.Format.Format_ARGB32)
