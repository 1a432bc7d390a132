"""What a job has shown so far."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scumble_bridge.fields import PictureHeader
from scumble_bridge.messages import Preview
from scumble_core.events import TilePreview
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.job import Job
from scumble_core.jobs.lines import from_line, to_line
from scumble_core.jobs.previews import PIECE, SIDE, Mosaic, Previews, from_bytes, pasted, to_bytes
from scumble_core.picture.geometry import Bounds

JOB = "0123456789abcdef0123456789abcdef"
PLACES = st.integers(-200, 40_000)
BOXES = st.builds(Bounds, PLACES, PLACES, st.integers(1, 3000), st.integers(1, 3000))
PIXELS = st.builds(
    lambda height, width, value: np.full((height, width, 3), value, np.uint8),
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 255),
)  # fmt: skip


def mosaic_of(shown: list[tuple[Bounds, NDArray[np.uint8]]]) -> Mosaic:
    mosaic = None
    for box, pixels in shown:
        mosaic = pasted(mosaic, box, pixels)
    assert mosaic is not None
    return mosaic


def preview(box: Bounds, pixels: NDArray[np.uint8]) -> Preview:
    height, width = pixels.shape[:2]
    return Preview(JOB, box.x, box.y, box.width, box.height, width, height, pixels.tobytes())


@given(st.lists(st.tuples(BOXES, PIXELS), min_size=1, max_size=8))
def test_a_mosaic_stays_small_and_its_pieces_lie_within_what_was_shown(
    shown: list[tuple[Bounds, NDArray[np.uint8]]],
) -> None:
    mosaic = mosaic_of(shown)
    assert max(mosaic.pixels.shape[:2]) <= SIDE
    seen = shown[0][0]
    for box, _ in shown:
        seen = seen.union(box)
    pieces = list(mosaic.pieces())
    for place, pixels in pieces:
        assert seen.contains(place) and max(pixels.shape[:2]) <= PIECE
        # Each pixel stands for `step` output pixels, fewer at the far edges.
        assert -(-place.width // mosaic.step) <= pixels.shape[1] <= place.width // mosaic.step + 2
    for number, (one, _) in enumerate(pieces):
        assert all(one.intersect(other).is_empty for other, _ in pieces[:number])


@given(st.integers(1, 9), st.integers(1, 9), st.integers(16, 300), st.data())
def test_only_where_tiles_were_shown_something_is_shown_again(
    columns: int, rows: int, side: int, data: st.DataObject
) -> None:
    boxes = [Bounds(x * side, y * side, side, side) for y in range(rows) for x in range(columns)]
    shown = data.draw(st.lists(st.sampled_from(boxes), min_size=1, unique=True))
    mosaic = mosaic_of([(box, np.full((8, 8, 3), 1 + boxes.index(box), np.uint8)) for box in shown])
    area = 0
    for place, pixels in mosaic.pieces():
        area += place.extent.area
        assert pixels.min() > 0  # nothing that was never shown
    # To the nearest pixel of the mosaic, at each tile's four edges.
    slack = len(shown) * 4 * (side + 2 * mosaic.step) * mosaic.step
    assert abs(area - len(shown) * side * side) <= slack
    if mosaic.step == 1:
        assert area == len(shown) * side * side


def test_a_picture_shown_in_tiles_is_the_picture(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (700, 900, 3), np.uint8)
    previews = Previews(tmp_path / "previews")
    for y in range(0, 700, 100):
        for x in range(0, 900, 150):
            previews.keep(preview(Bounds(x, y, 150, 100), picture[y : y + 100, x : x + 150]))
    again = np.zeros_like(picture)
    for each in previews.replay(JOB):
        pixels = np.frombuffer(each.data, np.uint8).reshape(each.pixel_height, each.pixel_width, 3)
        again[each.y : each.y + each.height, each.x : each.x + each.width] = pixels
    assert np.array_equal(again, picture)


def test_a_larger_picture_is_shown_smaller_with_the_means_of_its_pixels(tmp_path: Path) -> None:
    previews = Previews(tmp_path / "previews")
    checker = (np.indices((1000, 1000)).sum(0) % 2 * 200).astype(np.uint8)
    previews.keep(preview(Bounds(0, 0, 1000, 1000), np.repeat(checker[..., None], 3, axis=2)))
    previews.keep(preview(Bounds(1000, 0, 1000, 1000), np.full((5, 5, 3), 9, np.uint8)))
    again = list(previews.replay(JOB))
    left = [each for each in again if each.x + each.width <= 1000]
    assert left and all(set(each.data) == {100} for each in left)
    assert sum(each.width * each.height for each in again) == 2_000_000


@given(st.lists(st.tuples(BOXES, PIXELS), min_size=1, max_size=4))
def test_a_mosaic_comes_back_from_its_file_as_it_was(shown: list[tuple[Bounds, NDArray[np.uint8]]]) -> None:
    mosaic = mosaic_of(shown)
    again = from_bytes(to_bytes(mosaic))
    assert (again.step, again.seen, again.cells) == (mosaic.step, mosaic.seen, mosaic.cells)
    assert np.array_equal(again.pixels, mosaic.pixels)


@given(st.binary(max_size=200), st.integers(0, 100))
def test_a_damaged_file_is_refused_with_a_value_error_or_is_a_mosaic(noise: bytes, cut: int) -> None:
    whole = to_bytes(mosaic_of([(Bounds(0, 0, 4, 4), np.ones((4, 4, 3), np.uint8))]))
    for data in (noise, whole[:cut] + noise, whole[: -1 - cut]):
        try:
            mosaic = from_bytes(data)
        except ValueError:
            continue
        assert max(mosaic.pixels.shape[:2]) <= SIDE
        list(mosaic.pieces())


def test_what_was_saved_is_there_for_the_next_core_and_new_tiles_go_on_it(tmp_path: Path) -> None:
    path = tmp_path / "previews"
    first = Previews(path)
    first.keep(preview(Bounds(0, 0, 10, 10), np.full((10, 10, 3), 5, np.uint8)))
    first.save()
    first.let_go()
    assert len(list(first.replay(JOB))) == 1
    later = Previews(path)
    later.keep(preview(Bounds(10, 0, 10, 10), np.full((10, 10, 3), 6, np.uint8)))
    (whole,) = later.replay(JOB)
    assert (whole.width, whole.height, set(whole.data)) == (20, 10, {5, 6})
    later.drop()
    assert not path.exists() and not list(later.replay(JOB))


@pytest.mark.parametrize("data", [b"", b"x" * 5_000_000])
def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "previews"
    path.write_bytes(data)
    previews = Previews(path)
    assert not list(previews.replay(JOB))
    previews.keep(preview(Bounds(0, 0, 3, 3), np.ones((3, 3, 3), np.uint8)))
    assert len(list(previews.replay(JOB))) == 1


def test_what_a_tile_looks_like_meanwhile_is_no_finished_tile_after_the_workers_line_either() -> None:
    sketch = TilePreview(Bounds(0, 0, 8, 8), np.zeros((2, 2, 3), np.uint8), finished=False)
    read = from_line(to_line(sketch))
    assert isinstance(read, TilePreview) and not read.finished and (read.pixels == sketch.pixels).all()


def test_a_passing_preview_is_not_kept(tmp_path: Path) -> None:
    entry = Entry(JOB, "running", {}, PictureHeader(8, 8, "u8", "rgba"), "", 0, 1, 0.0, 0.0, 0.0)
    job, shown = Job(entry, tmp_path), preview(Bounds(0, 0, 8, 8), np.full((2, 2, 3), 9, np.uint8))
    job.tell(shown, passing=True)
    assert list(job.previews.replay(JOB)) == []
    job.tell(shown)
    assert list(job.previews.replay(JOB)) != []
