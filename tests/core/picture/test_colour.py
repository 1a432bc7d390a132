from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.picture.profiles import (
    ADOBE,
    DISPLAY_P3,
    REC709_CURVE,
    REC2020,
    SRGB,
    SRGB_CURVE,
    gamma,
    linear,
    parametric,
    profile,
    table,
)

from scumble_core.errors import PictureError
from scumble_core.picture.colour import ColourSpace, clipped, srgb_decode, srgb_encode
from scumble_core.picture.depth import from_floats


def rec709(values):
    return np.where(values < 0.0812428583, values / 4.5, ((values + 0.0992968268) / 1.0992968268) ** (1 / 0.45))


SPACES = {
    "srgb": None,
    "adobe": profile(ADOBE, gamma(563 / 256)),
    "p3": profile(DISPLAY_P3, parametric(*SRGB_CURVE)),
    "rec2020": profile(REC2020, parametric(*REC709_CURVE)),
    "rec2020 table": profile(REC2020, table(rec709)),
    "linear srgb": profile(SRGB, linear()),
    "linear rec2020": profile(REC2020, gamma(1)),
}


def without_green(data):
    """A profile whose green is its red."""
    entry, red = data.index(b"gXYZ"), data.index(b"rXYZ")
    return data[:entry] + b"gXYZ" + data[red + 4 : red + 12] + data[entry + 12 :]


def there_and_back(space, colour):
    seen, beyond = clipped(space.to_work(colour))
    assert seen.dtype == np.float32
    assert seen.min() >= 0
    assert seen.max() <= 1
    return space.from_work(seen, beyond)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_come_back_within_a_level(name, dtype):
    rng = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    colour = rng.integers(0, top, (120, 200, 3), dtype=dtype, endpoint=True)
    colour[:40] = np.where(rng.random((40, 200, 3)) > 0.5, 0, colour[:40])
    colour[80:] = np.where(rng.random((40, 200, 3)) > 0.5, top, colour[80:])
    back = from_floats(there_and_back(ColourSpace(SPACES[name]), colour), dtype)
    assert np.abs(back.astype(int) - colour).max() <= 1


@pytest.mark.parametrize("name", SPACES)
def test_floats_come_back_highlights_and_negatives_too(name):
    colour = (np.random.default_rng(0).random((120, 200, 3)) * 5 - 0.5).astype(np.float32)
    colour[:40] **= 2
    back = there_and_back(ColourSpace(SPACES[name]), colour)
    # Relative in light, and to the brightest channel: in other primaries the others are differences of it.
    light, light_back = srgb_decode(colour), srgb_decode(back)
    assert (np.abs(light_back - light) / np.abs(light).max(axis=2, keepdims=True)).max() < 1e-5


@pytest.mark.parametrize("name", ["adobe", "p3", "rec2020", "linear srgb", "linear rec2020"])
def test_colours_are_those_of_littlecms(name):
    colour = np.random.default_rng(1).random((40, 40, 3), np.float32)
    target = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.329], primaries=[*SRGB[0], *SRGB[1], *SRGB[2]], gamma=1
    )
    expected = imagecodecs.cms_transform(colour, SPACES[name], target, colorspace="rgb", outcolorspace="rgb", intent=1)
    assert srgb_decode(ColourSpace(SPACES[name]).to_work(colour)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", SPACES)
def test_greys_stay_greys_and_white_stays_white(name):
    greys = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[None, :, None], 3, axis=2)
    work = ColourSpace(SPACES[name]).to_work(greys)
    assert np.ptp(work, axis=2).max() < 1e-6
    assert work[0, 0] == pytest.approx(0, abs=1e-6)
    assert work[0, -1] == pytest.approx(1, abs=2e-5)


def test_srgb_is_left_alone_whatever_the_profile_calls_itself():
    colour = np.random.default_rng(2).random((5, 5, 3), np.float32) * 3 - 1
    for data in (None, imagecodecs.cms_profile("srgb"), profile(SRGB, parametric(*SRGB_CURVE), name="Monitor")):
        space = ColourSpace(data)
        assert space.is_srgb
        assert (space.to_work(colour) == colour).all()
        assert space.from_work(colour) is colour


def test_a_linear_profile_with_srgb_in_its_name_is_no_srgb():
    space = ColourSpace(profile(SRGB, linear(), name="sRGB-elle-V2-g10.icc"))
    assert not space.is_srgb
    assert space.name == "sRGB-elle-V2-g10.icc"
    grey = np.full((1, 1, 3), 0.2140, np.float32)
    assert space.to_work(grey) == pytest.approx(0.5, abs=1e-3)


def test_a_colour_outside_srgb_is_seen_clipped_and_kept_beyond():
    green = np.zeros((1, 1, 3), np.float32)
    green[..., 1] = 1
    seen, beyond = clipped(ColourSpace(SPACES["rec2020"]).to_work(green))
    assert seen[0, 0] == pytest.approx([0, 1, 0], abs=1e-5)
    assert beyond[0, 0] == pytest.approx([-0.588, 0.133, -0.101], abs=0.01)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "can't be used"),
        (b"not a profile" * 20, "can't be used"),
        (SPACES["adobe"][:200], "\"test\" can't be used|can't be used"),
        (profile(SRGB, gamma(0)), '"test" can\'t be used'),
        (profile(SRGB, gamma(2.2), name="Coated", space=b"CMYK"), '"Coated" is for CMYK'),
        (profile(SRGB, gamma(2.2), name="Dot gain", space=b"GRAY"), '"Dot gain" is for GRAY'),
        (SPACES["adobe"].replace(b"gXYZ", b"xxxx").replace(b"bXYZ", b"gXYZ"), "a part is missing"),
        (without_green(SPACES["adobe"]), "span no space"),
    ],
)
def test_a_profile_of_another_kind_or_a_broken_one_is_refused_by_name(data, said):
    with pytest.raises(PictureError, match=said) as caught:
        ColourSpace(data)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message


@given(cut=st.integers(0, 600), at=st.integers(0, 600), value=st.integers(0, 255))
def test_no_broken_profile_fails_in_another_way(cut, at, value):
    data = bytearray(SPACES["adobe"])
    data[at % len(data)] = value
    for broken in (bytes(data), bytes(data[:cut])):
        with suppress(PictureError):
            assert np.isfinite(ColourSpace(broken).to_work(np.zeros((1, 1, 3), np.uint8))).all()


def test_a_missing_profile_file_means_srgb(tmp_path):
    assert ColourSpace.load(tmp_path / "profile.icc") == ColourSpace()
    (tmp_path / "profile.icc").write_bytes(SPACES["adobe"])
    assert ColourSpace.load(tmp_path / "profile.icc") == ColourSpace(SPACES["adobe"])


@given(st.floats(-100, 100, width=32))
def test_the_srgb_curve_inverts(value):
    for kind in (np.float32, np.float64):
        values = np.array([value], kind)
        assert srgb_decode(srgb_encode(values)) == pytest.approx(values, rel=1e-5, abs=1e-6)
        assert srgb_decode(values).dtype == kind
