"""Write results: OpenRaster with both layers, PNG or TIFF with one. A file appears whole, or not at all."""

import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from PIL import Image

from scumble_core.errors import PictureError
from scumble_core.files.png import encode_png
from scumble_core.files.read import LAYERED, TIFF, Pixels
from scumble_core.picture.storage import write_failed

SUFFIXES = (".ora", ".png", ".tif", ".tiff")
METADATA_KEY = "scumble"


@dataclass(frozen=True)
class Layer:
    """One layer: H x W x 4, and where it lies."""

    name: str
    pixels: Pixels
    x: int = 0
    y: int = 0
    visible: bool = True


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


def write_layers(path: Path, layers: tuple[Layer, ...], metadata: Mapping[str, Any]) -> None:
    """Layers from the lowest to the topmost. PNG and TIFF get the topmost alone."""
    text = json.dumps(metadata, ensure_ascii=False)
    side = _side(path)
    try:
        with side.open("wb") as file:
            suffix = path.suffix.lower()
            if suffix in LAYERED:
                _write_ora(file, layers, text)
            elif suffix in TIFF:
                _write_tiff(file, layers[-1].pixels, text)
            else:
                file.write(encode_png(layers[-1].pixels, {METADATA_KEY: text}))
        side.replace(path)
    except OSError as error:
        raise write_failed(path, error, sum(layer.pixels.nbytes for layer in layers)) from error
    finally:
        with suppress(OSError):
            side.unlink()


def _side(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _write_tiff(file: io.BufferedWriter, pixels: Pixels, text: str) -> None:
    tifffile.imwrite(
        file,
        np.ascontiguousarray(pixels),
        photometric="rgb",
        extrasamples=["unassalpha"],
        compression="zlib",
        predictor=True,
        description=text.encode("utf-8"),
        software="Scumble",
        metadata=None,
        bigtiff=pixels.nbytes > 3_500_000_000,
    )


def _write_ora(file: io.BufferedWriter, layers: tuple[Layer, ...], text: str) -> None:
    """OpenRaster 0.0.5: the type first and stored, the stack, one PNG a layer, the merged picture, a thumbnail."""
    width = max(layer.x + layer.pixels.shape[1] for layer in layers)
    height = max(layer.y + layer.pixels.shape[0] for layer in layers)
    root = ElementTree.Element("image", {"version": "0.0.5", "w": str(width), "h": str(height)})
    stack = ElementTree.SubElement(root, "stack")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", "image/openraster")
        for number, layer in reversed(list(enumerate(layers))):
            name = f"data/layer{number}.png"
            place = {"x": str(layer.x), "y": str(layer.y)}
            visibility = "visible" if layer.visible else "hidden"
            look = {"opacity": "1.0", "visibility": visibility, "composite-op": "svg:src-over"}
            ElementTree.SubElement(stack, "layer", {"name": layer.name, "src": name, **place, **look})
            archive.writestr(name, encode_png(layer.pixels))
        archive.writestr("stack.xml", ElementTree.tostring(root, "utf-8", xml_declaration=True))
        archive.writestr("scumble.json", text)
        merged = _merged(layers, width, height)
        archive.writestr("mergedimage.png", encode_png(merged, {METADATA_KEY: text}))
        archive.writestr("Thumbnails/thumbnail.png", _thumbnail(merged))


def _merged(layers: tuple[Layer, ...], width: int, height: int) -> Pixels:
    """The layers over each other, in the first one's type; source-over with straight alpha."""
    if (
        len({layer.pixels.shape for layer in layers}) == 1
        and not (layers[0].x or layers[0].y)
        and is_opaque(layers[-1].pixels)
    ):
        return layers[-1].pixels
    kind = layers[0].pixels.dtype
    top = 1.0 if kind.kind == "f" else float(np.iinfo(kind).max)
    colour = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width, 1), np.float32)
    for layer in (layer for layer in layers if layer.visible):
        rows = slice(layer.y, layer.y + layer.pixels.shape[0])
        columns = slice(layer.x, layer.x + layer.pixels.shape[1])
        over = layer.pixels.astype(np.float32) / np.float32(top)
        share = over[..., 3:]
        colour[rows, columns] = over[..., :3] * share + colour[rows, columns] * (1 - share)
        alpha[rows, columns] = share + alpha[rows, columns] * (1 - share)
    straight = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
    merged = np.concatenate((straight, alpha), axis=2)
    return merged if kind.kind == "f" else np.round(merged * top).astype(kind)


def is_opaque(pixels: Pixels) -> bool:
    """Whether alpha is full everywhere."""
    top = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    return bool((pixels[..., 3] >= top).all())


def _thumbnail(pixels: Pixels) -> bytes:
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    step = max(1, max(pixels.shape[:2]) // 512)
    small = np.round(np.clip(pixels[::step, ::step].astype(np.float32) / top, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(small)
    image.thumbnail((256, 256))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
