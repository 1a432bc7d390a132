"""Blends keep their detail where tiles differ, and nothing else is touched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.pictures import stored

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.tiles import TileGrid
from scumble_core.stages import evened
from scumble_core.stages.blend import TileBlender
from scumble_core.stages.evened import CHANNELS, MOST_GAIN, REACH, Evened, change_of, gain

GRID = TileGrid(Extent(96, 96), (0, 48), (0, 48))
SIDE = 144


def blended(folder, changes, rows=None):
    """The picture with each tile's change, None for one that is left alone."""
    base = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    picture, out = stored(folder / "base.npy", base), np.full_like(base, np.nan)

    def sink(band, pixels):
        out[band.slices] = pixels

    evened = Evened(picture, sink)

    def given_out(band, values):
        for part in band.bands(rows or band.height):
            evened(part, values[part.y - band.y : part.bottom - band.y])

    blender = TileBlender.of(GRID, given_out, channels=CHANNELS)
    for box, change in zip(GRID.boxes(), changes, strict=True):
        own = base[box.slices]
        blender.add(box.x, box.y, change_of(None if change is None else own + change, own))
    blender.finish()
    evened.finish()
    return out - base


def noise(seed, spread=0.05):
    return np.random.default_rng(seed).normal(0, spread, (96, 96, 3)).astype(np.float32)


def test_tiles_that_agree_come_out_as_they_are(tmp_path):
    whole = np.random.default_rng(0).normal(0, 0.05, (SIDE, SIDE, 3)).astype(np.float32)
    out = blended(tmp_path, [whole[box.slices] for box in GRID.boxes()])
    assert out == pytest.approx(whole, abs=2e-5)


def test_where_tiles_differ_the_blend_is_as_lively_as_they_are(tmp_path):
    shared = np.random.default_rng(9).normal(0, 0.05, (SIDE, SIDE, 3)).astype(np.float32)
    changes = [shared[box.slices] * 0.9 + noise(number) * 0.436 for number, box in enumerate(GRID.boxes())]
    out = blended(tmp_path, changes)
    middle, inside = out[4:44, 66:78].std(), out[4:44, 4:44].std()
    assert 0.97 < middle / inside < 1.03
    # Without evening it would be the root of (1 + c) / 2 of that, c = 0.81: 0.951.


def test_tiles_that_have_nothing_in_common_are_raised_no_more_than_allowed(tmp_path):
    out = blended(tmp_path, [noise(number) for number in range(4)])
    assert out[4:44, 66:78].std() < 0.05 * MOST_GAIN * 0.75


def test_a_taper_into_a_tile_that_is_left_alone_stays_a_taper(tmp_path):
    changes = [noise(1), None, noise(1), None]
    out = blended(tmp_path, changes)
    spread = [out[4:44, x : x + 4].std() for x in (40, 60, 70, 80, 92)]
    assert spread == sorted(spread, reverse=True) and spread[-1] < 0.005
    assert (out[:, 96:] == 0).all()


@given(rows=st.integers(1, 60))
def test_the_result_does_not_depend_on_the_bands(tmp_path_factory, rows):
    changes = [noise(1), noise(2), None, noise(3)]
    folder = tmp_path_factory.mktemp("evened")
    assert (blended(folder, changes, rows) == blended(folder, changes)).all()


def test_what_lies_beyond_the_picture_is_cut_off(tmp_path):
    picture = stored(tmp_path / "small.npy", np.full((100, 90, 3), 0.5, np.float32))
    bands = []
    evened = Evened(picture, lambda band, pixels: bands.append((band, pixels.shape)))
    evened(Bounds(0, 0, 96, 96), np.zeros((96, 96, CHANNELS), np.float32))
    evened(Bounds(0, 96, 96, 48), np.zeros((48, 96, CHANNELS), np.float32))
    evened.finish()
    assert sum(band.height for band, _ in bands) == 100
    assert all(shape == (band.height, 90, 3) for band, shape in bands)


@given(
    width=st.integers(1, 120),
    height=st.integers(1, 20),
    strips=st.lists(st.tuples(st.integers(0, 119), st.integers(1, 12)), max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_only_what_overlaps_reach_is_computed_and_the_bits_are_those_of_the_whole(width, height, strips, seed):
    values = np.zeros((height, width, CHANNELS), np.float32)
    values[..., :3] = np.random.default_rng(seed).normal(0, 0.05, (height, width, 3))
    red, green, blue = (values[..., channel] for channel in range(3))
    mean = red * red + green * green + blue * blue
    values[..., 3], values[..., 4] = mean, 1
    for left, long in strips:
        values[:, left : left + long, 3] *= 1.7
    around, wanted = (evened._around(each) for each in (mean, values[..., 3] * values[..., 4]))
    whole = np.clip(np.sqrt((wanted + evened._LEAST_ENERGY) / (around + evened._LEAST_ENERGY)), 1, MOST_GAIN)
    assert np.array_equal(gain(values), whole.astype(np.float32))
    touched = [x for left, long in strips for x in range(left - REACH, left + long + REACH) if 0 <= x < width]
    alone = np.setdiff1d(np.arange(width), touched)
    assert (gain(values)[:, alone] == 1).all()
