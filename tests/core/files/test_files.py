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

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.files.read import read_mask, read_picture
from scumble_core.files.write import Layer, check_output, write_layers


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
