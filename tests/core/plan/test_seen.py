"""What the plan knows of pixels: which boxes are still, which prompts share one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.pictures import stored

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.survey import CELL, survey
from scumble_core.plan.seen import Seen, cover


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_mask_covers_the_cells_in_which_any_pixel_is_set(tmp_path_factory, data):
    width, height = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    mask = np.zeros((height, width, 1), np.uint8)
    spots = data.draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1)), max_size=5))
    for y, x in spots:
        mask[y, x] = 1
    cells = cover(stored(tmp_path_factory.mktemp("mask") / "mask.npy", mask))
    assert cells.shape == (-(-height // CELL), -(-width // CELL))
    assert {tuple(place) for place in np.argwhere(cells).tolist()} == {(y // CELL, x // CELL) for y, x in spots}


def test_a_tall_mask_is_read_in_bands(tmp_path):
    mask = np.zeros((4096 * 16 + 5, 70, 1), np.uint8)
    mask[-1, -1] = mask[4096 * 14, 0] = 1
    cells = cover(stored(tmp_path / "mask.npy", mask))
    assert np.argwhere(cells).tolist() == [[4096 * 14 // CELL, 0], [4096 * 16 // CELL, 4]]


def _seen(tmp_path, **known):
    colour = np.full((64, 96, 3), 0.5, np.float32)
    colour[:, :32] = np.random.default_rng(0).random((64, 32, 3))
    return Seen(survey(stored(tmp_path / "c.npy", colour), stored(tmp_path / "a.npy", colour[..., :1] + 1)), **known)


def _cells(*places):
    cells = np.zeros((4, 6), bool)
    for place in places:
        cells[place] = True
    return cells


def test_flat_boxes_are_still_where_that_is_wanted(tmp_path):
    seen = _seen(tmp_path)
    busy, flat, both = Bounds(0, 0, 32, 64), Bounds(32, 0, 64, 64), Bounds(16, 0, 64, 64)
    assert [seen.is_still(box, True) for box in (busy, flat, both)] == [False, True, False]
    assert not any(seen.is_still(box, False) for box in (busy, flat, both))


def test_where_nothing_is_painted_to_be_refined_a_box_is_still_whatever_it_holds(tmp_path):
    seen = _seen(tmp_path, lively=_cells((0, 0)))
    assert not seen.is_still(Bounds(0, 0, 32, 32), False)
    assert seen.is_still(Bounds(0, 16, 32, 32), False)
    assert seen.is_still(Bounds(32, 0, 32, 32), True)


def test_prompts_are_counted_where_their_regions_touch(tmp_path):
    seen = _seen(tmp_path, regions=(_cells((0, 0), (1, 1)), _cells((1, 1))))
    assert [seen.prompts(Bounds(x, y, 16, 16)) for x, y in ((0, 0), (16, 16), (32, 0))] == [2, 3, 1]
    assert seen.prompts(Bounds(-4, -4, 120, 80)) == 3
