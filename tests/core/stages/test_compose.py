"""From a document to what models see and back: `write_colour`, then `compose`."""

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
)

from scumble_core.picture.alpha import CELL
from scumble_core.picture.colour import ColourSpace, srgb_decode
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.resample import resize_bands
from scumble_core.picture.storage import Picture
from scumble_core.stages import prepare
from scumble_core.stages.compose import compose
from scumble_core.stages.prepare import work_picture, write_colour

SPACES = {
    "srgb": None,
    "adobe": profile(ADOBE, gamma(563 / 256)),
    "p3": profile(DISPLAY_P3, parametric(*SRGB_CURVE)),
    "rec2020": profile(REC2020, parametric(*REC709_CURVE)),
    "linear": profile(SRGB, linear()),
    "linear rec2020": profile(REC2020, linear()),
}


def stored(path, pixels):
    picture = Picture.create(path, Extent(pixels.shape[1], pixels.shape[0]), pixels.shape[2], pixels.dtype)
    picture.write_raw(picture.bounds, pixels)
    return picture


def walked(folder, pixels, scale=1.0, space=None, region=None):
    """The document through all but the models: what strength 0 gives."""
    space = ColourSpace(space)
    source = stored(folder / "source.npy", pixels)
    colour = work_picture(folder, "colour", source, 3)
    beyond = write_colour(source, colour, space)
    alpha = work_picture(folder, "alpha", source, 1)
    alpha.write(alpha.bounds, np.clip(source.read(source.bounds)[..., 3:], 0, 1))
    extent = source.extent.scaled(scale)
    resized = Picture.create(folder / "resized.npy", extent, 3, np.float32)
    if extent == source.extent:
        resized = colour
    else:
        resize_bands(colour, resized)
    region = region or Bounds.of(extent)
    compose(resized, alpha, extent, region, folder / "result.npy", pixels.dtype, space, beyond)
    result = Picture.open(folder / "result.npy")
    return result.read_raw(result.bounds)


def document(dtype, height=60, width=90):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        pixels = (rng.random((height, width, 4)) * 4 - 0.5).astype(np.float32)
        pixels[..., 3] = rng.random((height, width)) * 0.9 + 0.1
        return pixels
    pixels = rng.integers(0, np.iinfo(dtype).max, (height, width, 4), dtype=dtype, endpoint=True)
    pixels[..., 3] = np.maximum(pixels[..., 3], 1)
    return pixels


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_nothing_done_gives_the_document_back_within_a_level(tmp_path, name, dtype):
    pixels = document(dtype)
    back = walked(tmp_path, pixels, space=SPACES[name])
    assert back.dtype == dtype
    assert np.abs(back.astype(int) - pixels).max() <= (0 if name == "srgb" else 1)


@pytest.mark.parametrize("name", SPACES)
def test_nothing_done_gives_a_float_document_back_with_its_highlights(tmp_path, name):
    pixels = document(np.float32)
    back = walked(tmp_path, pixels, space=SPACES[name])
    light, light_back = srgb_decode(pixels[..., :3]), srgb_decode(back[..., :3])
    assert (np.abs(light_back - light) / np.abs(light).max(axis=2, keepdims=True)).max() < 1e-5
    assert (back[..., 3] == pixels[..., 3]).all()


def test_only_what_lies_beyond_takes_room(tmp_path):
    source = stored(tmp_path / "source.npy", document(np.uint8))
    assert write_colour(source, work_picture(tmp_path, "colour", source, 3)) is None
    wide = ColourSpace(SPACES["rec2020"])
    assert write_colour(source, work_picture(tmp_path, "colour", source, 3), wide) is not None
    greys = stored(tmp_path / "greys.npy", np.repeat(document(np.uint8)[..., :1], 4, axis=2))
    assert write_colour(greys, work_picture(tmp_path, "colour", greys, 3), wide) is None


def test_a_highlight_of_a_float_document_is_averaged_as_light(tmp_path):
    pixels = np.zeros((64, 64, 4), np.float32)
    pixels[..., 3] = 1
    pixels[::2, ::2, :3] = 40
    back = walked(tmp_path, pixels, 0.5, SPACES["linear"])
    assert back[8:-8, 8:-8, :3] == pytest.approx(10, rel=2e-2)


def test_a_part_equals_the_same_pixels_of_the_whole(tmp_path):
    pixels = document(np.uint8)
    whole = walked(tmp_path, pixels, 1.7, SPACES["p3"])
    part = walked(tmp_path, pixels, 1.7, SPACES["p3"], Bounds(31, 17, 40, 50))
    # Alike but for the dither, which is a pattern of each result's own places.
    assert np.abs(part.astype(int) - whole[17:67, 31:71]).max() <= 1


def test_eight_bits_are_dithered_where_they_are_too_few(tmp_path):
    """A slow ramp, enlarged: between two levels both occur, and their mean is right."""
    ramp = np.full((8, 64, 4), 255, np.uint8)
    ramp[..., :3] = 100
    ramp[:, 32:, :3] = 101
    back = walked(tmp_path, ramp, 10)[..., 0]
    middle = back[:, 318:322].astype(float)
    assert set(np.unique(middle)) == {100, 101}
    assert middle.mean() == pytest.approx(100.5, abs=0.1)
    assert (back[:, :280] == 100).all()


def disc(shape, centre, radius, softness):
    y, x = np.indices(shape) + 0.5
    distance = np.hypot(x - centre[1], y - centre[0])
    return np.clip((radius - distance) / softness + 0.5, 0, 1)


@pytest.mark.parametrize("scale", [0.5, 1, 1.7, 2, 4])
@pytest.mark.parametrize("softness", [1, 12])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_lies_under_no_alpha_never_shows(tmp_path, scale, softness, dtype):
    """A red disc, its surroundings full of green garbage: over black and over white it is red to its last pixel."""
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    alpha = disc((80, 100), (40, 50), 25, softness)
    pixels = np.zeros((80, 100, 4))
    pixels[..., 1] = np.random.default_rng(0).random((80, 100)) > 0.5
    pixels[alpha > 0] = (0.8, 0.1, 0.2, 0)
    pixels[..., 3] = alpha
    pixels = (pixels * top).astype(dtype) if top == 1 else np.round(pixels * top).astype(dtype)
    pixels[pixels[..., 3] == 0, :3] = (0, top, 0)
    red = pixels[40, 50, :3] / top
    back = walked(tmp_path, pixels, scale) / top
    share = back[..., 3:]
    for ground in (0, 1):
        shown = back[..., :3] * share + ground * (1 - share)
        ideal = red * share + ground * (1 - share)
        assert np.abs(shown - ideal).max() <= 1.01 / 255
    assert (back[share[..., 0] == 0][:, :3] <= red + 1 / 255).all()


def test_a_highlight_at_the_edge_of_paint_is_not_dimmed_by_what_is_not_there(tmp_path):
    pixels = np.zeros((40, 40, 4), np.float32)
    pixels[10:30, 10:30] = (5, 5, 5, 1)
    back = walked(tmp_path, pixels, 2, SPACES["linear"])
    assert back[back[..., 3] > 0][:, :3] == pytest.approx(5, rel=1e-5)


@given(st.integers(1, 9), st.integers(1, 3), st.integers(0, 20))
def test_filled_holes_do_not_depend_on_the_blocks(tmp_path_factory, rows, columns, seed):
    folder = tmp_path_factory.mktemp("blocks")
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (300, 90, 4), dtype=np.uint8)
    pixels[..., 3] *= rng.random((300, 90)) > 0.99
    source = stored(folder / "source.npy", pixels)
    space = ColourSpace(SPACES["adobe"])
    whole, blocks = (work_picture(folder, name, source, 3) for name in ("whole", "blocks"))
    write_colour(source, whole, space)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "BLOCK", Extent(columns * CELL, rows * CELL))
        write_colour(source, blocks, space)
    assert (whole.read(whole.bounds) == blocks.read(blocks.bounds)).all()
