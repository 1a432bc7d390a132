"""Picture: pixels in a mapped file, read and written by boxes."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.errors import PictureError, ScumbleError
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Picture

DEPTHS = [np.uint8, np.uint16, np.float32]


def boxes(width: int, height: int) -> st.SearchStrategy[Bounds]:
    """Any box inside a picture of this size."""
    across = st.tuples(st.integers(0, width), st.integers(0, width)).map(sorted)
    down = st.tuples(st.integers(0, height), st.integers(0, height)).map(sorted)
    return st.builds(lambda x, y: Bounds.between(x[0], y[0], x[1], y[1]), across, down)


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    depth=st.sampled_from(DEPTHS),
    channels=st.sampled_from([1, 3, 4]),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
)
def test_any_box_comes_back_as_it_was_written_and_its_neighbours_stay(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    depth: type[Any],
    channels: int,
    width: int,
    height: int,
) -> None:
    top = 1 if depth is np.float32 else np.iinfo(depth).max
    levels = np.random.default_rng(0).integers(0, 256, (2, height, width, channels))
    before, values = (levels * (top / 255)).astype(depth)
    picture = Picture.create(tmp_path_factory.mktemp("p") / "p.npy", Extent(width, height), channels, depth)
    assert not picture.read_raw(picture.bounds).any()
    picture.write_raw(picture.bounds, before)
    box = data.draw(boxes(width, height))
    # A box cut out of a larger array, as the blender's bands are.
    picture.write(box, (values.astype(np.float32) / np.float32(top))[box.slices])
    again = Picture.open(picture.path)
    assert (again.extent, again.channels, again.dtype) == (Extent(width, height), channels, np.dtype(depth))
    before[box.slices] = values[box.slices]
    np.testing.assert_array_equal(again.read_raw(again.bounds), before)
    np.testing.assert_array_equal(np.load(picture.path), before)
    seen = data.draw(boxes(width, height))
    np.testing.assert_array_equal(again.read_raw(seen), before[seen.slices])
    np.testing.assert_array_equal(again.read(seen), before[seen.slices].astype(np.float32) / np.float32(top))


def test_where_the_system_has_no_reads_at_a_place_pictures_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(9, 8), 3, np.uint16)
    values = np.arange(9 * 8 * 3, dtype=np.uint16).reshape(8, 9, 3)
    picture.write_raw(picture.bounds, values)
    for name in ("preadv", "pwritev"):
        monkeypatch.delattr(os, name, raising=False)
    box = Bounds(2, 3, 4, 5)
    np.testing.assert_array_equal(picture.read_raw(box), values[box.slices])
    picture.write_raw(box, values[:5, :4])
    values[box.slices] = values[:5, :4].copy()
    np.testing.assert_array_equal(picture.read_raw(picture.bounds), values)


_WALK = """
    import sys
    from pathlib import Path
    import numpy as np
    from scumble_core.picture.geometry import Bounds, Extent, Point
    from scumble_core.picture.storage import Picture

    def kilobytes(name):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

    picture = Picture.create(Path(sys.argv[1]), Extent(4096, 4096), 3, np.dtype(sys.argv[2]))
    idle = kilobytes("VmRSS")
    total = 0.0
    for band in picture.bands():
        picture.write(band, np.full((band.height, band.width, 3), 0.5, np.float32), dither=Point(0, 0))
        total += float(picture.read(band).mean()) * band.height
    for y in range(0, 4096, 512):
        for x in range(0, 4096, 512):
            box = Bounds(x, y, 512, 512)
            picture.write(box, 1 - picture.read(box))
    print((kilobytes("VmHWM") - idle) // 1024, round(total / 4096, 2))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's memory figures")
@pytest.mark.parametrize("depth", ["uint8", "float32"])
def test_walking_over_a_picture_takes_a_few_bands_of_memory(tmp_path: Path, depth: str) -> None:
    """200 MB as float32; a memory map would have shown all of it."""
    command = [sys.executable, "-c", textwrap.dedent(_WALK), str(tmp_path / "p.npy"), depth]
    megabytes, mean = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    assert float(mean) == 0.5
    assert 0 < int(megabytes) < 100


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("dither", [False, True])
def test_every_integer_survives_the_way_through_float(tmp_path: Path, depth: type[Any], dither: bool) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(256, 256), 1, depth)
    values = np.arange(65536).reshape(256, 256, 1).astype(depth)
    picture.write_raw(picture.bounds, values)
    picture.write(picture.bounds, picture.read(picture.bounds), dither=Point(0, 0) if dither else None)
    np.testing.assert_array_equal(picture.read_raw(picture.bounds), values)


def test_dither_keeps_the_mean_and_depends_on_the_place_alone(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(64, 64), 1, np.uint8)
    level = np.full((64, 64, 1), 100.3 / 255, np.float32)
    picture.write(picture.bounds, level, dither=Point(0, 0))
    whole = picture.read_raw(picture.bounds)
    assert abs(whole.mean() - 100.3) < 0.02
    picture.write(Bounds(10, 20, 30, 5), level[:5, :30], dither=Point(0, 0))
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


def test_a_picture_that_was_cut_off_meanwhile_is_named(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(100, 100), 4, np.uint8)
    os.truncate(picture.path, 20_000)
    with pytest.raises(PictureError, match=r"p\.npy is shorter"):
        picture.read(picture.bounds)


def test_a_disk_that_fills_up_meanwhile_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(10, 10), 4, np.uint8)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    with pytest.raises(ScumbleError) as caught:
        picture.write(picture.bounds, np.zeros((10, 10, 4), np.float32))
    assert caught.value.code == "disk_full"


def test_a_box_outside_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    picture = Picture.create(tmp_path / "p.npy", Extent(4, 4), 1, np.uint8)
    with pytest.raises(ValueError, match="not inside"):
        picture.read(Bounds(2, 2, 3, 1))
