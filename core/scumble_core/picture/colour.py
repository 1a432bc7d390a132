"""Between a document's own colours and those that models know: sRGB-encoded, 0 to 1.

Values are `work` values when they are sRGB-encoded and unbounded: below 0 or above 1 where the document's gamut or
highlights go beyond sRGB (the curve is odd, as in CSS Color 4, section 10.2). Models see them clipped; what that takes
away is kept in linear light, where it can be resized and added back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from struct import error as StructError  # noqa: N812
from typing import Any, Protocol, TypeVar, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from scumble_core.errors import PictureError
from scumble_core.picture.depth import Floats, to_floats
from scumble_core.picture.icc import Doubles, profile_name, read_matrix_shaper

Real = TypeVar("Real", np.float32, np.float64)
Reals = NDArray[np.float32] | NDArray[np.float64]

# About this many pixels are converted at once: float64 in between costs little memory, and stays in the cache.
_CHUNK_PIXELS = 65_536
# Profiles that differ from sRGB by less than a level of 8 bits are some program's sRGB.
_SAME = 1 / 255


class _Conversion(Protocol):
    def to_linear(self, values: Doubles) -> Doubles: ...

    def from_linear(self, linear: Doubles) -> Doubles: ...


@dataclass(frozen=True)
class ColourSpace:
    """The space of an RGB document, by its ICC profile; None is sRGB.

    Raises PictureError for profiles of other kinds (grey, CMYK, Lab) and broken ones.
    """

    profile: bytes | None = None

    def __post_init__(self) -> None:
        # Here, so that a profile that can't be used is refused before any work.
        _ = self.is_srgb

    @classmethod
    def load(cls, path: Path) -> "ColourSpace":
        """The space of the profile kept in this file; sRGB when there is none."""
        return cls(path.read_bytes() if path.exists() else None)

    @property
    def name(self) -> str:
        return "sRGB" if self.profile is None else profile_name(self.profile)

    @cached_property
    def is_srgb(self) -> bool:
        """Whether values pass unchanged. Judged by what the profile does: "sRGB" is in the names of linear ones too."""
        if self._conversion is None:
            return True
        levels = np.linspace(0, 1, 33)
        greys = np.repeat(levels[:, None], 3, axis=1)
        colours = np.stack(np.meshgrid(*[levels[::8]] * 3), axis=-1).reshape(-1, 3)
        probes = np.concatenate((greys, colours))[None]
        return bool(np.abs(srgb_encode(self._conversion.to_linear(probes)) - probes).max() < _SAME)

    @cached_property
    def _conversion(self) -> _Conversion | None:
        return None if self.profile is None else _read_conversion(self.profile)

    def to_work(self, colour: NDArray[Any]) -> Reals:
        """H x W x 3 in the document's depth and space to work values: float32 where nothing changes, else float64."""
        if self.is_srgb or self._conversion is None:
            return to_floats(colour)
        work = np.empty(colour.shape, np.float64)
        top = 1.0 if colour.dtype.kind == "f" else float(np.iinfo(colour.dtype).max)
        for rows in _chunks(colour):
            work[rows] = srgb_encode(self._conversion.to_linear(colour[rows].astype(np.float64) / top))
        return work

    def from_work(self, work: Floats, beyond: Floats | None = None) -> Floats:
        """H x W x 3 work values to the document's encoding, float32 and unbounded. `beyond` is added in linear light"""
        if self.is_srgb and beyond is None:
            return work
        colour = np.empty(work.shape, np.float32)
        for rows in _chunks(work):
            linear = srgb_decode(work[rows].astype(np.float64))
            if beyond is not None:
                linear += beyond[rows]
            own = srgb_encode if self.is_srgb or self._conversion is None else self._conversion.from_linear
            colour[rows] = own(linear)
        return colour


SRGB = ColourSpace()


def clipped(work: Reals) -> tuple[Floats, Floats]:
    """What models see of work values (0 to 1), and what is beyond: the difference in linear light.

    Both together hold more than float32 does: a dark channel of a saturated colour is a difference of large numbers
    in another space's primaries, and under a plain gamma curve the last bits of it are levels of 16 bits.
    """
    seen = np.clip(work, 0, 1).astype(np.float32)
    beyond = np.zeros(work.shape, np.float32)
    for rows in _chunks(work):
        if np.array_equal(work[rows], seen[rows]):
            continue
        linear = srgb_decode(work[rows].astype(np.float64))
        beyond[rows] = linear - srgb_decode(seen[rows].astype(np.float64))
        # Below 0 the remainder goes beside what is seen: rounded down, so that it is not negative (nor above 1e-6,
        # but for the largest numbers).
        below = linear < 0
        beyond[rows][below] = np.nextafter(beyond[rows][below], np.float32(-np.inf))
        rest = np.clip(linear[below] - beyond[rows][below], 0, 1)
        seen[rows][below] = srgb_encode(rest)
    return seen, beyond


# IEC 61966-2-1; the bend of the one is where the other's is.
_BEND = 0.04045


def srgb_decode(encoded: NDArray[Real]) -> NDArray[Real]:
    """sRGB-encoded values to linear light, in their own precision; odd around 0."""
    size = np.abs(encoded)
    curved = ((size + encoded.dtype.type(0.055)) / encoded.dtype.type(1.055)) ** encoded.dtype.type(2.4)
    return np.copysign(np.where(size > _BEND, curved, size / encoded.dtype.type(12.92)), encoded)


def srgb_encode(linear: NDArray[Real]) -> NDArray[Real]:
    """The opposite of `srgb_decode`."""
    size = np.abs(linear)
    curved = size ** linear.dtype.type(1 / 2.4) * linear.dtype.type(1.055) - linear.dtype.type(0.055)
    return np.copysign(np.where(size > _BEND / 12.92, curved, size * linear.dtype.type(12.92)), linear)


def _read_conversion(profile: bytes) -> _Conversion:
    kind = profile[16:20].decode("latin-1").strip()
    if profile[36:40] == b"acsp" and kind != "RGB":
        raise PictureError(
            f'The picture\'s profile "{profile_name(profile)}" is for {kind} pictures: convert the picture to RGB.'
        )
    try:
        shaper = read_matrix_shaper(profile)
        return shaper if shaper is not None else _Lcms(profile)
    except (ValueError, KeyError, StructError, np.linalg.LinAlgError, imagecodecs.CmsError) as error:
        reason = "a part is missing" if isinstance(error, KeyError | StructError) else error
        raise PictureError(
            f"The picture's profile \"{profile_name(profile)}\" can't be used ({reason}): convert the picture to sRGB."
        ) from error


class _Lcms:
    """Profiles with tables in several dimensions, through LittleCMS in float32, relative colorimetric."""

    def __init__(self, profile: bytes) -> None:
        self._profile = profile
        self._linear = imagecodecs.cms_profile(
            "rgb", whitepoint=[0.3127, 0.329], primaries=[0.64, 0.33, 0.3, 0.6, 0.15, 0.06], gamma=1.0
        )
        self.from_linear(self.to_linear(np.zeros((1, 1, 3))))

    def to_linear(self, values: Doubles) -> Doubles:
        return self._transform(values, self._profile, self._linear)

    def from_linear(self, linear: Doubles) -> Doubles:
        return self._transform(linear, self._linear, self._profile)

    def _transform(self, values: Doubles, source: bytes, target: bytes) -> Doubles:
        converted = imagecodecs.cms_transform(
            np.ascontiguousarray(values, np.float32),
            source,
            target,
            colorspace="rgb",
            outcolorspace="rgb",
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        )
        return cast(Doubles, np.asarray(converted, np.float64))


def _chunks(pixels: NDArray[Any]) -> Iterator[slice]:
    rows = max(1, _CHUNK_PIXELS // max(1, pixels.shape[1]))
    return (slice(start, start + rows) for start in range(0, pixels.shape[0], rows))
