"""Colour spaces of documents: how their pixels travel to the core, and how they become what travels.

RGBA of any depth and profile travels as it is. Grey becomes RGBA of the same depth by repeating its one channel, with a
profile made of the grey profile's own curve (`profiles.py`): exact, and four times as fast as converting. Other models
are converted by Krita, in bands, into a wide RGB space, at a depth at which Lab and XYZ come back within one level of
16 bits, and CMYK within Krita's own error (tests/krita/reading/test_colours.py measures both).
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass

from krita import Document, Node

from scumble.host.contract import HostError
from scumble.qt import QtCore
from scumble.words import tr
from scumble_bridge.fields import Depth, Layout

CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4, "XYZA": 4, "YCbCrA": 4, "A": 1}
SAMPLE_BYTES = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}
WIRE: "dict[str, Depth]" = {"U8": "u8", "U16": "u16", "F16": "f16", "F32": "f32"}
# Krita's names of the profile that the wire means by no profile.
SRGB = "sRGB-elle-V2-srgbtrc.icc"
SRGB_NAMES = frozenset({SRGB, "sRGB built-in"})
# Wide enough for printing inks and all real colours; the second is always there.
WIDE_NAMES = ("LargeRGB-elle-V2-g22.icc", SRGB, "sRGB built-in")
_CODES = {1: "B", 2: "H", 4: "I"}

# Pixels as Krita gives them, width, height: pixels as they travel.
Convert = Callable[[bytes, int, int], bytes]


@dataclass(frozen=True)
class Space:
    """A colour model, a depth and a profile by their names in Krita."""

    model: str
    depth: str
    profile: str

    @property
    def pixel_bytes(self) -> int:
        return CHANNELS[self.model] * SAMPLE_BYTES[self.depth]

    @property
    def title(self) -> str:
        """For people."""
        models = {
            "RGBA": tr("RGB"),
            "GRAYA": tr("Grey"),
            "CMYKA": tr("CMYK"),
            "LABA": tr("Lab"),
            "XYZA": tr("XYZ"),
            "YCbCrA": tr("YCbCr"),
        }
        depths = {"U8": tr("8 bits"), "U16": tr("16 bits"), "F16": tr("16-bit float"), "F32": tr("32-bit float")}
        parts = (models.get(self.model, self.model), depths.get(self.depth, self.depth), self.profile)
        return ", ".join(part for part in parts if part)

    @property
    def wire_depth(self) -> Depth:
        return WIRE[self.depth]

    @property
    def wire_layout(self) -> Layout:
        """The order of channels in Krita's RGBA."""
        return "bgra" if self.depth in ("U8", "U16") else "rgba"


def space_of(thing: "Document | Node") -> Space:
    """The space of a document's picture, or of a layer's. Raises HostError for one that Scumble doesn't know."""
    space = Space(thing.colorModel(), thing.colorDepth(), thing.colorProfile())
    if space.model not in CHANNELS or space.model == "A" or space.depth not in SAMPLE_BYTES:
        raise HostError(
            tr(
                "Scumble can't read colours of {kind}: convert them to RGB by Image > Convert Image Color Space."
            ).format(kind=space.title)
        )
    return space


def carrier(space: Space, profiles: "frozenset[str]" = frozenset(WIDE_NAMES)) -> Space:
    """The RGBA space in which the pixels travel; for grey, its profile is the grey one. `profiles`: what Krita has."""
    if space.model == "RGBA":
        return space
    if space.model == "GRAYA":
        return Space("RGBA", space.depth, space.profile)
    return Space("RGBA", _depth_of_carrier(space), next((name for name in WIDE_NAMES if name in profiles), SRGB))


def _depth_of_carrier(space: Space) -> str:
    exact = space.model in ("LABA", "XYZA")
    return "U16" if space.depth in ("U8", "U16") and not exact else "F32"


def grey_to_rgba(pixels: bytes, depth: str) -> bytes:
    """Grey in all three colours; alpha stays."""
    code = _CODES[SAMPLE_BYTES[depth]]
    source = array(code, pixels)
    grey, alpha = source[0::2], source[1::2]
    out = array(code, bytes(2 * len(pixels)))
    out[0::4] = out[1::4] = out[2::4] = grey
    out[3::4] = alpha
    return out.tobytes()


def rgba_to_grey(pixels: bytes, depth: str) -> "bytes | None":
    """The way back; None where a pixel isn't grey, and so has to be converted."""
    source = array(_CODES[SAMPLE_BYTES[depth]], pixels)
    grey = source[1::4]
    if source[0::4] != grey or source[2::4] != grey:
        return None
    out = array(source.typecode, bytes(len(pixels) // 2))
    out[0::2] = grey
    out[1::2] = source[3::4]
    return out.tobytes()


class Conversion:
    """Converts bands by a layer that is in no document's tree.

    `document` only lends the layer: a clone or a document of Scumble's own, since each band makes a step of undo there.
    """

    def __init__(self, document: Document, source: Space, target: Space) -> None:
        self._document, self._source, self._target = document, source, target

    def __call__(self, pixels: bytes, width: int, height: int) -> bytes:
        """Raises HostError."""
        layer = self._document.createNode("Scumble", "paintlayer")
        if layer is None:
            raise HostError(tr("Krita could not convert the colours: is the document still open?"))
        self._into(layer, self._source)
        layer.setPixelData(QtCore.QByteArray(pixels), 0, 0, width, height)
        self._into(layer, self._target)
        return layer.pixelData(0, 0, width, height).data()

    def _into(self, layer: Node, space: Space) -> None:
        if Space(layer.colorModel(), layer.colorDepth(), layer.colorProfile()) == space:
            return
        layer.setColorSpace(space.model, space.depth, space.profile)
        if (layer.colorModel(), layer.colorDepth()) != (space.model, space.depth):
            raise HostError(
                tr(
                    "Krita could not convert colours to {kind}: convert the picture to RGB yourself, then retry."
                ).format(kind=space.title)
            )
