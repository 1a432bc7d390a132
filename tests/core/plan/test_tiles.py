"""The planner: all covered, enough overlap, no tile too large, and no more work than need be."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.picture.geometry import Extent
from scumble_core.plan.tiles import TileLimits, plan_tiles

LIMITS = TileLimits()
STARTER = TileLimits(overlap=64, longest_side=640, largest_area=512 * 512)


@settings(deadline=None)
@given(st.integers(1, 9000), st.integers(1, 9000), st.sampled_from([LIMITS, STARTER]))
def test_any_size_is_covered_on_the_grid_with_the_asked_overlap(width: int, height: int, limits: TileLimits) -> None:
    extent = Extent(width, height)
    plan = plan_tiles(extent, limits)
    padded = extent.rounded_up(limits.grid)
    for starts, side, length in (
        (plan.columns, plan.tile.width, padded.width),
        (plan.rows, plan.tile.height, padded.height),
    ):
        assert starts[0] == 0 and starts[-1] + side == length
        assert side <= limits.longest_side and side % limits.grid == 0
        assert all(start % limits.grid == 0 for start in starts)
        assert all(left + side - right >= limits.overlap for left, right in pairwise(starts))
        assert len(set(starts)) == len(starts)
    assert plan.tile.area <= limits.largest_area


@pytest.mark.parametrize(
    ("width", "height", "megapixels"),
    [  # the planner column of the measured facts
        (2048, 2048, 4.73),
        (2560, 1440, 4.08),
        (3840, 2160, 9.39),
        (4096, 4096, 19.57),
        (3000, 4500, 15.98),
        (7680, 4320, 39.29),
    ],
)
def test_it_processes_no_more_than_the_measured_planner(width: int, height: int, megapixels: float) -> None:
    assert plan_tiles(Extent(width, height), LIMITS).processed_pixels / 1e6 <= megapixels + 0.005


def test_a_picture_smaller_than_a_tile_is_one_tile() -> None:
    plan = plan_tiles(Extent(100, 61), LIMITS)
    assert len(list(plan.boxes())) == 1
    assert plan.tile == Extent(104, 64)
