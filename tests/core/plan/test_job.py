from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.errors import ScumbleError
from scumble_core.models.facts import STARTER
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.survey import Survey
from scumble_core.plan.job import informed, plan_job
from scumble_core.plan.passes import tile_limits
from scumble_core.plan.seen import Seen
from scumble_core.plan.tiles import plan_tiles
from scumble_core.request import RefineRequest

sides = st.integers(1, 5000)


@given(width=sides, height=sides, scale=st.floats(0.1, 4), tile=st.sampled_from([0, 128, 512, 2048]))
def test_tiles_cover_every_pixel_of_the_output(width, height, scale, tile):
    plan = plan_job(RefineRequest(scale=scale, tile_size=tile), Extent(width, height))
    assert plan.final == Extent(width, height).scaled(scale)
    assert plan.output == Extent(width, height).scaled(plan.scale) and plan.scale >= scale
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


def test_a_small_picture_is_refined_at_a_larger_scale_and_comes_back_at_the_asked_one():
    request = RefineRequest(scale=1.5, smallest_side=600)
    plan = plan_job(request, Extent(300, 200), Bounds(10, 10, 100, 100))
    assert plan.scale == 3 and plan.output == Extent(900, 600)
    assert plan.final == Extent(450, 300) and plan.result == Bounds(15, 15, 150, 150)
    assert plan_job(request, Extent(30, 20)).scale == 1.5 * 8  # no more than that
    assert plan_job(replace(request, strength=0.0), Extent(300, 200)).scale == 1.5


def _seen(width, height, flat_from=0, **known):
    energy = np.ones((height // 16, width // 16), np.float32)
    low, high = (np.zeros((*energy.shape, 3), np.float32) for _ in range(2))
    high[:, : flat_from // 16] = 1
    return Seen(Survey(low, high, np.ones_like(energy, bool), energy), **known)


def test_what_the_pixels_tell_changes_cost_and_nothing_else_of_the_plan():
    plan = plan_job(RefineRequest(scale=2.0, tile_size=256), Extent(640, 320))
    told = informed(plan, _seen(640, 320, flat_from=320))
    assert told.tile_pass.boxes == plan.tile_pass.boxes and told.tile_pass.walk == plan.tile_pass.walk
    # Sharp at 640 in the output; a box needs a little distance from there to be flat.
    assert told.tile_pass.untouched == {box for box in plan.tile_pass.boxes if box.x >= 640 + 2 * 4}
    assert 0 < told.model_calls < plan.model_calls
    assert len(told.tile_pass.complexity) == len(told.tile_pass.prompts) == len(plan.tile_pass.boxes)


def test_flat_tiles_are_refined_like_others_where_that_is_asked():
    plan = plan_job(RefineRequest(scale=2.0, tile_size=256, skip_flat=False), Extent(640, 320))
    assert not informed(plan, _seen(640, 320)).tile_pass.untouched


def test_a_picture_from_nothing_is_not_judged_by_the_blank_it_starts_from():
    plan = plan_job(RefineRequest(start="empty"), Extent(640, 320))
    assert informed(plan, _seen(640, 320)) == plan


@given(
    size=st.tuples(st.integers(200, 3000), st.integers(200, 3000)), data=st.data(),
    scale=st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.1]), tile=st.sampled_from([0, 128, 2048]),
    strength=st.sampled_from([0.0, 0.25, 1.0]), upscaler=st.sampled_from(["auto", "none"]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_all_that_a_selections_tiles_see_is_enlarged(size, data, scale, tile, strength, upscaler):
    width, height = size
    selection = Bounds(data.draw(st.integers(0, width - 60)), data.draw(st.integers(0, height - 60)), 60, 60)
    request = RefineRequest(scale=scale, tile_size=tile, strength=strength, upscaler=upscaler, first_pass=True)
    plan = plan_job(request, Extent(width, height), selection)
    whole = Bounds.of(plan.source)
    seen = [selection] if plan.tile_pass is None else [
        box.scaled(1 / plan.scale) for box in plan.tile_pass.context
    ]  # fmt: skip

    def marked(boxes):
        cells = np.zeros((height, width), bool)
        for box in boxes:
            cells[box.intersect(whole).slices] = True
        return cells

    needed = marked(box.pad(4) for box in seen)
    if plan.enlarging:
        enlarged = marked(plan.upscale_boxes)
        assert not (needed & ~enlarged).any()
        needed = enlarged
    assert not (needed & ~marked(plan.first_pass.boxes)).any()
