"""The reference node's boxes: recorded ones, and what holds for any size where it would crash."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.mikey.tiles import split, work_boxes
from scumble_core.picture.geometry import Bounds, Extent

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "golden" / "split_image.json").read_text())


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['width']}x{case['height']}/{case['tile_size']}")
def test_boxes_are_the_references_with_its_duplicates_and_its_crashes(case) -> None:
    extent, tile = Extent(case["width"], case["height"]), case["tile_size"]
    if "error" in case:
        with pytest.raises(ZeroDivisionError):
            split(extent, tile)
    else:
        assert [[box.x, box.y, box.right, box.bottom] for box in split(extent, tile)] == case["boxes"]


@given(st.integers(8, 9000), st.integers(8, 9000), st.sampled_from([256, 512, 1024, 1088]))
def test_boxes_to_work_on_cover_any_picture_once_each_in_reading_order(width: int, height: int, tile: int) -> None:
    boxes = work_boxes(Extent(width, height), tile)
    assert len(set(boxes)) == len(boxes)
    assert list(boxes) == sorted(boxes, key=lambda box: (box.y, box.x))
    assert all(Bounds(0, 0, width, height).contains(box) for box in boxes)
    for starts, side, length in (
        (sorted({box.x for box in boxes}), boxes[0].width, width),
        (sorted({box.y for box in boxes}), boxes[0].height, height),
    ):
        ends = [0, *(start + side for start in starts)]
        assert all(start <= end for start, end in zip(starts, ends, strict=False)) and ends[-1] == length


@given(st.integers(1025, 6000), st.integers(1025, 6000))
def test_where_the_reference_works_the_same_places_are_worked_on(width: int, height: int) -> None:
    assert tuple(dict.fromkeys(split(Extent(width, height), 1024))) == work_boxes(Extent(width, height), 1024)


def test_a_side_shorter_than_the_tile_is_spanned_by_one() -> None:
    assert work_boxes(Extent(2048, 700), 1024) == tuple(Bounds(x, 0, 1024, 700) for x in (0, 512, 1024))
    assert work_boxes(Extent(1024, 1024), 1024) == (Bounds(0, 0, 1024, 1024),)
