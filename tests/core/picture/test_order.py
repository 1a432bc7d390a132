"""The order of a pixel's channels, in memory and in files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.order import turn
from scumble_core.picture.storage import Picture

DTYPES = (np.uint8, np.uint16, np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 64 * 1024, 64 * 1024 + 1, 140_001])
def test_red_and_blue_change_places_for_any_number_of_pixels(dtype: type, count: int) -> None:
    pixels = np.random.default_rng(count).integers(0, 2**8, (count, 4 * dtype().itemsize), np.uint8).view(dtype)
    turned = pixels.copy()
    turn(turned)
    assert turned.tobytes() == pixels[:, [2, 1, 0, 3]].tobytes()
    turn(turned)
    assert turned.tobytes() == pixels.tobytes()


@given(st.data())
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_picture_speaks_rgba_whatever_order_its_file_has(
    tmp_path_factory: pytest.TempPathFactory, dtype: type, data: st.DataObject
) -> None:
    width, height = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    pixels = data.draw(arrays.arrays(dtype, (height, width, 4), elements={"min_value": 0, "max_value": 200}))
    path = tmp_path_factory.mktemp("order") / "picture.npy"
    picture = Picture.create(path, Extent(width, height), 4, dtype, "bgra")
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    given_out = pixels.copy()
    picture.write_raw(picture.bounds, given_out)
    assert np.array_equal(given_out, pixels)  # the caller's own are not turned
    again = Picture.open(path)
    assert again.order == "bgra" and again.dtype == dtype
    assert np.array_equal(again.read_raw(Bounds(x, y, width - x, height - y)), pixels[y:, x:])
    in_file = np.load(path)
    assert in_file.dtype.names == ("b", "g", "r", "a") and np.array_equal(in_file["r"], pixels[..., 0])


def test_a_file_with_other_parts_is_no_picture(tmp_path: Path) -> None:
    np.save(tmp_path / "odd.npy", np.zeros((2, 2), [("x", "u1"), ("y", "u1")]))
    with pytest.raises(PictureError, match="run the job again"):
        Picture.open(tmp_path / "odd.npy")
