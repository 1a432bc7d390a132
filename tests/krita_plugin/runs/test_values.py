"""The pure parts: states and their sentences, grids, orders, what is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.geometry import ORIGIN_GRID, Box
from scumble.host.contract import Placement, Target
from scumble.runs.grid import Grid
from scumble.runs.kept import MOST_DOCUMENTS, Kept
from scumble.runs.memory import orders_from
from scumble.runs.order import Asked, Order, Reseeded, again_at
from scumble.runs.state import ASKING, OVER, RunState
from scumble.runs.tidings import Tidings, done_sentence
from scumble.settings import Settings
from scumble_bridge.fields import PictureHeader

PHASES = ("taking", "connecting", "sending", "waiting", "running", "paused", "stopping", "lost", "fetching", "placing",
          "offered", "ready", "done", "stopped", "failed")  # fmt: skip
sides = st.integers(1, 5000)
boxes = st.builds(Box, st.integers(-2000, 2000), st.integers(-2000, 2000), sides, sides)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (RunState("running", "tiles", 2, 12, 40.4), "Refining: tile 3 of 12, 40 s left"),
        (RunState("running", "tiles", 12, 12, 0.2), "Refining: tile 12 of 12, 1 s left"),
        (RunState("running", "upscale", 0, 4), "Upscaling: tile 1 of 4"),
        (RunState("running", "compose", 0, 1), "Composing…"),
        (RunState("running", "merge", 1, 4), "Merging: step 2 of 4"),
        (RunState("running", "restarting", 1, 0), "Restarting the worker…"),
        (RunState("running", "a stage of tomorrow", 0, 0), "a stage of tomorrow…"),
        (RunState("paused", "", 3, 12), "Paused after 3 of 12 tiles."),
        (RunState("paused"), "Paused."),
        (RunState("running", "queued", 2, 0), "Waiting: 2 jobs before this one"),
        (RunState("running", "queued", 1, 0), "Waiting: 1 job before this one"),
        (RunState("running", "queued", 0, 0), "Waiting for the core…"),
        (RunState("running", "tiles", 1200, 1500), "Refining: tile 1,201 of 1,500"),
        (RunState("failed", message="No."), "No."),
    ],
)
def test_the_sentence_says_what_goes_on(state, sentence):
    assert state.sentence == sentence


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_a_sentence_and_either_goes_on_asks_or_is_over(phase):
    state = RunState(phase)
    assert state.sentence
    assert state.is_busy + (phase in ASKING) + (phase in OVER) == 1
    assert not (state.can_cancel and state.is_over)


def test_the_bar_counts_tiles_or_bytes():
    assert RunState("running", "tiles", 3, 12).share == 0.25
    assert RunState("sending", done=5, total=10).share == 0.5
    assert RunState("connecting").share is None


@st.composite
def grids(draw):
    columns, rows = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    width, height = draw(st.integers(2, 40)) * 8, draw(st.integers(2, 40)) * 8
    step_x, step_y = draw(st.integers(1, width // 8)) * 8, draw(st.integers(1, height // 8)) * 8
    extent = width + (columns - 1) * step_x, height + (rows - 1) * step_y
    starts = tuple(step_x * each for each in range(columns)), tuple(step_y * each for each in range(rows))
    return Grid(extent, (width, height), *starts)


@given(grids(), boxes, st.data())
def test_the_tile_at_a_place_shows_that_place(grid, sent, data):
    x = data.draw(st.integers(sent.x, sent.right - 1))
    y = data.draw(st.integers(sent.y, sent.bottom - 1))
    tile = grid.tile_at(x, y, sent)
    across, down = grid.extent[0] / sent.width, grid.extent[1] / sent.height
    assert tile[0] <= (x - sent.x + 0.5) * across < tile[0] + grid.tile[0]
    assert tile[1] <= (y - sent.y + 0.5) * down < tile[1] + grid.tile[1]
    box = grid.box_of(tile, sent)
    assert not box.is_empty
    assert box.intersect(sent) == box
    assert (box.x - sent.x) % ORIGIN_GRID == (box.y - sent.y) % ORIGIN_GRID == 0


@given(grids(), boxes)
def test_beside_what_is_sent_there_is_no_tile(grid, sent):
    assert grid.tile_at(sent.right, sent.y, sent) is None
    assert grid.tile_at(sent.x, sent.y - 1, sent) is None


@given(grids())
def test_a_grid_survives_the_wire(grid):
    assert Grid.of({"grid": json.loads(json.dumps(grid.to_dict()))}) == grid
    assert len(grid.boxes()) == grid.count


@pytest.mark.parametrize("grid", [None, [], {}, {"extent": [0, 4], "tile": [1, 1], "columns": [0], "rows": [0]}, 3])
def test_what_is_no_grid_is_none(grid):
    assert Grid.of({"grid": grid}) is None


asked = st.builds(
    Asked,
    st.builds(
        Settings,
        scale=st.floats(0.1, 10),
        seed=st.integers(0, 2**64 - 1),
        prompt=st.text(max_size=50),
        source=st.sampled_from(("canvas", "layer", "selection")),
        destination=st.sampled_from(("enlarge", "new", "keep")),
    ),
    st.none() | boxes,
    st.lists(st.builds(Reseeded, *(st.integers(0, 2**31 - 1),) * 2, st.integers(0, 2**64 - 1)), max_size=3).map(tuple),
)
words = st.text(max_size=9)
orders = st.builds(
    Order,
    job=st.uuids().map(lambda each: each.hex),
    asked=asked,
    box=boxes,
    header=st.builds(PictureHeader, sides, sides, st.sampled_from(("u8", "u16", "f16", "f32")), st.just("bgra")),
    masked=st.booleans(),
    selected=st.none() | boxes,
    profile=st.binary(max_size=60),
    target=st.builds(Target, words, words, boxes, boxes, st.none() | boxes, words),
    placement=st.builds(Placement, st.sampled_from(("enlarge", "new", "keep")), st.booleans(), st.booleans(),
                        st.booleans(), st.integers(0, 100)),
    scale=st.floats(0.1, 10),
    began=st.floats(0, 4e9),
)  # fmt: skip


@given(orders)
def test_an_order_outlives_krita(order):
    (again,) = orders_from(json.dumps([order.to_values()]))
    assert again == order
    assert again.request == order.request


@given(orders, st.data())
def test_a_damaged_order_is_left_out_and_costs_no_other(order, data):
    values = order.to_values()
    name = data.draw(st.sampled_from(sorted(values)))
    damaged = {**values, name: data.draw(st.none() | st.just([1]) | st.just({"x": "y"}))}
    found = orders_from(json.dumps([damaged, values]))
    assert found[-1] == order


@pytest.mark.parametrize("text", ["", "{", "[[]]", "[1]", "null", "{}", '[{"job": 1}]'])
def test_what_is_no_memory_is_nothing(text):
    assert orders_from(text) == ()


@given(orders, sides, sides)
def test_once_placed_a_run_is_repeated_at_the_document_s_own_size(order, width, height):
    again = again_at(order, "later", (width, height))
    assert again.target.document == "later"
    assert again.placement.destination == "keep"
    assert again.request == order.request  # the same picture, the same noise
    assert again_at(again, "later", (width, height)) == again


@given(st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.uuids().map(str)), max_size=40, unique_by=lambda e: e[1]))
def test_one_job_a_document_is_kept_and_every_other_is_released_once(jobs):
    kept, released = Kept(), []
    for document, job in jobs:
        kept, gone = kept.with_job(document, job)
        released += gone
    assert Kept.from_json(kept.to_json()) == kept
    assert len(kept.jobs) == len(dict(kept.jobs)) <= MOST_DOCUMENTS
    assert sorted([*released, *(job for _, job in kept.jobs)]) == sorted(job for _, job in jobs)


def test_the_last_sentence_says_how_little_there_was_to_do():
    stages = {"tiles": {"tiles": 12}, "upscale": {"tiles": 1, "factor": 1}}
    assert done_sentence(Tidings.of({"seconds": 3.2, "stages": stages})) == "Done in 3 s."
    assert "only 1 tile of 12 had" in done_sentence(Tidings.of({"stages": stages, "tiles_taken_over": 11}))
    assert "only 2 tiles of 12 had" in done_sentence(Tidings.of({"stages": stages, "tiles_taken_over": 10}))
    assert "all was there" in done_sentence(Tidings.of({"stages": stages, "tiles_taken_over": 12}))
    both = {"stages": stages, "tiles_taken_over": 9, "upscaled_taken_over": 3}
    assert "all was there" in done_sentence(Tidings.of(both))
    assert Tidings.of({"seconds": "x", "stages": [1], "tiles_taken_over": None}) == Tidings()
