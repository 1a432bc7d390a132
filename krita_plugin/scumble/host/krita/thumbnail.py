"""A small picture of what would be sent."""

import time

from krita import Document

from scumble.geometry import Box
from scumble.host.contract import Steps, Wanted
from scumble.host.krita.colour import SRGB, SRGB_NAMES, Conversion, Space
from scumble.host.krita.document import Documents, is_idle
from scumble.host.krita.recompose import leave_out
from scumble.host.krita.snapshot import Read, close_clone, reader
from scumble.host.krita.sources import Chosen, choose
from scumble.qt import QtCore, QtGui

# Samples for each pixel of the small picture, along each side: what lies between them is averaged.
SAMPLES = 2
ROWS_A_STEP = 16
# While a stroke goes on, the picture may be out of date: a thumbnail can bear that.
PATIENCE_S = 0.5
SHOWN = Space("RGBA", "U8", SRGB)


def thumbnail(documents: Documents, wanted: Wanted, side: int) -> "Steps[QtGui.QImage]":
    """As in the contract. Of the picture's pixels, only the samples are converted; of its rows, only those with samples
    are read. Krita's own thumbnail of 8192 x 8192 pixels takes seconds."""
    chosen = choose(documents, wanted)
    until = time.monotonic() + PATIENCE_S
    while not is_idle(chosen.document) and time.monotonic() < until:
        yield
    plain = chosen.space.model == "RGBA" and chosen.space.depth == "U8" and chosen.space.profile in SRGB_NAMES
    clone: Document | None = None
    try:
        if chosen.left_out or not plain:
            clone = chosen.document.clone()
            clone.setBatchmode(True)
            yield
        if clone is not None and chosen.left_out:
            yield from leave_out(clone, chosen.left_out, chosen.target.box)
            while not is_idle(clone):
                yield
        convert = None if plain or clone is None else Conversion(clone, chosen.space, SHOWN)
        read = reader(chosen.document if clone is None else clone, chosen)
        return (yield from _sampled(read, convert, chosen, side))
    finally:
        close_clone(clone)


def _sampled(read: Read, convert: "Conversion | None", chosen: Chosen, side: int) -> "Steps[QtGui.QImage]":
    box, size = chosen.target.box, chosen.space.pixel_bytes
    step = max(1, max(box.width, box.height) // max(1, SAMPLES * side))
    columns, rows = len(range(0, box.width, step)), len(range(0, box.height, step))
    samples = bytearray()
    for first in range(0, rows, ROWS_A_STEP):
        band = bytearray()
        for row in range(first, min(first + ROWS_A_STEP, rows)):
            band += _thinned(read(box.x, box.y + min(row * step + step // 2, box.height - 1), box.width, 1), size, step)
        pixels = bytes(band)
        samples += pixels if convert is None else convert(pixels, columns, len(pixels) // (columns * size))
        yield
    return _image(bytes(samples), Box(0, 0, columns, rows), _fitted(box, side))


def _thinned(row: bytes, size: int, step: int) -> bytes:
    """Every `step`-th pixel of a row."""
    if step == 1:
        return row
    out = bytearray(-(-len(row) // (size * step)) * size)
    for byte in range(size):
        out[byte::size] = row[byte :: size * step]
    return bytes(out)


def _fitted(box: Box, side: int) -> QtCore.QSize:
    scale = min(1.0, side / max(box.width, box.height))
    return QtCore.QSize(max(1, round(box.width * scale)), max(1, round(box.height * scale)))


def _image(bgra: bytes, samples: Box, size: QtCore.QSize) -> QtGui.QImage:
    """Krita's 8-bit pixels are Qt's ARGB32 as it lies in memory."""
    image = QtGui.QImage(bgra, samples.width, samples.height, samples.width * 4, QtGui.QImage.Format.Format_ARGB32)
    smooth = QtCore.Qt.TransformationMode.SmoothTransformation
    # A copy in any case: the image doesn't own the bytes that it was made of.
    return image.scaled(size, QtCore.Qt.AspectRatioMode.IgnoreAspectRatio, smooth).copy()
