from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.errors import ScumbleError
from scumble_core.models.facts import STARTER
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.job import plan_job, tile_limits
from scumble_core.plan.tiles import plan_tiles
from scumble_core.request import RefineRequest

sides = st.integers(1, 5000)


@given(width=sides, height=sides, scale=st.floats(0.1, 4), tile=st.sampled_from([0, 128, 512, 2048]))
def test_tiles_cover_every_pixel_of_the_output(width, height, scale, tile):
    plan = plan_job(RefineRequest(scale=scale, tile_size=tile), Extent(width, height))
    assert plan.output == Extent(width, height).scaled(scale)
    grid = plan.tile_pass.grid
    assert grid.columns[0] == grid.rows[0] == 0
    for starts, side, length in (
        (grid.columns, grid.tile.width, plan.output.width),
        (grid.rows, grid.tile.height, plan.output.height),
    ):
        assert starts[-1] + side >= length
        assert all(later - earlier <= side for earlier, later in pairwise(starts))
    assert all(box.x % plan.facts.grid == 0 and box.y % plan.facts.grid == 0 for box in plan.tile_pass.boxes)


def test_only_tiles_that_touch_the_selection_run():
    whole = plan_job(RefineRequest(), Extent(2000, 1500))
    part = plan_job(RefineRequest(), Extent(2000, 1500), Bounds(10, 10, 50, 50))
    assert set(part.tile_pass.boxes) < set(whole.tile_pass.boxes)
    assert part.tile_pass.grid == whole.tile_pass.grid
    assert part.result == Bounds(20, 20, 100, 100)


def test_keep_size_gives_results_of_the_selections_own_size():
    plan = plan_job(RefineRequest(keep_size=True), Extent(400, 300), Bounds(7, 9, 50, 40))
    assert plan.result == Bounds(7, 9, 50, 40)


def test_strength_0_plans_no_tiles():
    plan = plan_job(RefineRequest(strength=0), Extent(400, 300))
    assert plan.tile_pass is None
    assert plan.model_calls == 0


@pytest.mark.parametrize(("scale", "upscaler"), [(0.5, "none"), (1, "none"), (1.5, "starter-x2"), (2.1, "starter-x4")])
def test_auto_takes_the_smallest_upscaler_that_reaches_the_scale(scale, upscaler):
    assert plan_job(RefineRequest(scale=scale), Extent(100, 100)).upscaler == upscaler


def test_a_result_beyond_all_sizes_is_refused():
    with pytest.raises(ScumbleError, match="smaller scale"):
        plan_job(RefineRequest(scale=10), Extent(4000, 100))


@pytest.mark.parametrize("field", ["base", "refiner", "upscaler"])
def test_an_unknown_model_is_named(field):
    with pytest.raises(ScumbleError, match="no model named 'nosuch'") as caught:
        plan_job(RefineRequest.from_dict({field: "nosuch"}), Extent(64, 64))
    assert caught.value.code == "unknown_model"


@given(
    width=sides,
    height=sides,
    tile=st.integers(128, 4096),
    overlap=st.just(0) | st.integers(16, 1024),
    grid=st.sampled_from([16, 32, 64]),
)
def test_every_tile_size_and_overlap_that_may_be_asked_gives_a_plan(width, height, tile, overlap, grid):
    limits = tile_limits(RefineRequest(tile_size=tile, overlap=overlap), replace(STARTER, grid=grid))
    planned = plan_tiles(Extent(width, height), limits)
    assert planned.tile.area <= limits.largest_area
    for starts, side, length in (
        (planned.columns, planned.tile.width, width),
        (planned.rows, planned.tile.height, height),
    ):
        assert starts[-1] + side >= length
        assert all(earlier + side - later >= limits.overlap for earlier, later in pairwise(starts))
