"""The colour lock: tone and colour from the upscale, detail from the refined picture, and no seam by any route."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from tests.core.pictures import stored

from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Picture
from scumble_core.stages.lock import COARSE, FINE, REACH, CellGrid, Lock, lock_colour

NUMBERS = itertools.count()
HERE = Point(0, 0)


def grey(width, height, seed=0, spread=0.15):
    """Random, and far enough from black and white that nothing is clipped."""
    return 0.5 + np.random.default_rng(seed).uniform(-spread, spread, (height, width, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lock")

    def of(refined, upscaled, strength=1.0, origin=HERE, region=None, cell=COARSE):
        refined, upscaled = (
            stored(folder / f"{next(NUMBERS)}.npy", np.ascontiguousarray(pixels, np.float32))
            for pixels in (refined, upscaled)
        )
        lock_colour(refined, upscaled, Lock(strength, cell), origin, refined.bounds if region is None else region)
        pixels = refined.read(refined.bounds)
        refined.path.unlink()
        upscaled.path.unlink()
        return pixels

    return of


sizes = st.tuples(st.integers(1, 150), st.integers(1, 150))
origins = st.builds(Point, st.integers(-70, 70), st.integers(-70, 70))


@given(sizes, origins, st.floats(0, 1))
@settings(deadline=None, max_examples=30)
def test_a_picture_locked_to_itself_stays_to_the_bit(locked, size, origin, strength):
    pixels = grey(*size)
    assert (locked(pixels, pixels, strength, origin) == pixels).all()


@given(sizes, origins, st.floats(-0.2, 0.2))
@settings(deadline=None, max_examples=30)
def test_a_shift_of_the_whole_is_taken_back_wholly_up_to_every_edge(locked, size, origin, shift):
    pixels = grey(*size)
    assert locked(pixels + np.float32(shift), pixels, 1.0, origin) == pytest.approx(pixels, abs=1e-6)


@given(sizes, origins, st.floats(0, 1))
@settings(deadline=None, max_examples=30)
def test_the_strength_scales_what_is_taken_back(locked, size, origin, strength):
    refined, upscaled = grey(*size, 1), grey(*size, 2)
    whole, part = (locked(refined, upscaled, each, origin) - refined for each in (1.0, strength))
    assert part == pytest.approx(whole * strength, abs=1e-6)


@given(sizes, origins)
@settings(deadline=None, max_examples=30)
def test_what_is_taken_back_is_linear_in_the_difference(locked, size, origin):
    base, one, other = grey(*size), grey(*size, 1, 0.1) - 0.5, grey(*size, 2, 0.1) - 0.5
    back = [locked(base + change, base, 1.0, origin) - (base + change) for change in (one, other, one + other)]
    assert back[2] == pytest.approx(back[0] + back[1], abs=1e-6)


@pytest.mark.parametrize("wave", [400, 600])
@pytest.mark.parametrize("size", [(512, 384), (500, 333)])
def test_a_smooth_drift_is_gone_in_every_block_and_detail_is_all_there(locked, wave, size):
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    source = grey(width, height, 3)
    drift = 0.08 * np.stack([np.sin(2 * np.pi * x / wave), np.cos(2 * np.pi * y / wave), (x - y) / width], 2)
    detail = np.random.default_rng(4).normal(0, 0.02, source.shape).astype(np.float32)
    detail -= gaussian_filter(detail, (4, 4, 0))
    out = locked(source + drift + detail, source)
    left = out - source
    for top in range(0, height - 63, 64):
        for start in range(0, width - 63, 64):
            block = np.s_[top : top + 64, start : start + 64]
            assert np.abs((left[block] - detail[block]).mean((0, 1))).max() < 1 / 255
    sharp = left - gaussian_filter(left, (2, 2, 0))
    wanted = detail - gaussian_filter(detail, (2, 2, 0))
    assert (sharp * wanted).sum() / (wanted**2).sum() == pytest.approx(1, abs=0.01)
    assert sharp.std() == pytest.approx(wanted.std(), rel=0.01)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_stripes_of_a_few_pixels_are_left_alone_at_the_edges_too(locked, period):
    """Whatever is left of a cell there."""
    for width in (128, 129, 130, 135):
        stripes = np.zeros((96, width, 3), np.float32)
        stripes[:, np.arange(width) % period < period // 2] = 0.1
        source = np.full_like(stripes, 0.4)
        out = locked(source + stripes, source)
        contrast = out - source - (stripes - stripes.mean())
        assert np.abs(contrast).max() < 0.02, width


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_part_of_the_canvas_comes_out_as_in_the_whole_whatever_lies_beyond_its_reach(locked, data):
    """As a region, and as a picture by itself that was cut out at any place: to the bit."""
    width, height = data.draw(st.integers(1, 420)), data.draw(st.integers(1, 420))
    origin = data.draw(origins)
    refined, upscaled = grey(width, height, 5), grey(width, height, 6)
    whole = locked(refined, upscaled, 0.8, origin)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    region = Bounds(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    known = region.pad(REACH).intersect(Bounds(0, 0, width, height))
    other = np.zeros_like(refined)
    other[known.slices] = refined[known.slices]
    part = locked(other, upscaled, 0.8, origin, region)
    assert (part[region.slices] == whole[region.slices]).all()
    outside = np.ones((height, width), bool)
    outside[region.slices] = False
    assert (part[outside] == other[outside]).all()
    crop = known.slices
    at = Point(origin.x + known.x, origin.y + known.y)
    cut = locked(refined[crop], upscaled[crop], 0.8, at)
    own = region.translate(-known.x, -known.y).slices
    assert (cut[own] == whole[region.slices]).all()


@pytest.mark.parametrize("region", [None, Bounds(37, 101, 200, 611)])
def test_the_bands_it_is_done_in_make_no_difference(locked, monkeypatch, region):
    refined, upscaled = grey(300, 900, 7), grey(300, 900, 8)
    at_once = locked(refined, upscaled, 1.0, Point(5, 11), region)

    def narrow(self, region):
        top = (region.y + self._dy) // COARSE * COARSE - self._dy
        for y in range(top, region.bottom, COARSE):
            yield Bounds.between(region.x, max(y, region.y), region.right, min(y + COARSE, region.bottom))

    monkeypatch.setattr(CellGrid, "bands", narrow)
    assert (locked(refined, upscaled, 1.0, Point(5, 11), region) == at_once).all()


def test_what_it_takes_back_is_smooth(locked):
    """Seen alone, of the hardest difference there is, it has no step: nowhere near a cell's or a tile's edge."""
    source = np.full((256, 256, 3), 0.5, np.float32)
    refined = source.copy()
    refined[:, 128:] = 0.7
    back = (locked(refined, source) - refined)[100, :, 0]
    slopes = np.diff(back)
    assert np.abs(slopes).max() < 0.2 / COARSE / 2
    assert np.abs(np.diff(slopes)).max() < 0.2 / COARSE**2 / 2


def test_results_stay_within_0_and_1(locked):
    white = np.ones((64, 64, 3), np.float32)
    grain = white - (np.random.default_rng(0).random((64, 64, 1)) < 0.3).astype(np.float32)
    out = locked(grain, white)
    assert out.min() >= 0 and out.max() <= 1 and (out != grain).any()


def test_strength_0_does_not_even_read(tmp_path):
    picture = Picture.create(tmp_path / "p.npy", Extent(20, 20), 3, "float32")
    lock_colour(
        picture, Picture.create(tmp_path / "q.npy", Extent(3, 3), 3, "float32"), Lock(0.0), HERE, picture.bounds
    )


def test_memory_does_not_grow_with_the_height(tmp_path):
    """Beside the cells, which are a 256th of the picture's pixels."""
    peaks = []
    for height in (8_000, 16_000):
        pictures = [Picture.create(tmp_path / f"{height}-{n}.npy", Extent(512, height), 3, "float32") for n in (1, 2)]
        tracemalloc.start()
        lock_colour(*pictures, Lock(1.0), HERE, pictures[0].bounds)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    cells = 512 * 8_000 / COARSE**2 * 3 * 4
    assert peaks[1] - peaks[0] < 6 * cells


def test_a_weak_walk_is_locked_more_finely_than_a_strong_one(locked):
    assert Lock.of(1.0, 0.34).cell == FINE and Lock.of(1.0, 1.2).cell == COARSE
    upscaled = grey(256, 256)
    x = np.arange(256, dtype=np.float32)[None, :, None]
    for period, least, most in ((6, 0.97, 1.001), (50, 0.4, 0.6), (100, 0.1, 0.25)):
        wave = 0.05 * np.sin(2 * np.pi * x / period)
        fine, coarse = (
            (locked(upscaled + wave, upscaled, cell=cell) - upscaled)[64:192, 64:192].std() / wave[:, 64:192].std()
            for cell in (FINE, COARSE)
        )
        assert least < fine < most and fine < coarse * 1.001
