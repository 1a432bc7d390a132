import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.resample import Filter, resize, resize_band
from scumble_core.picture.storage import Picture

sides = st.integers(1, 40)


def picture(folder, pixels):
    made = Picture.create(folder / "picture.npy", Extent(pixels.shape[1], pixels.shape[0]), pixels.shape[2], np.float32)
    made.write(made.bounds, pixels.astype(np.float32))
    return made


@given(width=sides, height=sides, to_width=sides, to_height=sides, rows=st.integers(1, 11), seed=st.integers(0, 99))
def test_a_band_equals_the_same_rows_of_the_whole(tmp_path_factory, width, height, to_width, to_height, rows, seed):
    pixels = np.random.default_rng(seed).random((height, width, 2), np.float32)
    source = picture(tmp_path_factory.mktemp("resample"), pixels)
    target = Extent(to_width, to_height)
    whole = resize(pixels, target)
    for band in Bounds.of(target).bands(rows):
        assert resize_band(source, target, band) == pytest.approx(whole[band.slices], abs=1e-4)


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.7, 2, 4])
def test_enlarging_does_not_shift_the_picture(scale):
    ramp = np.linspace(0.2, 0.8, 64, dtype=np.float32)
    pixels = np.repeat(ramp[None, :, None], 8, axis=0)
    large = resize(pixels, Extent(round(64 * scale), 8), Filter.BICUBIC)
    places = (np.arange(large.shape[1]) + 0.5) / scale - 0.5
    middle = slice(large.shape[1] // 4, large.shape[1] * 3 // 4)
    assert large[4, middle, 0] == pytest.approx(np.interp(places, np.arange(64), ramp)[middle], abs=2e-3)


def test_a_constant_stays_constant():
    assert resize(np.full((9, 7, 3), 0.3, np.float32), Extent(31, 5)) == pytest.approx(0.3, abs=1e-6)
