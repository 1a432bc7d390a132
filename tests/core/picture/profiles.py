"""ICC profiles for tests, made byte by byte: a matrix and curves, as version 2 and version 4 write them."""

import struct

import numpy as np

SRGB = ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
DISPLAY_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
REC2020 = ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046))

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
REC709_CURVE = (1 / 0.45, 1 / 1.0992968268, 0.0992968268 / 1.0992968268, 1 / 4.5, 0.0812428583)

_D65 = np.array([0.3127 / 0.329, 1, (1 - 0.3127 - 0.329) / 0.329])
_D50 = np.array([0.9642, 1, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def gamma(value):
    """A plain power, as version 2 has it."""
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def linear():
    return b"curv" + bytes(4) + struct.pack(">I", 0)


def parametric(g, a, b, c, d):
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(number * 65536) for number in (g, a, b, c, d)))


def table(function, size=4096):
    values = np.round(function(np.linspace(0, 1, size)) * 65535).astype(int).tolist()
    return b"curv" + bytes(4) + struct.pack(f">I{size}H", size, *values)


def profile(primaries, curve, name="test", space=b"RGB "):
    """A display profile with these primaries (x, y), D65 and one curve for all channels."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    columns = columns * np.linalg.solve(columns, _D65)
    cone = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ _D65))
    columns = np.linalg.inv(_BRADFORD) @ cone @ _BRADFORD @ columns
    text = name.encode() + b"\0"
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78), b"wtpt": _xyz(_D50)}
    tags |= {key: _xyz(column) for key, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _assembled(tags, space)


def _xyz(values):
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _assembled(tags, space):
    offset = 132 + 12 * len(tags)
    entries, data = b"", b""
    for key, element in tags.items():
        padded = element + bytes(-len(element) % 4)
        entries += key + struct.pack(">II", offset + len(data), len(element))
        data += padded
    head = struct.pack(">I4sI4s4s4s", offset + len(data), bytes(4), 0x02400000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _xyz(_D50)[8:] + bytes(48)
    return head + struct.pack(">I", len(tags)) + entries + data
