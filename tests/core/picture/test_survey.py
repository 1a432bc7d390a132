"""What a picture offers: gradients nothing, checkerboards much; flat only what really is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.pictures import stored

from scumble_core.picture import survey as module
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.survey import CELL, FLAT_RANGE, Survey, cells_of, survey


@pytest.fixture
def surveyed(tmp_path):
    def of(colour, alpha=None):
        colour = np.ascontiguousarray(np.broadcast_to(colour, (*colour.shape[:2], 3)), np.float32)
        alpha = np.ones((*colour.shape[:2], 1), np.float32) if alpha is None else alpha
        return survey(stored(tmp_path / "colour.npy", colour), stored(tmp_path / "alpha.npy", alpha))

    return of


def whole(colour):
    return Bounds(0, 0, colour.shape[1], colour.shape[0])


def checkerboard(width, height, side=8):
    y, x = np.mgrid[0:height, 0:width]
    return ((x // side + y // side) % 2).astype(np.float32)[..., None]


def gradient(width, height, dx, dy):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (dx * x + dy * y)[..., None]


@pytest.mark.parametrize("slope", [(0, 0), (1 / 255, 0), (0, 1 / 64), (1 / 100, -1 / 100), (-1 / 70, 1 / 50)])
@pytest.mark.parametrize("size", [(96, 80), (97, 33), (16, 1), (1, 50), (2, 2)])
def test_a_gradient_is_no_detail_however_steep(surveyed, slope, size):
    colour = gradient(*size, *slope)
    assert surveyed(colour).complexity(whole(colour)) < 0.01


@pytest.mark.parametrize("size", [(96, 80), (97, 33), (65, 17)])
def test_a_checkerboard_is_busy_everywhere(surveyed, size):
    colour = checkerboard(*size)
    measured = surveyed(colour)
    assert measured.complexity(whole(colour)) > 5
    assert np.sqrt(measured.energy.min()) > 5


def test_grain_counts_by_its_strength_and_smooth_shapes_hardly(surveyed):
    y, x = np.mgrid[0:128, 0:128]
    smooth = (0.5 + 0.3 * np.sin(x / 20) * np.cos(y / 17))[..., None]
    noise = np.random.default_rng(0).normal(0, 1, (128, 128, 1))
    shapes, grainy, noisy = (
        surveyed(colour).complexity(whole(smooth)) for colour in (smooth, smooth + noise * 0.01, 0.5 + noise * 0.1)
    )
    assert shapes < 0.3 < grainy < noisy
    # Per axis the variance of white noise's second difference is 1.5 times its own.
    assert noisy == pytest.approx(25.5 * np.sqrt(2 * 1.5), rel=0.05)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_flat_is_what_lies_within_the_range_in_every_channel_at_every_pixel(tmp_path_factory, data):
    width, height = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    level, channel = data.draw(st.floats(0, 0.9)), data.draw(st.integers(0, 2))
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rise = data.draw(st.floats(0, 4 / 255))
    colour = np.full((height, width, 3), level, np.float32)
    colour[y, x, channel] += np.float32(rise)
    alpha = np.full((height, width, 1), data.draw(st.sampled_from([1 / 255, 1])), np.float32)
    if data.draw(st.booleans()):
        alpha[y, x] = 0  # what doesn't show is between what does
    folder = tmp_path_factory.mktemp("flat")
    measured = survey(stored(folder / "colour.npy", colour), stored(folder / "alpha.npy", alpha))
    spread = colour[y, x, channel] - np.float32(level)
    if width * height == 1:
        spread = np.float32(0)
    # A lone pixel is all there is of its cell when it does not show.
    if alpha.any():
        assert measured.is_flat(Bounds(0, 0, width, height)) == (spread <= FLAT_RANGE)


def test_what_does_not_show_is_flat_and_one_pixel_that_shows_is_enough(surveyed):
    colour, alpha = checkerboard(64, 48), np.zeros((48, 64, 1), np.float32)
    assert surveyed(colour, alpha).is_flat(whole(colour))
    alpha[47, 63] = 1e-3
    measured = surveyed(colour, alpha)
    assert not measured.is_flat(whole(colour))
    assert measured.is_flat(Bounds(0, 0, 32, 32))


def test_the_last_channel_counts_of_a_picture_of_four(surveyed):
    rgba = np.zeros((32, 32, 4), np.float32)
    rgba[..., :3] = 1
    assert surveyed(checkerboard(32, 32), rgba).is_flat(Bounds(0, 0, 32, 32))


@pytest.mark.parametrize(("width", "height"), [(40, 70), (33, 130), (16, 16), (5, 300)])
def test_the_bands_it_is_measured_in_make_no_difference(tmp_path, width, height):
    """To the bit: it becomes part of the tiles' keys."""
    pixels = np.random.default_rng(1).random((height, width, 4), np.float32)
    colour, alpha = (
        stored(tmp_path / "c.npy", pixels[..., :3].copy()),
        stored(tmp_path / "a.npy", pixels[..., 3:].copy()),
    )
    at_once = survey(colour, alpha)
    strips = [module._measure(colour, alpha, strip) for strip in colour.bounds.bands(CELL)]
    for name, parts in zip(("lowest", "highest", "energy"), [0, 1, 3], strict=True):
        assert (getattr(at_once, name) == np.concatenate([strip[parts] for strip in strips])).all()


@given(st.integers(-50, 300), st.integers(-50, 300), st.integers(1, 200), st.integers(1, 200))
def test_every_box_has_cells_and_those_it_touches(x, y, width, height):
    rows, columns = cells_of(Bounds(x, y, width, height), 12, 10)
    assert 0 <= rows.start < rows.stop <= 12 and 0 <= columns.start < columns.stop <= 10
    for start, length, cells, found in ((y, height, 12, rows), (x, width, 10, columns)):
        touched = {place // CELL for place in range(start, start + length) if 0 <= place < cells * CELL}
        if touched:
            assert set(range(found.start, found.stop)) == touched


def test_a_survey_is_of_cells(surveyed):
    measured = surveyed(checkerboard(40, 17))
    assert isinstance(measured, Survey)
    assert measured.energy.shape == (2, 3) and measured.lowest.shape == (2, 3, 3)
