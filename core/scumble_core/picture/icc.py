"""Read an RGB profile made of a matrix and three curves, which is what documents are kept in.

ICC.1:2022: header (7.2), tag table (7.3), `curv` (10.6), `para` (10.18), `XYZ` (10.31), and annex F.3 for the model.
LittleCMS clips tables of curves to 0 to 1 and rounds them to 16 bits; here all is unbounded, in float64, and inverts.
"""

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

# Columns: sRGB's primaries in the profile connection space (XYZ, D50), by the Bradford method (IEC 61966-2-1, annex).
_SRGB_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
# Primaries further from spanning a space than that are no display's, nor any working space's.
_LARGEST_CONDITION = 1e3


class Curve(Protocol):
    """From a channel's encoded values to linear light and back. Odd: what is below 0 mirrors what is above."""

    def decode(self, values: Doubles) -> Doubles: ...

    def encode(self, linear: Doubles) -> Doubles: ...


@dataclass(frozen=True)
class Parametric:
    """(a x + b)^gamma + e from x = d upward, c x + f below: `para` type 4, of which all others are cases."""

    gamma: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def decode(self, values: Doubles) -> Doubles:
        size = np.abs(values)
        curved = np.maximum(self.a * size + self.b, 0) ** self.gamma + self.e
        return np.copysign(np.where(size >= self.d, curved, self.c * size + self.f), values)

    def encode(self, linear: Doubles) -> Doubles:
        size = np.abs(linear)
        curved = (np.maximum(size - self.e, 0) ** (1 / self.gamma) - self.b) / self.a
        straight = (size - self.f) / self.c if self.c else np.full_like(size, self.d)
        bend = max(self.a * self.d + self.b, 0) ** self.gamma + self.e
        return np.copysign(np.where(size >= bend, curved, straight), linear)


@dataclass(frozen=True)
class Table:
    """Values at even steps from 0 to 1, rising, straight lines between them; the last line goes on beyond 1."""

    values: tuple[float, ...]

    def decode(self, values: Doubles) -> Doubles:
        size = np.abs(values)
        table = np.array(self.values)
        last = len(table) - 2
        start = np.minimum(size * (last + 1), last).astype(np.intp)
        linear: Doubles = table[start] + (table[start + 1] - table[start]) * (size * (last + 1) - start)
        return np.copysign(linear, values)

    def encode(self, linear: Doubles) -> Doubles:
        size = np.abs(linear)
        table = np.array(self.values)
        slope = (table[-1] - table[-2]) * (len(table) - 1)
        inside: Doubles = np.interp(size, table, np.linspace(0, 1, len(table)))
        encoded: Doubles = inside + np.maximum(size - table[-1], 0) / slope
        return np.copysign(encoded, linear)


@dataclass(frozen=True)
class MatrixShaper:
    """Three curves, then a matrix to linear sRGB (unbounded); relative colorimetric, so that white stays white."""

    curves: tuple[Curve, Curve, Curve]
    matrix: Doubles

    def to_linear(self, values: Doubles) -> Doubles:
        """... x 3 in the profile's encoding to linear sRGB."""
        channels = [curve.decode(values[..., number]) for number, curve in enumerate(self.curves)]
        linear: Doubles = np.stack(channels, axis=-1) @ self.matrix.T
        return linear

    def from_linear(self, linear: Doubles) -> Doubles:
        """The opposite of `to_linear`."""
        own: Doubles = linear @ np.linalg.inv(self.matrix).T
        return np.stack([curve.encode(own[..., number]) for number, curve in enumerate(self.curves)], axis=-1)


def read_matrix_shaper(profile: bytes) -> MatrixShaper | None:
    """The profile's matrix and curves; None for one that works by tables in several dimensions.

    Raises ValueError, KeyError or struct.error for a broken one.
    """
    tags = read_tags(profile)
    if profile[20:24] != b"XYZ " or any(name in tags for name in (b"A2B0", b"A2B1")):
        return None
    curves = [_read_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    colorants = [struct.unpack(">3i", tags[name][8:20]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    matrix = np.linalg.solve(_SRGB_TO_XYZ, np.array(colorants, np.float64).T / 65536)
    if not np.linalg.cond(matrix) < _LARGEST_CONDITION:
        raise ValueError("its primaries span no space")
    # Both whites are D50, but for rounding: greys are to stay greys.
    matrix /= matrix.sum(axis=1, keepdims=True)
    return MatrixShaper((curves[0], curves[1], curves[2]), matrix)


def read_tags(profile: bytes) -> dict[bytes, bytes]:
    """The tagged elements of a profile of any kind. Raises ValueError or struct.error."""
    if len(profile) < 132 or profile[36:40] != b"acsp":
        raise ValueError("it is no ICC profile")
    count = struct.unpack_from(">I", profile, 128)[0]
    if count > 200:
        raise ValueError("its list of tags is broken")
    places = [struct.unpack_from(">4sII", profile, 132 + 12 * number) for number in range(count)]
    return {name: profile[offset : offset + size] for name, offset, size in places}


def profile_name(profile: bytes) -> str:
    """What the profile calls itself, or "unnamed"."""
    try:
        text = read_tags(profile)[b"desc"]
        if text[:4] == b"mluc":
            size, offset = struct.unpack_from(">II", text, 20)
            return text[offset : offset + size].decode("utf-16-be").strip("\0 ") or "unnamed"
        size = struct.unpack_from(">I", text, 8)[0]
        return text[12 : 12 + size].decode("latin-1").strip("\0 ") or "unnamed"
    except (ValueError, KeyError, struct.error):
        return "unnamed"


def _read_curve(element: bytes) -> Curve:
    if element[:4] == b"para":
        return _read_parametric(element)
    if element[:4] != b"curv":
        raise ValueError("its curves are of no known kind")
    count = struct.unpack_from(">I", element, 8)[0]
    if count == 0:
        return Parametric(1.0)
    values = struct.unpack_from(f">{count}H", element, 12)
    if count == 1:
        return _checked(Parametric(values[0] / 256))
    table = tuple(value / 65535 for value in values)
    if min(np.diff(table)) < 0 or table[-1] == table[-2]:
        raise ValueError("its curves fall")
    return Table(table)


def _read_parametric(element: bytes) -> Parametric:
    kind = struct.unpack_from(">H", element, 8)[0]
    counts = (1, 3, 4, 5, 7)
    if kind >= len(counts):
        raise ValueError("its curves are of no known kind")
    numbers = [value / 65536 for value in struct.unpack_from(f">{counts[kind]}i", element, 12)]
    if kind in (1, 2):
        gamma, a, b = numbers[:3]
        low = numbers[3] if kind == 2 else 0.0
        return _checked(Parametric(gamma, a, b, 0.0, -b / a if a else 0.0, low, low))
    return _checked(Parametric(*numbers))


def _checked(curve: Parametric) -> Parametric:
    if curve.gamma <= 0 or curve.a <= 0:
        raise ValueError("its curves are broken")
    return curve
