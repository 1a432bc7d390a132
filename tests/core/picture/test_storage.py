"""Picture: pixels in a mapped file, read and written by boxes."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture

DEPTHS = [np.uint8, np.uint16, np.float32]


@settings(deadline=None, max_examples=30)
@given(data=st.data(), depth=st.sampled_from(DEPTHS), channels=st.sampled_from([1, 3, 4]))
def test_any_box_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, depth: type[Any], channels: int
) -> None:
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = Bounds(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    top = 1 if depth is np.float32 else np.iinfo(depth).max
    values = (np.random.default_rng(0).integers(0, 255, (box.height, box.width, channels)) * (top / 255)).astype(depth)
    picture = Picture.create(tmp_path_factory.mktemp("p") / "p.npy", Extent(width, height), channels, depth)
    picture.write(box, values.astype(np.float32) / np.float32(top))
    picture.flush()
    again = Picture.open(picture.path)
    np.testing.assert_array_equal(again.read_raw(box), values)
    assert (again.extent, again.channels, again.dtype) == (Extent(width, height), channels, np.dtype(depth))
    outside = again.read_raw(again.bounds)
    outside[box.slices] = 0
    assert not outside.any()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("dither", [False, True])
def test_every_integer_survives_the_way_through_float(tmp_path: Path, depth: type[Any], dither: bool) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(256, 256), 1, depth)
    values = np.arange(65536).reshape(256, 256, 1).astype(depth)
    picture.write_raw(picture.bounds, values)
    picture.write(picture.bounds, picture.read(picture.bounds), dither=dither)
    np.testing.assert_array_equal(picture.read_raw(picture.bounds), values)


def test_dither_keeps_the_mean_and_depends_on_the_place_alone(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(64, 64), 1, np.uint8)
    level = np.full((64, 64, 1), 100.3 / 255, np.float32)
    picture.write(picture.bounds, level, dither=True)
    whole = picture.read_raw(picture.bounds)
    assert abs(whole.mean() - 100.3) < 0.02
    picture.write(Bounds(10, 20, 30, 5), level[:5, :30], dither=True)
    np.testing.assert_array_equal(picture.read_raw(picture.bounds), whole)


def test_values_beyond_the_range_are_clipped_in_integers_and_kept_in_floats(tmp_path: Path) -> None:
    wild = np.array([[[-1.0], [3.0]]], np.float32)
    for depth, expected in ((np.uint8, [0, 255]), (np.float32, [-1, 3])):
        picture = Picture.create(tmp_path / "p.npy", Extent(2, 1), 1, depth)
        picture.write(picture.bounds, wild)
        assert picture.read_raw(picture.bounds).ravel().tolist() == expected


def test_pixels_that_are_no_numbers_are_never_written(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(2, 1), 1, np.uint8)
    with pytest.raises(ScumbleError, match="NaN"):
        picture.write(picture.bounds, np.array([[[np.nan], [0]]], np.float32))


def test_bands_cover_the_picture_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scumble_core.picture.storage.BAND_VALUES", 100)
    picture = Picture.create(tmp_path / "p.npy", Extent(7, 23), 4, np.uint8)
    bands = list(picture.bands())
    assert [band.y for band in bands] == list(range(0, 23, 3))
    assert sum(band.extent.area for band in bands) == 7 * 23


def test_a_full_disk_is_said_before_any_work_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ScumbleError, match="full") as caught:
        Picture.create(tmp_path / "p.npy", Extent(10, 10), 4, np.uint8)
    assert caught.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_a_picture_larger_than_the_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScumbleError) as caught:
        Picture.create(tmp_path / "p.npy", Extent(2_000_000, 2_000_000), 4, np.float32)
    assert caught.value.code == "disk_full"


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "source.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PictureError, match=r"source\.npy"):
        Picture.open(path)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(100, 100), 4, np.uint8)
    os.truncate(picture.path, 20_000)
    with pytest.raises(PictureError, match="not a whole picture"):
        Picture.open(picture.path)


def test_a_box_outside_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(4, 4), 1, np.uint8)
    with pytest.raises(ValueError, match="not inside"):
        picture.read(Bounds(2, 2, 3, 1))
