"""Colours on their way out of the real Krita: every model, depth and profile means the same when it comes."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.krita.reading.reader import NUMBERS, SRGB, decoded, noise

pytestmark = pytest.mark.krita


@pytest.mark.parametrize(
    ("depth", "profile"),
    [
        ("U8", SRGB),
        ("U8", "ClayRGB-elle-V2-g22.icc"),
        ("U16", SRGB),
        ("U16", "Rec2020-elle-V4-g10.icc"),
        ("F16", "sRGB-elle-V2-g10.icc"),
        ("F32", "scRGB (linear)"),
        ("F32", "ACEScg-elle-V4-g10.icc"),
    ],
)
def test_rgb_of_any_depth_and_profile_travels_as_it_is(reader, depth, profile):
    reader.run(f"d = document(30, 20, 'RGBA', {depth!r}, {profile!r})\nlayer(d, 'noise', {noise(30, 20, 4, depth)})")
    taken = reader.take()
    assert (taken["depth"], taken["layout"]) == (depth.lower(), "bgra" if depth.startswith("U") else "rgba")
    shown = decoded(reader.run("shown(d)"), depth.lower(), (20, 30, 4))
    np.testing.assert_array_equal(taken.pixels, shown)
    assert np.ptp(shown[..., :3].astype(np.float32)) > 0
    if profile == SRGB:
        assert taken.profile == b""
    else:
        assert ImageCms.ImageCmsProfile(io.BytesIO(taken.profile)).profile.profile_description == profile
    assert reader.run("sources.offer(documents, Wanted()).depth") == taken["depth"]
    assert profile in reader.run("sources.offer(documents, Wanted()).kind")


@pytest.mark.parametrize("depth", ["U8", "U16", "F16", "F32"])
@pytest.mark.parametrize(
    "profile", ["Gray-D50-elle-V2-srgbtrc.icc", "Gray-D50-elle-V2-g10.icc", "Gray-D50-elle-V4-rec709.icc"]
)
def test_grey_travels_with_its_own_numbers_and_means_the_same_light(reader, depth, profile):
    reader.run(f"d = document(40, 30, 'GRAYA', {depth!r}, {profile!r})\nlayer(d, 'noise', {noise(40, 30, 2, depth)})")
    taken = reader.take()
    shown = decoded(reader.run("shown(d)"), depth.lower(), (30, 40, 2))
    assert taken["depth"] == depth.lower()
    np.testing.assert_array_equal(taken.pixels[..., :3], np.repeat(shown[..., :1], 3, axis=2))
    np.testing.assert_array_equal(taken.pixels[..., 3], shown[..., 1])
    grey = ImageCms.getOpenProfile(f"/usr/share/color/icc/krita/{profile}")
    rgb = ImageCms.ImageCmsProfile(io.BytesIO(taken.profile)) if taken.profile else ImageCms.createProfile("sRGB")
    steps = np.arange(256, dtype=np.uint8)[None]
    lab = ImageCms.createProfile("LAB")
    as_grey = ImageCms.profileToProfile(Image.fromarray(steps), grey, lab, 1, "LAB")
    as_rgb = ImageCms.profileToProfile(Image.fromarray(np.repeat(steps[..., None], 3, 2)), rgb, lab, 1, "LAB")
    np.testing.assert_allclose(np.asarray(as_grey, np.int16), np.asarray(as_rgb, np.int16), atol=1)


def test_grey_comes_back_exactly_and_colour_in_it_is_not_lost_silently(reader):
    assert reader.run(
        "from scumble.host.krita.colour import grey_to_rgba, rgba_to_grey\n"
        "grey = bytes(range(200)) * 4\n"
        "result = [rgba_to_grey(grey_to_rgba(grey, depth), depth) == grey for depth in ('U8', 'U16', 'F16', 'F32')]\n"
        "result.append(rgba_to_grey(bytes([1, 2, 3, 4]), 'U8'))"
    ) == [True] * 4 + [None]


@pytest.mark.parametrize(
    ("model", "depth", "travels", "most"),
    [("LABA", "U8", "f32", 1 / 255), ("LABA", "U16", "f32", 1 / 65535), ("LABA", "F32", "f32", 1e-4)],
)
def test_lab_comes_back_within_a_level(reader, model, depth, travels, most):
    profile = "Lab identity built-in"
    colours = base64.b64encode(np.random.default_rng(1).integers(0, 256, (40, 40, 4), np.uint8).tobytes()).decode()
    reader.run(
        f"d = document(40, 40, {model!r}, {depth!r}, {profile!r})\n"
        f"space = Space({model!r}, {depth!r}, {profile!r})\nrgb = Space('RGBA', 'U8', {SRGB!r})\n"
        f"layer(d, 'colours', Conversion(d.clone(), rgb, space)(base64.b64decode({colours!r}), 40, 40))"
    )
    taken = reader.take()
    assert taken["depth"] == travels
    before, after = reader.run(
        f"home = Space('RGBA', 'F32', 'LargeRGB-elle-V2-g22.icc')\n"
        f"back = Conversion(d.clone(), home, space)(base64.b64decode({taken['pixels']!r}), 40, 40)\n"
        "result = [shown(d), base64.b64encode(back).decode()]"
    )
    before = decoded(before, depth.lower(), (-1,)).astype(np.float64)
    after = decoded(after, depth.lower(), (-1,)).astype(np.float64)
    full = 1 if depth == "F32" else np.iinfo(NUMBERS[depth.lower()]).max
    assert np.abs(before - after).max() / (100 if depth == "F32" else full) <= most * 1.001


@pytest.mark.parametrize(("depth", "travels"), [("U8", "u16"), ("U16", "u16"), ("F32", "f32")])
def test_inks_come_back_as_the_colours_that_they_were(reader, depth, travels):
    colours = np.random.default_rng(2).integers(30, 226, (32, 32, 4), np.uint8)
    colours[..., 3] = 255
    raw = base64.b64encode(colours.tobytes()).decode()
    reader.run(
        f"d = document(32, 32, 'CMYKA', {depth!r}, 'Chemical proof')\n"
        f"space, rgb = Space('CMYKA', {depth!r}, 'Chemical proof'), Space('RGBA', 'U8', {SRGB!r})\n"
        f"layer(d, 'inks', Conversion(d.clone(), rgb, space)(base64.b64decode({raw!r}), 32, 32))"
    )
    taken = reader.take()
    assert (taken["depth"], bool(taken.profile)) == (travels, True)
    # Krita's own way there and back, through 16-bit sRGB: its tables for inks aren't exact.
    ours, own, before = reader.run(
        f"home = Space('RGBA', {travels.upper()!r}, 'LargeRGB-elle-V2-g22.icc')\n"
        f"deep = Space('RGBA', 'U16', {SRGB!r})\n"
        "inks, lender = d.pixelData(0, 0, 32, 32).data(), d.clone()\n"
        "def through(pixels, *spaces):\n"
        "    for start, end in zip(spaces, spaces[1:]):\n"
        "        pixels = Conversion(lender, start, end)(pixels, 32, 32)\n"
        "    return base64.b64encode(pixels).decode()\n"
        f"result = [through(base64.b64decode({taken['pixels']!r}), home, space, rgb),\n"
        "          through(inks, space, deep, space, rgb), through(inks, space, rgb)]"
    )
    ours, own, before = (decoded(each, "u8", (32, 32, 4)).astype(int) for each in (ours, own, before))
    error, krita_error = np.abs(ours - before), np.abs(own - before)
    assert error.mean() <= krita_error.mean() + 0.2
    assert error.max() <= krita_error.max() + 4
    assert (ours[..., 3] == 255).all()


def test_a_profile_that_lies_in_no_folder_is_got_out_of_krita(reader):
    assert reader.run("'sRGB built-in' in K.profiles('RGBA', 'U8')")
    reader.steps("profiles.find(Space('RGBA', 'U8', 'sRGB built-in'))")
    data = base64.b64decode(reader.run("base64.b64encode(meter.value).decode()"))
    assert ImageCms.ImageCmsProfile(io.BytesIO(data)).profile.profile_description == "sRGB built-in"
    assert reader.run("len(K.documents())") == 0


def test_a_profile_that_came_with_pixels_has_its_name_in_krita(reader):
    known, made = reader.run(
        "from scumble.host.krita.icc import grey_as_rgb\n"
        "folder = '/usr/share/color/icc/krita/'\n"
        "wide = open(folder + 'LargeRGB-elle-V2-g22.icc', 'rb').read()\n"
        "grey = grey_as_rgb(open(folder + 'Gray-D50-elle-V2-g18.icc', 'rb').read())\n"
        "result = [profiles.name_of(wide), profiles.name_of(grey)]"
    )
    assert known == "LargeRGB-elle-V2-g22.icc"
    assert reader.run(f"{made!r} in K.profiles('RGBA', 'U16')")
    assert "Gray-D50-elle-V2-g18" in made
    assert reader.run("profiles.name_of(b'')") == SRGB
