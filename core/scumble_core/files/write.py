"""Write results: OpenRaster with both layers, PNG or TIFF with one. A file appears whole, or not at all."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from scumble_core.errors import PictureError
from scumble_core.files.png import write_png
from scumble_core.files.read import LAYERED, TIFF, Pixels
from scumble_core.picture.colour import ColourSpace
from scumble_core.picture.depth import from_floats, to_floats
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture, write_failed

SUFFIXES = (".ora", ".png", ".tif", ".tiff")
METADATA_KEY = "scumble"
# Pictures are encoded in bands of about this many pixels.
_BAND_PIXELS = 500_000
# Of more bytes than that a part of a zip file needs the long form of its entry.
_LARGE = 1_900_000_000


@dataclass(frozen=True)
class Layer:
    """One layer: RGBA, in RAM (H x W x 4) or in its file, and where it lies."""

    name: str
    pixels: Pixels | Picture
    x: int = 0
    y: int = 0
    visible: bool = True

    @property
    def extent(self) -> Extent:
        if isinstance(self.pixels, Picture):
            return self.pixels.extent
        return Extent(self.pixels.shape[1], self.pixels.shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.pixels.dtype

    @property
    def bytes(self) -> int:
        return self.extent.area * 4 * self.dtype.itemsize

    def rows(self, top: int, bottom: int) -> Pixels:
        """Some whole rows, counted from the layer's own top."""
        if isinstance(self.pixels, Picture):
            return self.pixels.read_raw(Bounds(0, top, self.extent.width, bottom - top))
        return self.pixels[top:bottom]

    def bands(self) -> Iterator[Pixels]:
        return (self.rows(*band) for band in _bands(self.extent))


def check_output(path: Path) -> None:
    """Refuse, before any work, a name that could not be written in the end."""
    if path.suffix.lower() not in SUFFIXES:
        raise PictureError(
            f"{path} ends in '{path.suffix}', but Scumble writes {', '.join(SUFFIXES)}: choose one of them."
        )
    if not path.parent.is_dir():
        raise PictureError(f"The folder {path.parent} does not exist: make it, or choose another.")
    if path.is_dir():
        raise PictureError(f"{path} is a folder: give the name of a file.")
    probe = _side(path)
    try:
        probe.write_bytes(b"")
    except OSError as error:
        raise write_failed(path, error) from error
    finally:
        with suppress(OSError):
            probe.unlink()


def write_layers(
    path: Path, layers: tuple[Layer, ...], metadata: Mapping[str, Any], profile: bytes | None = None
) -> None:
    """Layers from the lowest to the topmost. PNG and TIFF get the topmost alone.

    `profile`: the ICC profile that the pixels are in (None: sRGB). Float becomes 16 bits, but stays float in TIFF.
    """
    text = json.dumps(metadata, ensure_ascii=False)
    side = _side(path)
    try:
        with side.open("wb") as file:
            suffix = path.suffix.lower()
            if suffix in LAYERED:
                _write_ora(file, layers, text, profile)
            elif suffix in TIFF:
                _write_tiff(file, layers[-1], text, profile)
            else:
                _write_layer_png(file, layers[-1], {METADATA_KEY: text}, profile)
        side.replace(path)
    except OSError as error:
        raise write_failed(path, error, sum(layer.bytes for layer in layers)) from error
    finally:
        with suppress(OSError):
            side.unlink()


def is_opaque(pixels: Pixels | Picture) -> bool:
    """Whether alpha is full everywhere."""
    top = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    return all(bool((band[..., 3] >= top).all()) for band in Layer("", pixels).bands())


def _side(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _bands(extent: Extent) -> Iterator[tuple[int, int]]:
    """First and last row of bands of about a million pixels."""
    return ((band.y, band.bottom) for band in Bounds.of(extent).bands(max(1, _BAND_PIXELS // extent.width)))


def _write_tiff(file: BinaryIO, layer: Layer, text: str, profile: bytes | None) -> None:
    width, height = layer.extent.width, layer.extent.height
    tifffile.imwrite(
        file,
        (_tiff_strip(band) for band in layer.bands()),
        shape=(height, width, 4),
        dtype=layer.dtype,
        rowsperstrip=min(height, max(1, _BAND_PIXELS // width)),
        photometric="rgb",
        extrasamples=["unassalpha"],
        compression="zlib",
        predictor=3 if layer.dtype.kind == "f" else 2,
        description=text.encode("utf-8"),
        software="Scumble",
        iccprofile=profile,
        metadata=None,
        bigtiff=layer.bytes > 3_500_000_000,
    )


def _tiff_strip(pixels: Pixels) -> bytes:
    """Differences along the rows (TIFF 6.0, section 14, and Adobe's technical note 3 for float), deflated."""
    differences = imagecodecs.floatpred_encode if pixels.dtype.kind == "f" else imagecodecs.delta_encode
    return zlib.compress(bytes(differences(np.ascontiguousarray(pixels), axis=-2)))


def _write_layer_png(file: BinaryIO, layer: Layer, text: Mapping[str, str], profile: bytes | None) -> None:
    write_png(file, layer.extent, (_in_integers(band) for band in layer.bands()), text, profile)


def _in_integers(pixels: Pixels) -> Pixels:
    return from_floats(pixels, np.uint16) if pixels.dtype.kind == "f" else pixels


def _write_ora(file: BinaryIO, layers: tuple[Layer, ...], text: str, profile: bytes | None) -> None:
    """OpenRaster 0.0.5: the type first and stored, the stack, one PNG a layer, the merged picture, a thumbnail."""
    size = Extent(
        max(layer.x + layer.extent.width for layer in layers), max(layer.y + layer.extent.height for layer in layers)
    )
    root = ElementTree.Element("image", {"version": "0.0.5", "w": str(size.width), "h": str(size.height)})
    stack = ElementTree.SubElement(root, "stack")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", "image/openraster")
        for number, layer in reversed(list(enumerate(layers))):
            name = f"data/layer{number}.png"
            place = {"x": str(layer.x), "y": str(layer.y)}
            visibility = "visible" if layer.visible else "hidden"
            look = {"opacity": "1.0", "visibility": visibility, "composite-op": "svg:src-over"}
            ElementTree.SubElement(stack, "layer", {"name": layer.name, "src": name, **place, **look})
            with archive.open(name, "w", force_zip64=layer.bytes > _LARGE) as entry:
                _write_layer_png(cast(BinaryIO, entry), layer, {}, profile)
        archive.writestr("stack.xml", ElementTree.tostring(root, "utf-8", xml_declaration=True))
        archive.writestr("scumble.json", text)
        merged = Merged(layers, size)
        with archive.open("mergedimage.png", "w", force_zip64=size.area * 8 > _LARGE) as entry:
            bands = (_in_integers(merged.rows(*band)) for band in _bands(size))
            write_png(cast(BinaryIO, entry), size, bands, {METADATA_KEY: text}, profile)
        archive.writestr("Thumbnails/thumbnail.png", _thumbnail(merged, profile))


class Merged:
    """Layers over each other, in the first one's type; source-over with straight alpha."""

    def __init__(self, layers: tuple[Layer, ...], extent: Extent) -> None:
        self.layers = layers
        self.extent = extent
        top = layers[-1]
        self._topmost_covers = top.extent == extent and top.dtype == layers[0].dtype and is_opaque(top.pixels)

    def rows(self, top: int, bottom: int) -> Pixels:
        """Some whole rows: a band x width x 4."""
        if self._topmost_covers:
            return self.layers[-1].rows(top, bottom)
        colour = np.zeros((bottom - top, self.extent.width, 3), np.float32)
        alpha = np.zeros((bottom - top, self.extent.width, 1), np.float32)
        for layer in (layer for layer in self.layers if layer.visible):
            first, last = max(top, layer.y), min(bottom, layer.y + layer.extent.height)
            if first >= last:
                continue
            place = slice(first - top, last - top), slice(layer.x, layer.x + layer.extent.width)
            over = to_floats(layer.rows(first - layer.y, last - layer.y))
            share = over[..., 3:]
            colour[place] = over[..., :3] * share + colour[place] * (1 - share)
            alpha[place] = share + alpha[place] * (1 - share)
        straight = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
        return from_floats(np.concatenate((straight, alpha), axis=2), self.layers[0].dtype)


def _thumbnail(merged: Merged, profile: bytes | None) -> bytes:
    step = max(1, max(merged.extent.width, merged.extent.height) // 512)
    rows = [merged.rows(y, y + 1)[:, ::step] for y in range(0, merged.extent.height, step)]
    small = to_floats(np.concatenate(rows))
    small[..., :3] = ColourSpace(profile).to_work(small[..., :3])
    image = Image.fromarray(from_floats(small, np.uint8))
    image.thumbnail((256, 256))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
