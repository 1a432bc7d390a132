import numpy as np
import pytest

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.stages.prepare import check_source, selected_bounds, soft_edge


def mask(height=60, width=80, **boxes):
    out = np.zeros((height, width), np.float32)
    for top, bottom, left, right in boxes.values():
        out[top:bottom, left:right] = 1
    return out


def test_the_edge_lies_inside_the_selection():
    selection = mask(box=(10, 50, 10, 70))
    soft = soft_edge(selection)
    assert (soft[selection == 0] == 0).all()
    assert soft[30, 40] == 1
    assert 0 < soft[30, 12] < 1
    assert (soft <= selection).all()


def test_the_border_of_the_picture_is_no_edge():
    assert (soft_edge(np.ones((30, 40), np.float32)) == 1).all()


@pytest.mark.parametrize("thickness", [1, 2, 3, 6])
def test_of_a_slim_selection_something_is_left(thickness):
    selection = mask(line=(30, 30 + thickness, 5, 75)) + mask(line=(5, 29, 5, 5 + thickness))
    assert soft_edge(selection).max() > 0.4


def test_an_artists_own_soft_selection_is_kept():
    soft = soft_edge(np.full((40, 40), 0.5, np.float32))
    assert soft[20, 20] <= 0.5


def stored(path, pixels):
    picture = Picture.create(path, Extent(pixels.shape[1], pixels.shape[0]), pixels.shape[2], pixels.dtype)
    picture.write_raw(picture.bounds, pixels)
    return picture


def test_the_bounds_of_a_selection(tmp_path):
    pixels = (mask(a=(10, 12, 20, 30), b=(40, 50, 5, 6)) * 255).astype(np.uint8)[..., None]
    assert selected_bounds(stored(tmp_path / "mask.npy", pixels)) == Bounds(5, 10, 25, 40)


def test_an_empty_selection_is_refused(tmp_path):
    with pytest.raises(PictureError, match="No pixels are selected"):
        selected_bounds(stored(tmp_path / "mask.npy", np.zeros((4, 4, 1), np.uint8)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused_with_their_place(tmp_path, bad):
    pixels = np.zeros((6, 9, 4), np.float32)
    pixels[4, 7, 1] = bad
    with pytest.raises(PictureError, match="at 7, 4"):
        check_source(stored(tmp_path / "source.npy", pixels), None)
