"""Selections: where they lie, how they grow, and how softly they end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.pictures import stored

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Bounds
from scumble_core.stages.selection import Edge, fitting_sigma, selected_bounds, soft_edge, write_alpha


def mask(height=60, width=80, **boxes):
    out = np.zeros((height, width), np.uint8)
    for top, bottom, left, right in boxes.values():
        out[top:bottom, left:right] = 255
    return out


def softened(folder, selection, edge=None):
    picture = stored(folder / "mask.npy", selection[..., None])
    edge = edge or Edge()
    return soft_edge(picture, picture.bounds, edge.grow, fitting_sigma(picture, edge))


def test_the_edge_lies_inside_the_selection(tmp_path):
    selection = mask(box=(10, 50, 10, 70))
    soft = softened(tmp_path, selection)
    assert (soft[selection == 0] == 0).all()
    assert soft[30, 40] == 1
    assert 0 < soft[30, 12] < 1


def test_the_border_of_the_picture_is_no_edge(tmp_path):
    assert (softened(tmp_path, np.full((30, 40), 255, np.uint8)) == 1).all()


@pytest.mark.parametrize("thickness", [1, 2, 3, 6])
def test_of_a_slim_selection_something_is_left(tmp_path, thickness):
    selection = mask(line=(30, 30 + thickness, 5, 75), other=(5, 29, 5, 5 + thickness))
    assert softened(tmp_path, selection).max() > 0.4


def test_an_artists_own_soft_selection_is_kept(tmp_path):
    assert softened(tmp_path, np.full((40, 40), 128, np.uint8))[20, 20] <= 0.51


def test_an_edge_of_no_softness_is_the_selection_itself(tmp_path):
    selection = mask(box=(10, 50, 10, 70))
    assert (softened(tmp_path, selection, Edge(soft=0)) * 255 == selection).all()


def test_growing_reaches_as_far_as_asked_in_every_direction(tmp_path):
    grown = softened(tmp_path, mask(box=(30, 31, 40, 41)), Edge(grow=7, soft=0))
    assert grown[30, 47] == grown[23, 40] == grown[37, 40] == grown[30, 33] == 1
    assert grown[30, 49] == grown[21, 40] == 0
    assert grown[25, 45] > 0 and grown[24, 46] == 0  # a disc, not a square


@given(rows=st.integers(1, 59), grow=st.sampled_from([0, 3]), sigma=st.sampled_from([0.0, 0.7, 4.0]))
def test_a_band_by_itself_equals_the_same_rows_of_the_whole(tmp_path_factory, rows, grow, sigma):
    selection = mask(a=(5, 30, 10, 60), b=(40, 60, 0, 20))
    picture = stored(tmp_path_factory.mktemp("mask") / "mask.npy", selection[..., None])
    whole = soft_edge(picture, picture.bounds, grow, sigma)
    for band in picture.bounds.bands(rows):
        assert (soft_edge(picture, band, grow, sigma) == whole[band.slices[0]]).all()


def test_the_bounds_of_a_selection(tmp_path):
    picture = stored(tmp_path / "mask.npy", mask(a=(10, 12, 20, 30), b=(40, 50, 5, 6))[..., None])
    assert selected_bounds(picture) == Bounds(5, 10, 25, 40)
    assert selected_bounds(picture, grow=8) == Bounds(0, 2, 38, 56)


def test_an_empty_selection_is_refused(tmp_path):
    with pytest.raises(PictureError, match="No pixels are selected"):
        selected_bounds(stored(tmp_path / "mask.npy", np.zeros((4, 4, 1), np.uint8)))


def test_alpha_is_the_sources_own_within_the_selection(tmp_path):
    source = np.full((60, 80, 4), 128, np.uint8)
    picture = stored(tmp_path / "source.npy", source)
    selection = stored(tmp_path / "mask.npy", mask(box=(10, 50, 10, 70))[..., None])
    target = stored(tmp_path / "alpha.npy", np.zeros((60, 80, 1), np.float32))
    write_alpha(picture, selection, target, Edge())
    alpha = target.read(target.bounds)[..., 0]
    assert alpha[30, 40] == pytest.approx(128 / 255)
    assert alpha[5, 5] == 0
