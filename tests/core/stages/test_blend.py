import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.weights import axis_weights
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.stages.blend import TileBlender


def grids():
    limits = TileLimits(grid=8, overlap=24, longest_side=96, largest_area=80 * 80)
    return st.tuples(st.integers(1, 300), st.integers(1, 300)).map(lambda size: plan_tiles(Extent(*size), limits))


@given(grids())
def test_weights_sum_to_one_everywhere_and_are_never_negative(grid):
    for starts, side in ((grid.columns, grid.tile.width), (grid.rows, grid.tile.height)):
        total = np.zeros(starts[-1] + side)
        for start, weight in axis_weights(starts, side).items():
            assert (weight >= 0).all()
            total[start : start + side] += weight
        assert np.abs(total - 1).max() <= 1e-6


@given(grids(), st.integers(0, 99))
def test_tiles_cut_from_a_picture_blend_to_the_same_picture(grid, seed):
    width, height = grid.columns[-1] + grid.tile.width, grid.rows[-1] + grid.tile.height
    picture = np.random.default_rng(seed).random((height, width, 3), np.float32)
    out = np.full_like(picture, np.nan)

    def sink(band, pixels):
        out[band.slices] = pixels

    blender = TileBlender.of(grid, sink)
    for box in grid.boxes():
        blender.add(box.x, box.y, picture[box.slices])
    blender.finish()
    assert np.abs(out - picture).max() <= 1e-6


def test_rows_of_tiles_may_be_left_out():
    bands = []
    grid = TileGrid(Extent(8, 12), (0,), (0, 8, 16))
    blender = TileBlender.of(grid, lambda band, pixels: bands.append(band))
    blender.add(0, 8, np.ones((12, 8, 3), np.float32))
    blender.add(0, 16, np.ones((12, 8, 3), np.float32))
    blender.finish()
    assert bands == [Bounds(0, 8, 8, 8), Bounds(0, 16, 8, 12)]
