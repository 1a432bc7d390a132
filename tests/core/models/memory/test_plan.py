"""How a job fits into a device, from facts of devices that aren't here."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.models.memory.facts import DeviceFacts, ModelNeeds, TileNeeds
from scumble_core.models.memory.learnt import Learnt
from scumble_core.models.memory.plan import OFFLOADS, plan_memory
from scumble_core.models.memory.wishes import Wishes

GB = 10**9
SDXL = ModelNeeds("sdxl", 7 * GB, 5 * GB, "float16")
REFINER = ModelNeeds("refiner", 6 * GB, int(4.5 * GB), "float16")
TILE = TileNeeds(1024, 6 * GB)


def card(total, free=None, kind="cuda"):
    return DeviceFacts(kind, "Card", int(total * GB), int((total if free is None else free) * GB), "float16", 64 * GB)


@pytest.mark.parametrize("kind", ["cuda", "rocm", "xpu"])
@pytest.mark.parametrize(
    ("total", "offload", "window"),
    [(24, "none", 0), (16, "model", 0), (10, "model", 512), (6, "group", 512), (3.5, "sequential", 512)],
)
def test_the_less_a_card_has_the_more_leaves_it(kind, total, offload, window):
    plan = plan_memory(card(total, kind=kind), [SDXL, REFINER], TILE)
    assert (plan.offload, plan.vae_window, plan.problem) == (offload, window, "")
    assert plan.needed <= plan.free and not plan.note


def test_base_and_refiner_are_never_both_there_where_they_do_not_fit_together():
    assert plan_memory(card(24), [SDXL, REFINER], TILE).needed == 19 * GB
    assert plan_memory(card(16), [SDXL, REFINER], TILE).needed == 11 * GB
    assert plan_memory(card(16), [SDXL], TILE).offload == "none"


def test_fewer_tiles_at_once_come_before_moving_networks():
    assert plan_memory(card(24), [SDXL], TILE, batch=2).batch == 2
    plan = plan_memory(card(16), [SDXL], TILE, batch=2)
    assert (plan.batch, plan.offload) == (1, "none")


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_where_memory_is_shared_nothing_is_moved(kind):
    plan = plan_memory(card(32, 4, kind), [SDXL, REFINER], TILE)
    assert plan.offload == "none" and "more than is free" in plan.note and not plan.problem
    problem = plan_memory(card(8, 8, kind), [SDXL, REFINER], TILE).problem
    assert "13.0 GB" in problem and "8.0 GB" in problem and problem.count(":") == 1


def test_a_card_too_small_for_any_plan_is_told_before_the_job():
    assert "too little" in plan_memory(card(0.5), [SDXL], TILE).problem


@given(st.floats(0.1, 48), st.floats(0.1, 1), st.floats(0.1, 1), st.sampled_from(["cuda", "rocm", "mps", "xpu", "cpu"]))
def test_what_changes_pixels_does_not_depend_on_what_is_free(total, one, other, kind):
    plans = [plan_memory(card(total, total * share, kind), [SDXL, REFINER], TILE) for share in (one, other)]
    assert len({(plan.vae_window, plan.tile, plan.precision, plan.problem) for plan in plans}) == 1


@given(st.floats(1, 48), st.floats(0.1, 1), st.integers(1, 8))
def test_more_free_memory_never_gives_a_slower_plan(total, share, batch):
    def steps(free):
        plan = plan_memory(card(total, free), [SDXL, REFINER], TILE, batch)
        return OFFLOADS.index(plan.offload), -plan.batch

    assert steps(total) <= steps(total * share)


@pytest.mark.parametrize(
    ("wishes", "field", "value"),
    [
        (Wishes(precision="float32"), "precision", "float32"),
        (Wishes(offload="sequential"), "offload", "sequential"),
        (Wishes(vae_window=384), "vae_window", 384),
        (Wishes(free=7.5), "offload", "model"),
    ],
)
def test_whatever_is_wished_is_taken(wishes, field, value):
    assert getattr(plan_memory(card(24), [SDXL], replace(TILE, working=GB), wishes=wishes), field) == value


def test_a_wider_type_takes_more():
    plain, wide = (plan_memory(card(24), [SDXL], TILE, wishes=Wishes(precision=each)) for each in ("", "float32"))
    assert wide.weights == 2 * plain.weights


def test_what_failed_before_is_not_tried_again():
    plan = plan_memory(card(24), [SDXL], TILE, 4, learnt=Learnt(batch=2, vae_window=512, offload="group"))
    assert (plan.batch <= 2, plan.vae_window, plan.offload) == (True, 512, "group")


def test_a_controlnet_is_counted_beside_the_largest_network():
    control = ModelNeeds("tile", 2 * GB, 2 * GB, "float16")
    assert plan_memory(card(24), [SDXL], TILE, beside=control).needed == 15 * GB
    plan = plan_memory(card(16), [SDXL], TILE, beside=control)
    assert (plan.offload, plan.needed) == ("model", 13 * GB)


def test_unknown_memory_is_taken_for_enough():
    plan = plan_memory(DeviceFacts("xpu", "Card", None, None, "float16"), [SDXL, REFINER], TILE, 2)
    assert (plan.offload, plan.batch, plan.vae_window, plan.problem) == ("none", 2, 0, "")


def test_the_plan_is_told_in_one_line_and_fit_for_json():
    plan = plan_memory(card(10), [SDXL, REFINER], TILE)
    assert plan.sentence == (
        "Card: float16; models come when they are used, one by one; tiles of 1024; the autoencoder in windows of 512; "
        "about 7.4 GB of 10.0 GB that are free."
    )
    assert plan.to_dict()["offload"] == "model" and "problem" not in plan.to_dict()


@pytest.mark.parametrize("kind", ["cuda", "rocm", "mps", "xpu", "cpu"])
def test_models_that_the_computer_can_not_load_now_are_told_with_what_to_do(kind):
    """Whatever they run on, they are loaded into the computer's own memory first."""
    some = replace(card(48, kind=kind), host=10 * GB)
    problem = plan_memory(some, [SDXL, REFINER], TILE).problem
    assert "13.0 GB" in problem and "10.0 GB are free: close other programs" in problem and problem.count(".") == 3
    assert not plan_memory(some, [SDXL], TILE).problem
    assert not plan_memory(replace(some, swap=4 * GB), [SDXL, REFINER], TILE).problem
    assert not plan_memory(replace(some, host=None), [SDXL, REFINER], TILE).problem
