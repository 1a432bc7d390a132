"""Read a picture file into H x W x 4, straight alpha, in the file's own depth (uint8, uint16 or float32)."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from scumble_core.errors import PictureError
from scumble_core.picture.colour import ColourSpace
from scumble_core.picture.depth import from_floats

Pixels = NDArray[Any]
LAYERED = frozenset({".ora", ".kra"})
TIFF = frozenset({".tif", ".tiff"})
# Pillow's guard against bombs, set to what the planner would refuse anyway.
LARGEST_PIXELS = 32_768 * 32_768


@dataclass(frozen=True)
class Decoded:
    """Pixels as the file holds them (H x W x 1 to 4) and its ICC profile, if it has one."""

    pixels: Pixels
    profile: bytes | None


@dataclass(frozen=True)
class ReadPicture:
    """H x W x 4, and the ICC profile that its colours are in; None: sRGB."""

    pixels: Pixels
    profile: bytes | None


def read_document(path: Path) -> ReadPicture:
    """The picture as RGBA in its own space; what is no RGB (grey, CMYK) is converted to sRGB.

    Raises PictureError, which says what is wrong with the file.
    """
    if not path.exists():
        raise PictureError(f"There is no file at {path}: check the name.")
    if path.is_dir():
        raise PictureError(f"{path} is a folder: give a picture file.")
    try:
        document = _as_rgba(_decode(path))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(
            f"{path} is no picture that Scumble can read: give a PNG, JPEG, TIFF or ORA file."
        ) from error
    except Exception as error:  # each library has its own ways to say "broken file"
        reason = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise PictureError(f"{path} can't be read ({reason}): open it in another program and save it anew.") from error
    if 0 in document.pixels.shape:
        raise PictureError(f"{path} has no pixels: give another picture.")
    return document


def read_picture(path: Path) -> Pixels:
    """The picture as RGBA in sRGB, whatever it was kept in. Raises PictureError."""
    document = read_document(path)
    space = ColourSpace(document.profile)
    if space.is_srgb:
        return document.pixels
    colour = from_floats(space.to_work(document.pixels[..., :3]).astype(np.float32), document.pixels.dtype)
    return np.concatenate((colour, document.pixels[..., 3:]), axis=2)


def read_mask(path: Path) -> NDArray[np.uint8]:
    """A selection mask, H x W x 1: the picture's brightness times its alpha."""
    pixels = read_picture(path)
    if pixels.dtype.kind == "u":
        pixels = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    values = np.clip(pixels[..., :3].mean(axis=2) * pixels[..., 3], 0, 1)
    mask: NDArray[np.uint8] = np.round(values * 255).astype(np.uint8)[..., None]
    return mask


def _decode(path: Path) -> Decoded:
    suffix = path.suffix.lower()
    if suffix in LAYERED:
        with zipfile.ZipFile(path) as archive:
            if "mergedimage.png" not in archive.namelist():
                raise PictureError(f"{path} holds no merged picture: save it anew in Krita.")
            return _decode_raster(archive.read("mergedimage.png"))
    if suffix in TIFF:
        return _decode_tiff(path)
    return _decode_raster(path.read_bytes())


def _decode_raster(data: bytes) -> Decoded:
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > LARGEST_PIXELS:
            raise PictureError(f"The picture has {image.width} x {image.height} pixels: crop it first.")
        profile = cast(bytes | None, image.info.get("icc_profile"))
        if data[:4] == b"\x89PNG" and data[24] == 16:
            # Pillow would cut 16-bit colour to 8.
            return Decoded(_three_axes(imagecodecs.png_decode(data)), profile)
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("I;16", "I", "F"):
            return Decoded(_grey(np.asarray(upright)), profile)
        if upright.mode in ("L", "LA") and "transparency" not in upright.info:
            return Decoded(_three_axes(np.asarray(upright)), profile)
        if upright.mode == "CMYK":
            return Decoded(np.asarray(upright), profile or b"")
        return Decoded(np.asarray(upright.convert("RGBA")), profile)


def _grey(values: Pixels) -> Pixels:
    if values.dtype.kind in "iu":
        values = np.clip(values, 0, 65535).astype(np.uint16)
    return _three_axes(values)


def _decode_tiff(path: Path) -> Decoded:
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        pixels = page.asarray()
        tag = page.tags.get("InterColorProfile")
        profile = None if tag is None else bytes(tag.value)
        premultiplied = 1 in tuple(page.extrasamples or ())
    pixels = _three_axes(pixels)
    if pixels.shape[2] not in (1, 2, 3, 4) or page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
        raise PictureError(f"{path} has {pixels.shape[2]} channels of a kind that Scumble can't read: save it as RGB.")
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        raise PictureError(f"{path} keeps white as 0: save it as ordinary RGB or grey.")
    pixels = _known_depth(pixels)
    return Decoded(_straight(pixels) if premultiplied else pixels, profile)


def _known_depth(pixels: Pixels) -> Pixels:
    if pixels.dtype in (np.float16, np.float64):
        return pixels.astype(np.float32)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise PictureError(f"The picture's numbers are of type {pixels.dtype}: save it with 8 or 16 bits or as float.")
    return pixels


def _straight(pixels: Pixels) -> Pixels:
    """Divide associated alpha out."""
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., -1:].astype(np.float64) / top
    colour = np.divide(pixels[..., :-1], alpha, out=np.zeros(pixels[..., :-1].shape), where=alpha > 0)
    limit = np.inf if pixels.dtype.kind == "f" else top
    return np.concatenate((np.minimum(np.round(colour, 9), limit).astype(pixels.dtype), pixels[..., -1:]), axis=2)


def _three_axes(pixels: Pixels) -> Pixels:
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _as_rgba(decoded: Decoded) -> ReadPicture:
    """RGBA from grey, grey and alpha, RGB, RGBA or CMYK."""
    pixels, profile = decoded.pixels, decoded.profile
    if profile == b"":
        raise PictureError("The picture is CMYK without a profile: convert it to RGB first.")
    channels = pixels.shape[2]
    is_cmyk = profile is not None and profile[16:20] == b"CMYK" and channels == 4
    colour = pixels if channels in (1, 3) or is_cmyk else pixels[..., :-1]
    alpha = pixels[..., -1:] if channels in (2, 4) and not is_cmyk else None
    if colour.shape[2] != 3:
        colour, profile = colour if profile is None else _to_srgb(colour, profile), None
    elif profile is not None and profile[16:20] != b"RGB ":
        profile = None  # a profile for another kind of picture says nothing about this one
    ColourSpace(profile)  # refuses a broken one
    if colour.shape[2] == 1:
        colour = np.repeat(colour, 3, axis=2)
    if alpha is None:
        top = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
        alpha = np.full((*colour.shape[:2], 1), top, pixels.dtype)
    return ReadPicture(np.ascontiguousarray(np.concatenate((colour, alpha), axis=2)), profile)


def _to_srgb(colour: Pixels, profile: bytes) -> Pixels:
    """Through LittleCMS, relative colorimetric with black point compensation as Krita's default is."""
    space = profile[16:20].decode("ascii", "replace").strip().lower()
    if (space, colour.shape[2]) not in (("gray", 1), ("cmyk", 4)):
        return colour  # a profile for another kind of picture says nothing about this one
    target = imagecodecs.cms_profile("srgb")
    converted = imagecodecs.cms_transform(
        np.ascontiguousarray(colour if space == "cmyk" else colour[..., 0]),
        profile,
        target,
        colorspace=space,
        outcolorspace="rgb",
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION,
    )
    return np.asarray(converted)
