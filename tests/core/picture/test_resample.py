import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.colour import srgb_decode
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.resample import Filter, block_bands, resize, resize_bands, resize_colour, resize_values
from scumble_core.picture.storage import Picture

sides = st.integers(1, 40)
long_sides = st.integers(1, 700)


def picture(folder, pixels):
    made = Picture.create(folder / "picture.npy", Extent(pixels.shape[1], pixels.shape[0]), pixels.shape[2], np.float32)
    made.write(made.bounds, pixels.astype(np.float32))
    return made


@given(width=long_sides, height=sides, to_width=long_sides, to_height=long_sides, data=st.data())
@pytest.mark.parametrize("resized", [resize_colour, resize_values])
def test_a_part_equals_the_same_pixels_of_the_whole_bit_for_bit(
    tmp_path_factory, resized, width, height, to_width, to_height, data
):
    pixels = np.random.default_rng(width).random((height, width, 2), np.float32)
    source = picture(tmp_path_factory.mktemp("resample"), pixels)
    target = Extent(to_width, to_height)
    whole = resized(source, target, Bounds.of(target))
    left, top = data.draw(st.integers(0, to_width - 1)), data.draw(st.integers(0, to_height - 1))
    right, bottom = data.draw(st.integers(left + 1, to_width)), data.draw(st.integers(top + 1, to_height))
    part = Bounds.between(left, top, right, bottom)
    assert (resized(source, target, part) == whole[part.slices]).all()


@given(width=long_sides, height=long_sides, to_width=long_sides, to_height=long_sides)
def test_blocks_join_into_what_pillow_makes_of_the_whole(tmp_path_factory, width, height, to_width, to_height):
    pixels = np.random.default_rng(height).random((height, width, 1), np.float32)
    source = picture(tmp_path_factory.mktemp("resample"), pixels)
    target = Extent(to_width, to_height)
    whole = resize_values(source, target, Bounds.of(target), Filter.LANCZOS)
    assert np.abs(whole - resize(pixels, target)).max() < 1e-4


@given(sides, sides, st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 50))
def test_bands_cover_every_row_once_and_end_where_blocks_do(width, height, to_width, to_height, start):
    part = Bounds.between(0, min(start, to_height - 1), to_width, to_height)
    bands = list(block_bands(Extent(width, height), Extent(to_width, to_height), part))
    assert [band.y for band in bands] == [part.y, *(band.bottom for band in bands[:-1])]
    assert bands[-1].bottom == part.bottom
    assert all(band.bottom % 32 == 0 for band in bands[:-1])


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.7, 2, 4])
def test_resizing_does_not_shift_the_picture(scale):
    ramp = np.linspace(0.2, 0.8, 64, dtype=np.float32)
    pixels = np.repeat(ramp[None, :, None], 8, axis=0)
    large = resize(pixels, Extent(round(64 * scale), 8), Filter.BICUBIC)
    places = (np.arange(large.shape[1]) + 0.5) / scale - 0.5
    middle = slice(large.shape[1] // 4, large.shape[1] * 3 // 4)
    assert large[4, middle, 0] == pytest.approx(np.interp(places, np.arange(64), ramp)[middle], abs=2e-3)


@pytest.mark.parametrize("size", [(46, 34), (23, 17), (39, 29), (80, 60)])
def test_a_spot_enlarged_by_four_and_reduced_lies_where_it_lay(tmp_path, size):
    """As after the upscaler. The centroid of the spot's light, in pixels of the source."""
    y, x = np.indices((17, 23))
    spot = np.exp(-((y - 8) ** 2 + (x - 15) ** 2) / 6)[..., None]
    enlarged = picture(tmp_path, spot.repeat(4, axis=0).repeat(4, axis=1))
    target = Extent(*size)
    reduced = srgb_decode(resize_colour(enlarged, target, Bounds.of(target)).astype(np.float64)[..., 0])
    y, x = ((np.indices(reduced.shape) + 0.5) * reduced).sum(axis=(1, 2)) / reduced.sum()
    assert (x * 23 / size[0], y * 17 / size[1]) == pytest.approx((15.5, 8.5), abs=0.02)


def test_a_fine_checkerboard_becomes_the_grey_that_the_eye_sees(tmp_path):
    board = (np.indices((64, 96)).sum(axis=0) % 2)[..., None].repeat(3, axis=2)
    grey = resize_colour(picture(tmp_path, board), Extent(48, 32), Bounds(0, 0, 48, 32))
    assert grey[8:-8, 8:-8] * 255 == pytest.approx(188, abs=1)


def test_plain_values_are_averaged_as_they_are(tmp_path):
    board = (np.indices((64, 96)).sum(axis=0) % 2)[..., None]
    half = resize_values(picture(tmp_path, board), Extent(48, 32), Bounds(0, 0, 48, 32))
    assert half[8:-8, 8:-8] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.7, 4])
def test_ringing_stays_within_the_range_of_colours_and_there_is_none_in_alpha(tmp_path, scale):
    edge = np.zeros((40, 40, 1), np.float32)
    edge[:, 20:] = 1
    target = Extent(40, 40).scaled(scale)
    colour = resize_colour(picture(tmp_path, edge), target, Bounds.of(target))
    assert colour.min() >= 0
    assert colour.max() <= 1
    step = picture(tmp_path, edge * 0.4 + 0.3)
    alpha = resize_values(step, target, Bounds.of(target))
    assert (np.diff(alpha[0, :, 0]) >= -1e-6).all()
    assert alpha.min() == pytest.approx(0.3, abs=1e-6)
    assert alpha.max() == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize("extent", [Extent(31, 5), Extent(7, 3), Extent(9, 7), Extent(100, 90)])
def test_a_constant_stays_constant(tmp_path, extent):
    flat = picture(tmp_path, np.full((9, 7, 3), 0.3, np.float32))
    assert resize_colour(flat, extent, Bounds.of(extent)) == pytest.approx(0.3, abs=1e-6)


def test_a_whole_picture_takes_the_size_of_its_target(tmp_path):
    source = picture(tmp_path, np.full((50, 70, 3), 0.25, np.float32))
    target = Picture.create(tmp_path / "target.npy", Extent(33, 21), 3, np.float32)
    resize_bands(source, target)
    assert target.read(target.bounds) == pytest.approx(0.25, abs=1e-6)


def test_a_small_part_of_a_huge_picture_reads_no_whole_rows(tmp_path):
    """Checked by what lies elsewhere: reading it would bring NaN into the result."""
    pixels = np.full((64, 8000, 1), np.nan, np.float32)
    pixels[:, :2500] = 0.5
    source = Picture.create(tmp_path / "picture.npy", Extent(8000, 64), 1, np.float32)
    source.write_raw(source.bounds, pixels)
    part = resize_colour(source, Extent(4000, 32), Bounds(300, 0, 200, 32))
    assert part == pytest.approx(0.5, abs=1e-6)
