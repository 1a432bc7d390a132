import io
import json
import struct
import zipfile
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.core.picture.profiles import DISPLAY_P3, SRGB, SRGB_CURVE, gamma, linear, parametric, profile

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.files.read import read_document, read_mask, read_picture
from scumble_core.files.write import Layer, check_output, is_opaque, write_layers
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture

WIDE = profile(DISPLAY_P3, parametric(*SRGB_CURVE), name="P3")


def pixels(dtype=np.uint8, height=9, width=14):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.random((height, width, 4), np.float32)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, 4), dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", ["png", "tif", "ora"])
def test_what_is_written_is_read_back_bit_for_bit(tmp_path, dtype, suffix):
    path = tmp_path / f"picture.{suffix}"
    data = pixels(dtype)
    data[..., 3] = np.iinfo(dtype).max
    write_layers(path, (Layer("one", data),), {"seed": 7})
    assert (read_picture(path) == data).all()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_float_pictures_stay_float_in_tiff(tmp_path):
    path = tmp_path / "picture.tif"
    write_layers(path, (Layer("one", pixels(np.float32)),), {})
    assert (read_picture(path) == pixels(np.float32)).all()


def test_the_settings_travel_with_the_picture(tmp_path):
    settings = {"seed": 7, "prompt": "Öl auf Leinwand"}
    for name in ("a.png", "a.tif", "a.ora"):
        write_layers(tmp_path / name, (Layer("one", pixels()),), settings)
    with Image.open(tmp_path / "a.png") as image:
        assert json.loads(image.text["scumble"]) == settings
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert json.loads(file.pages[0].tags["ImageDescription"].value) == settings
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        assert json.loads(archive.read("scumble.json")) == settings


def test_openraster_holds_the_layers_in_order_with_names_and_places(tmp_path):
    path = tmp_path / "a.ora"
    write_layers(path, (Layer("below", pixels()), Layer("above & beyond", pixels(height=3, width=4), 5, 6)), {})
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert archive.read("mimetype") == b"image/openraster"
        root = ElementTree.fromstring(archive.read("stack.xml"))
        layers = root.findall("stack/layer")
        assert [layer.get("name") for layer in layers] == ["above & beyond", "below"]
        assert (layers[0].get("x"), layers[0].get("y")) == ("5", "6")
        above = imagecodecs.png_decode(archive.read(layers[0].get("src")))
        assert (above == pixels(height=3, width=4)).all()
        assert Image.open(io.BytesIO(archive.read("mergedimage.png"))).size == (14, 9)
        assert max(Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))).size) <= 256


def test_the_merged_picture_shows_layers_over_each_other(tmp_path):
    red, half = np.zeros((4, 4, 4), np.uint8), np.zeros((2, 2, 4), np.uint8)
    red[...] = (255, 0, 0, 255)
    half[...] = (0, 0, 255, 128)
    write_layers(tmp_path / "a.ora", (Layer("red", red), Layer("blue", half, 1, 1)), {})
    merged = read_picture(tmp_path / "a.ora")
    assert merged[0, 0].tolist() == [255, 0, 0, 255]
    assert merged[1, 1].tolist() == [127, 0, 128, 255]


def test_a_hidden_layer_is_kept_but_not_merged(tmp_path):
    half = np.full((4, 4, 4), 128, np.uint8)
    write_layers(tmp_path / "a.ora", (Layer("below", half, visible=False), Layer("above", half)), {})
    assert read_picture(tmp_path / "a.ora")[0, 0, 3] == 128
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        layers = ElementTree.fromstring(archive.read("stack.xml")).findall("stack/layer")
    assert [layer.get("visibility") for layer in layers] == ["visible", "hidden"]


def test_16_bit_png_of_other_programs_keeps_its_depth(tmp_path):
    path = tmp_path / "grey.png"
    grey = np.arange(0, 60000, 1000, dtype=np.uint16).reshape(6, 10)
    path.write_bytes(imagecodecs.png_encode(grey))
    read = read_picture(path)
    assert read.dtype == np.uint16
    assert (read[..., 0] == grey).all()
    assert (read[..., 1] == grey).all()
    assert (read[..., 3] == 65535).all()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "1"])
def test_every_ordinary_kind_of_png_becomes_rgba(tmp_path, mode):
    Image.new("RGBA", (5, 4), (10, 200, 30, 255)).convert(mode).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").shape == (4, 5, 4)


def test_a_photo_lying_on_its_side_is_set_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg").shape == (8, 4, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", ["png", "tif", "ora"])
@pytest.mark.parametrize("icc", [None, WIDE, imagecodecs.cms_profile("srgb")])
def test_a_document_comes_back_with_its_own_colours_and_profile(tmp_path, dtype, suffix, icc):
    path = tmp_path / f"picture.{suffix}"
    data = pixels(dtype)
    data[..., 3] |= 1
    write_layers(path, (Layer("one", data),), {"seed": 7}, icc)
    document = read_document(path)
    assert document.profile == icc
    assert document.pixels.dtype == dtype
    assert (document.pixels == data).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_large_picture_is_written_band_by_band_from_its_file(tmp_path, dtype):
    """Smooth, noisy and even parts, so that every filter of PNG's is chosen; and no multiple of a band."""
    height, width = 1111, 1500
    top = np.iinfo(dtype).max
    y, x = np.indices((height, width))
    data = np.empty((height, width, 4), dtype)
    data[..., 0] = (x * top) // width
    data[..., 1] = (y * top) // height
    data[..., 2] = (x + y) % (top + 1)
    data[..., 3] = top
    data[300:500] = np.random.default_rng(0).integers(0, top, (200, width, 4), dtype=dtype)
    stored = Picture.create(tmp_path / "picture.npy", Extent(width, height), 4, dtype)
    stored.write_raw(stored.bounds, data)
    for name in ("a.png", "a.tif", "a.ora"):
        write_layers(tmp_path / name, (Layer("one", stored),), {}, WIDE)
    assert (imagecodecs.png_decode((tmp_path / "a.png").read_bytes()) == data).all()
    assert (tifffile.imread(tmp_path / "a.tif") == data).all()
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        assert (imagecodecs.png_decode(archive.read("data/layer0.png")) == data).all()
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.info["icc_profile"] == WIDE


def test_a_png_says_what_space_it_is_in_once(tmp_path):
    for icc, tags in ((None, [b"sRGB"]), (WIDE, [b"iCCP"])):
        write_layers(tmp_path / "a.png", (Layer("one", pixels()),), {}, icc)
        data = (tmp_path / "a.png").read_bytes()
        assert [tag for tag in (b"sRGB", b"iCCP") if tag in data] == tags


def test_a_float_document_becomes_16_bit_in_png_and_stays_float_in_tiff(tmp_path):
    data = pixels(np.float32) * 3 - 1
    write_layers(tmp_path / "a.tif", (Layer("one", data),), {}, WIDE)
    write_layers(tmp_path / "a.png", (Layer("one", data),), {}, WIDE)
    assert (read_document(tmp_path / "a.tif").pixels == data).all()
    png = read_document(tmp_path / "a.png")
    assert png.profile == WIDE
    assert png.pixels.dtype == np.uint16
    assert png.pixels / 65535 == pytest.approx(np.clip(data, 0, 1), abs=1e-5)


def test_layers_in_files_are_merged_like_those_in_memory(tmp_path):
    below, above = pixels(height=40, width=30), pixels(height=20, width=10)
    stored = [
        Picture.create(tmp_path / f"{number}.npy", Extent(data.shape[1], data.shape[0]), 4, np.uint8)
        for number, data in enumerate((below, above))
    ]
    for picture, data in zip(stored, (below, above), strict=True):
        picture.write_raw(picture.bounds, data)
    for name, layers in (("memory.ora", (below, above)), ("files.ora", stored)):
        write_layers(tmp_path / name, (Layer("below", layers[0]), Layer("above", layers[1], 7, 9)), {})
    assert (read_picture(tmp_path / "memory.ora") == read_picture(tmp_path / "files.ora")).all()
    assert (tmp_path / "memory.ora").stat().st_size == (tmp_path / "files.ora").stat().st_size


def test_opacity_is_told_of_arrays_and_files(tmp_path):
    opaque = pixels()
    opaque[..., 3] = 255
    assert is_opaque(opaque)
    stored = Picture.create(tmp_path / "picture.npy", Extent(14, 9), 4, np.uint8)
    stored.write_raw(stored.bounds, opaque)
    assert is_opaque(stored)
    opaque[5, 5, 3] = 254
    assert not is_opaque(opaque)


def test_a_grey_picture_is_brought_to_srgb_from_its_own_curve(tmp_path):
    grey = np.full((4, 4), 55, np.uint8)
    icc = profile(SRGB, linear(), space=b"GRAY").replace(b"rTRC", b"kTRC")
    Image.fromarray(grey).save(tmp_path / "a.png", icc_profile=icc)
    document = read_document(tmp_path / "a.png")
    assert document.profile is None
    assert document.pixels[0, 0].tolist() == pytest.approx([128, 128, 128, 255], abs=1)


def test_a_profile_of_another_kind_says_nothing_about_an_rgb_picture(tmp_path):
    icc = profile(SRGB, gamma(2.2), space=b"GRAY")
    Image.new("RGB", (3, 3), (10, 20, 30)).save(tmp_path / "a.png", icc_profile=icc)
    document = read_document(tmp_path / "a.png")
    assert document.profile is None
    assert document.pixels[0, 0].tolist() == [10, 20, 30, 255]


def test_a_linear_profile_is_no_srgb_whatever_its_name(tmp_path):
    icc = profile(SRGB, linear(), name="sRGB-elle-V2-g10.icc")
    write_layers(tmp_path / "a.tif", (Layer("one", np.full((2, 2, 4), 0.214, np.float32)),), {}, icc)
    assert read_picture(tmp_path / "a.tif")[0, 0, :3] == pytest.approx(0.5, abs=1e-3)
    assert read_document(tmp_path / "a.tif").pixels[0, 0, :3] == pytest.approx(0.214)


def test_a_broken_profile_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", pixels()[..., :3], photometric="rgb", iccprofile=WIDE[:300])
    with pytest.raises(PictureError, match="profile"):
        read_document(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_wide_gamut_profile_is_converted_to_srgb(tmp_path, dtype):
    top = np.iinfo(dtype).max
    green = np.full((4, 4, 3), top // 4, dtype)
    green[..., 1] = top // 2
    profile = imagecodecs.cms_profile("adobergb")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, green, photometric="rgb", iccprofile=profile)
    converted = read_picture(path).astype(np.float64)[0, 0] / top
    assert converted[0] < 0.22  # Adobe's green lies outside: sRGB needs less red for it
    assert converted[1] == pytest.approx(0.5, abs=0.02)


def test_associated_alpha_is_divided_out(tmp_path):
    half = np.zeros((4, 4, 4), np.uint16)
    half[...] = (10000, 0, 20000, 32768)
    tifffile.imwrite(tmp_path / "a.tif", half, photometric="rgb", extrasamples=["assocalpha"])
    assert read_picture(tmp_path / "a.tif")[0, 0].tolist() == pytest.approx([20000, 0, 40000, 32768], abs=2)


def test_a_mask_is_brightness_times_alpha(tmp_path):
    image = Image.new("RGBA", (3, 1), (255, 255, 255, 255))
    image.putpixel((1, 0), (0, 0, 0, 255))
    image.putpixel((2, 0), (255, 255, 255, 0))
    image.save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png")[0, :, 0].tolist() == [255, 0, 0]


def _png():
    out = io.BytesIO()
    Image.fromarray(pixels()).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("text.png", b"hello"),
        ("cut.png", _png()[:60]),
        ("zero.png", _png()[:16] + struct.pack(">II", 0, 0) + _png()[24:]),
        ("cut.tif", b"II*\0\x08\0\0\0"),
        ("broken.ora", b"PK not a zip"),
        ("cut.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    ],
)
def test_a_broken_file_is_one_sentence_that_names_it(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PictureError, match=name) as caught:
        read_picture(path)
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(PictureError, match="There is no file"):
        read_picture(tmp_path / "no.png")
    with pytest.raises(PictureError, match="is a folder"):
        read_picture(tmp_path)


@pytest.mark.parametrize(
    ("name", "said"), [("out.bmp", "Scumble writes"), ("no/out.png", "does not exist"), ("out", "ends in")]
)
def test_an_output_that_can_not_be_written_is_refused_beforehand(tmp_path, name, said):
    with pytest.raises(PictureError, match=said):
        check_output(tmp_path / name)


def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path):
    """/dev/full is the real thing: every write fails with ENOSPC."""
    old = tmp_path / "a.png"
    old.write_bytes(b"old")
    (tmp_path / ".a.png.part").symlink_to("/dev/full")
    with pytest.raises(ScumbleError, match="disk is full") as caught:
        write_layers(old, (Layer("one", pixels(height=600, width=600)),), {})
    assert caught.value.code == "disk_full"
    assert old.read_bytes() == b"old"
