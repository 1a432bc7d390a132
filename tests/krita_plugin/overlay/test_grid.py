"""The grid of tiles, in document pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.overlay.grid import Grid
from scumble.qt import QtCore


@st.composite
def grids(draw):
    """As the core plans them: the first tile begins at the corner, the last ends at the far edge or beyond."""
    tile, scale = draw(st.integers(64, 1536)), draw(st.floats(0.5, 8))
    counts, overlap = (draw(st.integers(1, 9)), draw(st.integers(1, 9))), draw(st.integers(0, 63))
    starts = [tuple(index * (tile - overlap) for index in range(count)) for count in counts]
    extent = tuple(line[-1] + draw(st.integers(overlap + 1, tile)) for line in starts)
    corner = (float(draw(st.integers(0, 500))), float(draw(st.integers(0, 500))))
    return Grid.in_output(corner, scale, extent, *starts, (tile, tile))


@given(grids())
def test_the_boxes_cover_the_sent_part_and_nothing_else(grid):
    union = QtCore.QRectF()
    for box in grid.boxes():
        assert not box.isEmpty()
        union = union.united(box)
    assert union.getRect() == pytest.approx(grid.covered.getRect())
    assert len(list(grid.boxes())) == grid.count


@given(grids(), st.floats(0, 0.999), st.floats(0, 0.999))
def test_the_tile_at_a_place_holds_it_and_no_other_tiles_middle_is_nearer(grid, across, down):
    x, y = grid.x + across * grid.width, grid.y + down * grid.height
    index = grid.tile_at(x, y)
    assert grid.box(index).adjusted(-1e-6, -1e-6, 1e-6, 1e-6).contains(QtCore.QPointF(x, y))
    row, column = divmod(index, len(grid.columns))
    for starts, length, at, chosen in (
        (grid.columns, grid.tile_width, x, column),
        (grid.rows, grid.tile_height, y, row),
    ):
        for start in starts:
            if start <= at < start + length:
                assert abs(starts[chosen] + length / 2 - at) <= abs(start + length / 2 - at)


def test_tiles_are_numbered_row_by_row():
    grid = Grid(0, 0, 30, 20, (0, 10, 20), (0, 10), 10, 10)
    assert grid.tile_at(25, 5) == 2
    assert grid.tile_at(5, 15) == 3
    assert grid.box(5).getRect() == (20, 10, 10, 10)


def test_beside_the_grid_there_is_no_tile():
    grid = Grid(10, 10, 30, 20, (10, 20, 30), (10, 20), 10, 10)
    assert [grid.tile_at(*place) for place in ((9.9, 15), (40, 15), (15, 9.9), (15, 30))] == [None] * 4


def test_output_pixels_become_document_pixels():
    grid = Grid.in_output((100, 50), 2.0, (400, 200), (0, 144), (0,), (256, 200))
    assert [box.getRect() for box in grid.boxes()] == [(100, 50, 128, 100), (172, 50, 128, 100)]


def test_there_is_no_box_beyond_the_last_tile():
    with pytest.raises(IndexError):
        Grid(0, 0, 10, 10, (0,), (0,), 10, 10).box(1)
