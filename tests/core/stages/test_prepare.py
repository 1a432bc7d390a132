import numpy as np
import pytest

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture
from scumble_core.stages.prepare import check_source


def stored(path, pixels):
    picture = Picture.create(path, Extent(pixels.shape[1], pixels.shape[0]), pixels.shape[2], pixels.dtype)
    picture.write_raw(picture.bounds, pixels)
    return picture


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused_with_their_place(tmp_path, bad):
    pixels = np.zeros((6, 9, 4), np.float32)
    pixels[4, 7, 1] = bad
    with pytest.raises(PictureError, match="at 7, 4"):
        check_source(stored(tmp_path / "source.npy", pixels), None)
