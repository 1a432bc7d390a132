import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.picture.alpha import fill_transparent


def test_opaque_colour_is_left_alone():
    colour = np.random.default_rng(0).random((5, 6, 3), np.float32)
    assert fill_transparent(colour, np.ones((5, 6, 1), np.float32)) is colour


@given(width=st.integers(1, 33), height=st.integers(1, 33), seed=st.integers(0, 50))
def test_holes_take_colours_from_around_and_painted_pixels_keep_theirs(width, height, seed):
    rng = np.random.default_rng(seed)
    alpha = (rng.random((height, width, 1)) > 0.7).astype(np.float32)
    alpha[rng.integers(height), rng.integers(width)] = 1
    colour = np.where(alpha > 0, np.float32(0.8), np.float32(0.0)).repeat(3, axis=2)
    filled = fill_transparent(colour, alpha)
    assert np.allclose(filled, 0.8, atol=1e-5)
    assert (filled[alpha[..., 0] > 0] == colour[alpha[..., 0] > 0]).all()


def test_a_wholly_transparent_picture_has_a_colour_too():
    assert np.isfinite(fill_transparent(np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 1), np.float32))).all()
