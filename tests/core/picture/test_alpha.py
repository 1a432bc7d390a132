import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.alpha import CELL, fill_cells, fill_holes, fill_transparent, sum_cells


def test_opaque_colour_is_left_alone():
    colour = np.random.default_rng(0).random((5, 6, 3), np.float32)
    assert fill_transparent(colour, np.ones((5, 6, 1), np.float32)) is colour


@given(width=st.integers(1, 70), height=st.integers(1, 70), seed=st.integers(0, 50))
def test_holes_take_colours_from_around_and_painted_pixels_keep_theirs(width, height, seed):
    rng = np.random.default_rng(seed)
    alpha = (rng.random((height, width, 1)) > 0.7).astype(np.float32)
    alpha[rng.integers(height), rng.integers(width)] = 1
    colour = np.where(alpha > 0, np.float32(0.8), np.float32(0.0)).repeat(3, axis=2)
    filled = fill_transparent(colour, alpha)
    assert np.allclose(filled, 0.8, atol=1e-5)
    assert (filled[alpha[..., 0] > 0] == colour[alpha[..., 0] > 0]).all()


def test_a_wholly_transparent_picture_has_a_colour_too():
    assert (fill_transparent(np.ones((4, 4, 3), np.float32), np.zeros((4, 4, 1), np.float32)) == 0).all()


def test_the_faintest_paint_keeps_its_colour():
    alpha = np.full((8, 8, 1), 1e-6, np.float32)
    alpha[:, 4:] = 0
    colour = np.zeros((8, 8, 3), np.float32)
    colour[:, :4] = (0.2, 0.4, 0.6)
    assert fill_transparent(colour, alpha) == pytest.approx(np.broadcast_to(np.float32((0.2, 0.4, 0.6)), (8, 8, 3)))


sides = st.tuples(st.integers(1, 7 * CELL), st.integers(0, 6), st.integers(1, 7))


@given(vertical=sides, horizontal=sides, seed=st.integers(0, 99))
def test_a_part_with_a_margin_of_a_cell_equals_the_whole_bit_for_bit(vertical, horizontal, seed):
    (height, *rows), (width, *columns) = vertical, horizontal
    rng = np.random.default_rng(seed)
    colour = rng.random((height, width, 3), np.float32)
    alpha = (rng.random((height, width, 1)) > 0.999).astype(np.float32) * rng.random((height, width, 1), np.float32)
    alpha[0, 0] = 1
    filled = fill_cells(sum_cells(colour, alpha))
    (y, in_y, cells_y), (x, in_x, cells_x) = part(height, *rows), part(width, *columns)
    band = fill_holes(colour[in_y, in_x], alpha[in_y, in_x], filled[cells_y, cells_x])
    own = band[y.start - in_y.start : y.stop - in_y.start, x.start - in_x.start : x.stop - in_x.start]
    assert (own == fill_transparent(colour, alpha)[y, x]).all()


def part(length, first, count):
    """Of an axis: some cells' pixels, the same with a margin, and the cells of that."""
    first = min(first, (length - 1) // CELL)
    before, after = max(0, first - 1), first + count + 1
    own = slice(first * CELL, min(length, (first + count) * CELL))
    return own, slice(before * CELL, min(length, after * CELL)), slice(before, after)


def test_sums_of_parts_join_into_those_of_the_whole():
    rng = np.random.default_rng(3)
    colour, alpha = rng.random((100, 75, 3), np.float32), rng.random((100, 75, 1), np.float32)
    parts = [sum_cells(colour[rows], alpha[rows]) for rows in (slice(0, 64), slice(64, 96), slice(96, 100))]
    assert (np.concatenate(parts) == sum_cells(colour, alpha)).all()
