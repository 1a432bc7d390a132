"""Which tiles enlarge a picture, by one upscaler or several."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.models.upscalers.facts import UpscalerFacts, facts_of
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.job import plan_job
from scumble_core.plan.upscaling import plan_restoring, plan_upscaling
from scumble_core.request import RefineRequest

WHOLE = UpscalerFacts(2, whole=True, bytes_per_pixel=10_000)


@given(
    size=st.tuples(st.integers(1, 900), st.integers(1, 900)),
    multiple=st.integers(1, 64), minimum=st.integers(0, 200), memory=st.sampled_from([None, 2 * 10**8, 10**12]),
)  # fmt: skip
@settings(max_examples=60)
def test_tiles_keep_to_what_a_network_wants_of_sizes(size, multiple, minimum, memory):
    facts = facts_of({"scale": 2, "multiple": multiple, "minimum": minimum})
    source = Extent(*size)
    (step,) = plan_upscaling([("one", facts)], source, Bounds.of(source), memory)
    tile = step.grid.tile
    assert min(tile.width, tile.height) >= minimum
    for place in (tile.width, tile.height, *step.grid.columns, *step.grid.rows):
        assert place % facts.multiple == 0
    covered = np.zeros((source.height, source.width), bool)
    for box in step.boxes:
        covered[box.intersect(Bounds.of(source)).slices] = True
    assert covered.all()


def test_a_network_that_looks_at_the_whole_gets_it_where_memory_allows():
    source = Extent(2000, 1000)
    (step,) = plan_upscaling([("one", WHOLE)], source, Bounds(900, 500, 10, 10), 50 * 10**9)
    assert step.grid.tile == source and len(step.boxes) == 1 and not step.note


@pytest.mark.parametrize("memory", [None, 30 * 10**9])
def test_else_it_gets_tiles_and_people_are_told(memory):
    source = Extent(2000, 1000)
    (step,) = plan_upscaling([("one", WHOLE)], source, Bounds.of(source), memory)
    assert step.grid.count > 1
    assert step.note.startswith("one looks at a picture as a whole, which takes about 20 GB for 2000 x 1000 pixels")
    assert step.to_dict()["note"] == step.note


def test_tiles_are_smaller_on_a_device_with_less_memory_in_all():
    facts = UpscalerFacts(4, bytes_per_pixel=20_000)
    sides = [
        plan_upscaling([("one", facts)], Extent(2000, 2000), Bounds(0, 0, 9, 9), memory)[0].grid.tile.width
        for memory in (None, 12 * 10**9, 4 * 10**9, 10**8)
    ]
    assert sides[0] == sides[1] > sides[2] > sides[3] >= 96


@given(
    size=st.tuples(st.integers(40, 1500), st.integers(40, 1500)), data=st.data(),
    scales=st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=3),
)  # fmt: skip
@settings(max_examples=40)
def test_each_upscaler_makes_all_that_the_next_ones_tiles_see(size, data, scales):
    source = Extent(*size)
    x, y = (data.draw(st.integers(0, side - 20)) for side in size)
    wanted = Bounds(x, y, 20, 20)
    steps = plan_upscaling([(str(scale), UpscalerFacts(scale, tile=128)) for scale in scales], source, wanted, None)
    assert [step.scale for step in steps] == scales
    factor = 1
    for number, step in enumerate(steps):
        assert step.source == Extent(source.width * factor, source.height * factor)
        factor *= step.scale
        following = steps[number + 1].boxes if number + 1 < len(steps) else (
            Bounds(x * factor, y * factor, 20 * factor, 20 * factor),
        )  # fmt: skip
        made = np.zeros((step.source.height, step.source.width), bool)
        for box in step.boxes:
            made[box.intersect(Bounds.of(step.source)).slices] = True
        for box in following:
            needed = box.scaled(1 / step.scale).intersect(Bounds.of(step.source))
            assert made[needed.slices].all()
            # Tiles are blended, so all that cover a needed place must be there.
            assert all(each in step.boxes for each in step.grid.boxes() if not each.intersect(needed).is_empty)


def test_a_chain_may_not_grow_beyond_what_a_file_can_hold():
    with pytest.raises(PictureError, match="four would make 160000 x 40 pixels"):
        plan_upscaling([("four", UpscalerFacts(4))], Extent(40_000, 10), Bounds(0, 0, 1, 1), None)


def test_a_restorer_works_at_the_pictures_own_size():
    step = plan_restoring("one", UpscalerFacts(None), Extent(100, 80), Bounds(0, 0, 100, 80), None)
    assert step.large == Extent(100, 80) and step.scale == 1
    with pytest.raises(ScumbleError, match=r"two enlarges 2 times.*choose it as the upscaler"):
        plan_restoring("two", UpscalerFacts(2), Extent(100, 80), Bounds(0, 0, 100, 80), None)


def _facts(scales):
    return lambda model: UpscalerFacts(scales[model]) if model in scales else None


def test_a_job_plans_its_restorer_and_its_chain():
    request = RefineRequest(scale=8, upscaler="starter-x4+starter-x2", restore="clean", first_pass=True)
    plan = plan_job(request, Extent(300, 200), facts_of=_facts({"starter-x4": 4, "starter-x2": 2, "clean": 1}))
    assert plan.upscaler_scale == 8 and [step.model for step in plan.enlarging] == ["starter-x4", "starter-x2"]
    assert plan.restoring.model == "clean" and plan.restoring.scale == 1
    shown = plan.to_dict()
    assert shown["models"]["restore"] == "clean" and shown["stages"]["restore"]["tiles"] == 1
    assert [step["factor"] for step in shown["stages"]["upscale"]["chain"]] == [4, 2]
    assert plan.seconds > plan.upscale_seconds > 0


def test_an_upscaler_that_enlarges_nothing_is_refused():
    with pytest.raises(ScumbleError, match="clean enlarges nothing: choose it under restore"):
        plan_job(RefineRequest(upscaler="clean"), Extent(99, 99), facts_of=_facts({"clean": 1}))


def test_where_a_first_pass_looks_the_picture_is_restored():
    request = RefineRequest(scale=2, upscaler="none", restore="clean", first_pass=True, tile_size=128)
    plan = plan_job(request, Extent(900, 900), Bounds(400, 400, 20, 20), facts_of=_facts({"clean": 1}))
    made = np.zeros((900, 900), bool)
    for box in plan.restoring.boxes:
        made[box.intersect(Bounds(0, 0, 900, 900)).slices] = True
    for box in plan.first_pass.context:
        assert made[box.intersect(Bounds(0, 0, 900, 900)).slices].all()


def test_a_picture_from_nothing_has_nothing_to_restore():
    plan = plan_job(RefineRequest(start="empty", restore="clean"), Extent(99, 99))
    assert plan.restoring is None
