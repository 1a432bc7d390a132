"""Pictures between the wire and the job folder."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scumble_bridge.fields import Depth, Layout, PictureHeader
from scumble_core.errors import PictureError
from scumble_core.jobs.transfer import DTYPES, KEPT, PictureIntake, ResultReader
from scumble_core.picture.geometry import Extent
from scumble_core.picture.order import Order
from scumble_core.picture.storage import Picture

CUTS = st.lists(st.integers(1, 90), max_size=20)


def noise(width: int, height: int, depth: Depth) -> NDArray[Any]:
    values = np.random.default_rng(width).integers(0, 256, (height, width, 4 * DTYPES[depth].itemsize), np.uint8)
    return values.view(DTYPES[depth])


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data in pieces of these sizes, and what is left over."""
    edges = [*np.minimum(np.cumsum([0, *cuts]), len(data)).tolist(), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if end > start]


@pytest.mark.parametrize("depth", ["u8", "u16", "f32"])
@pytest.mark.parametrize("layout", ["rgba", "bgra"])
@given(st.integers(1, 9), st.integers(1, 5), CUTS, CUTS, st.booleans())
def test_a_picture_comes_back_as_it_came_in_whatever_its_pieces(
    tmp_path_factory: pytest.TempPathFactory,
    depth: Depth,
    layout: Layout,
    width: int,
    height: int,
    cuts_in: list[int],
    cuts_out: list[int],
    is_array: bool,
) -> None:
    path = tmp_path_factory.mktemp("job") / "source.npy"
    pixels = noise(width, height, depth)
    intake = PictureIntake(path, PictureHeader(width, height, depth, layout))
    data = pixels.tobytes()
    for piece in pieces(data, cuts_in):
        intake.take(intake.received, bytearray(piece) if is_array else piece)
    assert intake.missing == 0
    picture = Picture.open(path)
    expected = pixels if layout == "rgba" else pixels[..., [2, 1, 0, 3]]
    assert (picture.order, picture.dtype) == (layout, pixels.dtype)
    assert picture.read_raw(picture.bounds).tobytes() == expected.tobytes()
    reader, back = ResultReader(path, layout), b""
    for piece in pieces(data, cuts_out):
        back += reader.read(len(back), len(piece))
    reader.close()
    assert back == data and reader.header == PictureHeader(width, height, depth, layout)


@pytest.mark.parametrize("depth", ["u8", "u16", "f32", "f16"])
@pytest.mark.parametrize("kept", ["rgba", "bgra"])
@pytest.mark.parametrize("wanted", ["rgba", "bgra"])
def test_a_result_goes_out_in_the_order_that_is_wanted_whichever_it_lies_in(
    tmp_path: Path, depth: Depth, kept: Order, wanted: Layout
) -> None:
    pixels = noise(7, 3, "u8" if depth == "f16" else depth).astype(KEPT[depth])
    picture = Picture.create(tmp_path / "refined.npy", Extent(7, 3), 4, pixels.dtype, kept)
    picture.write_raw(picture.bounds, pixels)
    reader = ResultReader(picture.path, wanted, depth)
    expected = pixels if wanted == "rgba" else pixels[..., [2, 1, 0, 3]]
    assert bytes(reader.read(0, reader.header.total_bytes)) == expected.astype(DTYPES[depth]).tobytes()


def test_bytes_that_the_caller_keeps_are_not_changed(tmp_path: Path) -> None:
    intake = PictureIntake(tmp_path / "source.npy", PictureHeader(1, 1, "u8", "bgra"))
    data = b"\1\2\3\4"
    intake.take(0, memoryview(data))
    assert data == b"\1\2\3\4" and intake.missing == 0


@pytest.mark.parametrize(("offset", "size"), [(1, 1), (0, 17)])
def test_a_piece_out_of_order_or_too_long_is_refused(tmp_path: Path, offset: int, size: int) -> None:
    intake = PictureIntake(tmp_path / "source.npy", PictureHeader(2, 2, "u8", "rgba"))
    with pytest.raises(PictureError, match="send its pieces in order"):
        intake.take(offset, bytes(size))


def test_a_result_that_was_cut_short_or_is_gone_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "refined.npy"
    Picture.create(path, Picture.open(_stored(tmp_path)).extent, 4, np.uint8)
    reader = ResultReader(path, "rgba")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with pytest.raises(PictureError, match="shorter than it was"):
        reader.read(0, reader.header.total_bytes)
    path.unlink()
    with pytest.raises(PictureError, match="can't be read"):
        _gone(tmp_path).read(0, 4)


def _stored(folder: Path) -> Path:
    path = folder / "stored.npy"
    np.save(path, noise(3, 2, "u8"))
    return path


def _gone(folder: Path) -> ResultReader:
    """A reader whose file went before the first read."""
    reader = ResultReader(_stored(folder), "rgba")
    (folder / "stored.npy").unlink()
    return reader
