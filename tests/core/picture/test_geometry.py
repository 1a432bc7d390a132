"""Bounds and Extent: their algebra."""

from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.geometry import Bounds, Extent

coordinate = st.integers(-1000, 1000)
boxes = st.builds(Bounds, coordinate, coordinate, st.integers(1, 500), st.integers(1, 500))


@given(boxes, boxes)
def test_the_intersection_lies_in_both_and_the_union_holds_both(a: Bounds, b: Bounds) -> None:
    both = a.intersect(b)
    assert both.is_empty or (a.contains(both) and b.contains(both))
    assert a.union(b).contains(a) and a.union(b).contains(b)
    assert both == b.intersect(a) or both.is_empty


@given(boxes, coordinate, coordinate, st.integers(0, 50))
def test_moving_and_padding_can_be_undone(box: Bounds, dx: int, dy: int, margin: int) -> None:
    assert box.translate(dx, dy).translate(-dx, -dy) == box
    assert box.pad(margin).pad(-margin) == box


@given(boxes, st.integers(1, 64))
def test_rounding_outward_is_the_smallest_box_on_the_grid(box: Bounds, multiple: int) -> None:
    rounded = box.rounded_outward(multiple)
    assert rounded.contains(box)
    assert all(edge % multiple == 0 for edge in (rounded.x, rounded.y, rounded.right, rounded.bottom))
    assert rounded.width < box.width + 2 * multiple and rounded.height < box.height + 2 * multiple


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.floats(0.1, 10))
def test_a_scaled_size_is_the_nearest_whole_one_and_never_zero(width: int, height: int, scale: float) -> None:
    scaled = Extent(width, height).scaled(scale)
    assert scaled.width >= 1 and scaled.height >= 1
    assert scaled.width == 1 or abs(scaled.width - width * scale) <= 0.5
