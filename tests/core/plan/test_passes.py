"""A pass: its calls are those that are made, its tiles fit, its steps are those that were asked for."""

import math
from dataclasses import replace

import pytest
import torch
from benchmarks.speed.peers import krita_ai, ultimate
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.models.facts import STARTER
from scumble_core.models.families import FAMILIES
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.passes import MEMORY_SHARE, MORE_AREA, WIDEST_OVERLAP, Walk, plan_pass, plan_walk, tile_limits
from scumble_core.plan.tiles import plan_tiles
from scumble_core.request import RefineRequest
from scumble_core.sampling.guidance import Share, guided
from scumble_core.sampling.levels import falling, start_level, training_levels
from scumble_core.sampling.names import SAMPLER_NAMES, SCHEDULE_NAMES
from scumble_core.sampling.samplers import SAMPLERS

SD15, SDXL = FAMILIES["sd15"].facts, FAMILIES["sdxl"].facts
FACTS = {"starter": STARTER, **{name: family.facts for name, family in FAMILIES.items()}}

INTERVALS = st.sampled_from([(0.0, math.inf), (0.28, 5.42), (0.1, 0.3), (20.0, 30.0), (0.0, 0.0)])


@given(
    name=st.sampled_from(SAMPLER_NAMES), highest=st.floats(0.03, 14.6), steps=st.integers(1, 9), data=st.data(),
    guidance=st.sampled_from([1.0, 1.5, 7.0]), interval=INTERVALS, prompts=st.integers(1, 3),
)  # fmt: skip
@settings(deadline=None)
def test_a_real_walk_makes_the_calls_that_were_planned(name, highest, steps, data, guidance, interval, prompts):
    sigmas = falling(training_levels(), highest, steps)
    merged = data.draw(st.integers(0, steps))
    walk = Walk(name, sigmas, guidance, interval, merged)
    calls = 0

    def denoise(x, sigma, prompt):
        nonlocal calls
        calls += 1
        return x / (1 + sigma**2)

    x = torch.ones(1, 1, 2, 2)
    shares = [Share(number, x / prompts) for number in range(prompts)]
    denoiser = guided(denoise, shares, "no", guidance, interval)
    # As it is walked: the merged steps, then the others, if any are left.
    for part in (sigmas[: merged + 1], sigmas[merged:]):
        if len(part) > 1:
            SAMPLERS[name](denoiser, x, torch.tensor(part, dtype=torch.float64), lambda _a, _b: x)
    assert walk.calls(prompts) == calls


@pytest.mark.parametrize("schedule", ["", *SCHEDULE_NAMES])
@pytest.mark.parametrize("facts", [STARTER, SDXL])
@given(strength=st.floats(1e-9, 1) | st.sampled_from([0.05, 0.25, 1.0]), steps=st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_a_walk_has_the_asked_steps_from_the_strengths_sigma_down(schedule, facts, strength, steps):
    walk = plan_walk(RefineRequest(schedule=schedule, steps=steps), facts, strength, False, False)
    assert walk.steps == steps and walk.sigmas[-1] == 0
    assert walk.sigmas[0] == start_level(training_levels(), strength * facts.reach)
    assert all(following < sigma for sigma, following in zip(walk.sigmas, walk.sigmas[1:], strict=False))
    assert walk.merged == sum(sigma > facts.merge_above for sigma in walk.sigmas)


def test_the_named_schedules_differ_in_how_they_fall():
    walks = {
        plan_walk(RefineRequest(schedule=name, steps=9), SDXL, 0.6, False, False).sigmas for name in SCHEDULE_NAMES
    }
    assert len(walks) == len(SCHEDULE_NAMES)


def test_a_picture_from_nothing_begins_at_the_top_whatever_the_models_reach():
    walk = plan_walk(RefineRequest(), STARTER, 1.0, True, False)
    assert walk.sigmas[0] == pytest.approx(training_levels()[-1])
    assert walk.steps == STARTER.generating_steps


@pytest.mark.parametrize(("family", "way"), [("starter", ("dpmpp_2m", 4)), ("sdxl", ("dpmpp_2m", 6))])
def test_a_preset_walks_in_few_steps_unless_more_or_another_sampler_are_asked_for(family, way):
    facts = FACTS[family]

    def walked(strength=0.25, facts=facts, **asked):
        walk = plan_walk(RefineRequest(**asked), facts, strength, False, False)
        return walk.sampler, walk.steps

    assert walked() == way
    assert walked(steps=20) == (way[0], 20)
    assert walked(sampler="heun") == ("heun", facts.steps)
    # Fewer were not measured in strong walks, nor are they more than a distilled model's own.
    assert walked(1.0) == (way[0], facts.steps)
    assert walked(facts=replace(facts, sampler="lcm", steps=2)) == ("lcm", 2)


@pytest.mark.parametrize("family", ["flux", "z-image"])
def test_what_no_fewer_steps_were_measured_for_is_walked_as_its_model_says(family):
    walk = plan_walk(RefineRequest(), FACTS[family], 0.25, False, False)
    assert (walk.sampler, walk.steps) == (FACTS[family].sampler, FACTS[family].steps)


def test_a_tile_that_is_alone_has_nothing_to_merge():
    request = RefineRequest(strength=1.0)
    many, one = (
        plan_pass(request, Extent(side, side), Bounds(0, 0, side, side), SDXL, 1.0, None) for side in (3000, 800)
    )
    assert many.walk.merged > 0 and many.to_dict()["merged_steps"] == many.walk.merged
    assert one.walk.merged == 0 and one.grid.count == 1


def test_without_prompts_there_is_no_guidance():
    walk = plan_walk(RefineRequest(guidance=8.0), STARTER, 0.5, False, False)
    assert walk.guidance == 1 and walk.calls() == walk.steps


def test_the_interval_can_be_switched_off():
    within, without = (plan_walk(RefineRequest(guidance_interval=on), SDXL, 0.25, False, False) for on in (True, False))
    assert within.calls() < without.calls() == 2 * without.steps


@given(
    family=st.sampled_from(sorted(FACTS)),
    memory=st.none() | st.integers(10**8, 10**11),
)
def test_tiles_are_the_models_own_or_a_little_larger_halved_until_the_memory_holds_them(family, memory):
    facts = FACTS[family]
    limits = tile_limits(RefineRequest(), facts, memory)

    def fits(pixels):
        return memory is None or pixels / 1e6 * facts.tile_bytes <= memory * MEMORY_SHARE

    halved = [facts.tile // 2**times // facts.grid * facts.grid for times in range(9)]
    areas = {side: int(side**2 * MORE_AREA) if fits(side**2 * MORE_AREA) else side**2 for side in halved}
    side = next(side for side in halved if areas[side] == limits.largest_area)
    assert fits(limits.largest_area) or side <= 256
    assert side == facts.tile or not fits((2 * side) ** 2)


@pytest.mark.parametrize("facts", FACTS.values())
def test_tiles_overlap_by_48_pixels_or_a_sixth_of_small_ones_down_to_the_models_grid(facts):
    def on_the_grid(overlap):
        return max(facts.grid, overlap // facts.grid * facts.grid)

    assert tile_limits(RefineRequest(), facts).overlap == on_the_grid(WIDEST_OVERLAP)
    assert tile_limits(RefineRequest(tile_size=256), facts).overlap == on_the_grid(256 // 6)
    assert tile_limits(RefineRequest(overlap=192), facts).overlap == 192


@pytest.mark.parametrize("peer", [ultimate, krita_ai])
@pytest.mark.parametrize("output", [(2048, 2048), (3840, 2160), (4096, 4096), (4000, 6000), (7680, 4320), (8192, 8192)])
def test_a_plan_for_sdxl_works_on_no_more_than_the_peers(output, peer):
    extent = Extent(*output)
    plan = plan_pass(RefineRequest(), extent, Bounds.of(extent), SDXL, 0.25, None)
    assert plan.megapixels <= peer(extent).megapixels + 1e-9


def test_a_tile_size_that_was_asked_for_is_taken_whatever_the_memory():
    assert tile_limits(RefineRequest(tile_size=1024), SD15, 10**8).largest_area == 1024**2


@given(st.integers(1, 6000), st.integers(1, 6000), st.sampled_from(sorted(FACTS)))
@settings(deadline=None)
def test_all_tiles_of_a_pass_are_of_one_size_on_the_models_grid_and_overlap(width, height, family):
    facts = FACTS[family]
    extent = Extent(width, height)
    run = plan_pass(RefineRequest(), extent, Bounds.of(extent), facts, 0.25, None)
    tile, limits = run.grid.tile, tile_limits(RefineRequest(), facts)
    assert tile.width % facts.grid == tile.height % facts.grid == 0 and tile.area <= facts.tile**2 * MORE_AREA
    assert {box.extent for box in run.boxes} == {tile}
    assert all(box.x % facts.grid == box.y % facts.grid == 0 for box in run.boxes)
    columns, rows = run.grid.columns, run.grid.rows
    assert len(columns) == 1 or run.grid.overlap[0] >= limits.overlap
    assert len(rows) == 1 or run.grid.overlap[1] >= limits.overlap


def test_the_starters_plan_is_no_dearer_than_the_planners_for_its_own_limits():
    extent = Extent(3840, 2160)
    run = plan_pass(RefineRequest(), extent, Bounds.of(extent), SDXL, 0.25, None)
    assert run.megapixels == plan_tiles(extent, tile_limits(RefineRequest(), SDXL)).processed_pixels / 1e6
    # Below the measured planner's, whose tiles overlap by 128 pixels and have up to 1.64 MP.
    assert run.megapixels < 9.39


def test_what_is_left_alone_costs_nothing_and_each_prompt_a_call():
    extent = Extent(3000, 800)
    run = plan_pass(RefineRequest(guidance=1.0), extent, Bounds.of(extent), SDXL, 0.25, None)
    first, *others = run.boxes
    left = replace(run, untouched=frozenset([first]), prompts=(5, *(2 for _ in others)))
    assert left.refined == tuple(others)
    assert left.model_calls == 2 * len(others) * run.walk.steps
    assert run.model_calls == len(run.boxes) * run.walk.steps
    assert left.megapixels == pytest.approx(run.grid.tile.area * len(others) / 1e6)
    assert left.to_dict()["flat_tiles"] == 1


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_merged_walks_need_true_pixels_of_whole_blocks_others_of_their_tiles_alone(strength):
    request, extent = RefineRequest(), Extent(9_000, 6_000)
    run = plan_pass(request, extent, Bounds(300, 300, 50, 50), STARTER, strength, None)
    if strength == 0.25:
        assert run.context == run.boxes
    else:
        assert set(run.boxes) < set(run.context) < set(run.grid.boxes())


def test_what_neighbours_leave_alone_is_not_counted_with_ones_own():
    extent = Extent(3000, 800)
    run = plan_pass(RefineRequest(), extent, Bounds(0, 0, 9, 9), SDXL, 0.25, None)
    beyond = frozenset(run.grid.boxes()) - frozenset(run.boxes)
    assert beyond and replace(run, untouched=beyond).to_dict()["flat_tiles"] == 0


def test_strength_0_is_no_pass():
    assert plan_pass(RefineRequest(), Extent(9, 9), Bounds(0, 0, 9, 9), SDXL, 0.0, None) is None
