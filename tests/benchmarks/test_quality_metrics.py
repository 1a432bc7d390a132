"""Each metric finds what was planted, of known size, and says nothing of a clean picture."""

import numpy as np
import pytest
from benchmarks.quality import metrics
from benchmarks.quality.layout import Layout, abutting, feathered, overlapped
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

SIDE = 512
STARTS, TILE = (0, 176, 352), 160 + 48
LAYOUT = Layout(overlapped(STARTS, TILE, SIDE), overlapped(STARTS, TILE, SIDE), 16)
LEVEL = 1 / 255


def noise(seed=0, sigma=1.0, strength=0.02, side=SIDE):
    """Stationary and smooth over about `sigma` pixels, with the standard deviation `strength`."""
    white = np.random.default_rng(seed).standard_normal((side, side, 3))
    smooth = gaussian_filter(white, (sigma, sigma, 0), mode="wrap")
    return (smooth / smooth.std() * strength).astype(np.float32)


def blend_weight(layout):
    """1 in the middle of blends, 0 outside of them, H x W."""
    profile = np.zeros(SIDE, np.float32)
    for begin, end in layout.across.blends:
        place = (np.arange(begin, end) + 0.5 - begin) / (end - begin)
        profile[begin:end] = np.sin(np.pi * place) ** 2
    return np.maximum(profile[:, None], profile[None, :])


def per_tile(values):
    """One value for each of the 3 x 3 disjoint cells between the starts, as a picture."""
    cells = np.array(values, np.float32).reshape(3, 3)
    sides = np.diff([*STARTS, SIDE])
    return np.repeat(np.repeat(cells, sides, 0), sides, 1)[..., None]


# Layouts


def test_tiles_mixed_over_their_overlap_show_at_both_its_ends():
    axis = overlapped((0, 176, 352), 208, 512)
    assert axis.lines == (176, 208, 352, 384)
    assert axis.blends == ((176, 208), (352, 384))
    assert axis.strides == (176, 176)


def test_feathered_tiles_show_where_their_fade_begins_and_ends():
    axis = feathered((0, 256, 512), 64, 1024)
    assert axis.lines == (256, 320, 512, 576)


def test_abutting_tiles_show_at_the_line_and_at_the_ends_of_its_blur_and_repeat_at_their_crops():
    axis = abutting((0, 512), (0, 480), 8, 1024)
    assert axis.lines == (496, 512, 528)
    assert axis.strides == (480,)


def test_a_grid_padded_beyond_the_picture_has_no_line_outside_of_it():
    axis = overlapped((0, 96), 128, 120)
    assert axis.lines == (96,)


def test_centres_and_interiors_do_not_meet():
    centres, interior = LAYOUT.centres(), LAYOUT.interior(8)
    assert not (centres & interior).any()
    assert centres[0, 192] and not centres[0, 180]
    assert interior[100, 100] and not interior[100, 215]


# Seams


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_clean_noise_has_no_seam_beyond_chance(seed):
    found = metrics.seam_ratio(noise(seed), LAYOUT)
    assert abs(found.plain - 1) < 4.5 * found.spread
    assert found.spread < 0.02


@pytest.mark.parametrize("levels", [0.5, 1, 3])
def test_a_planted_seam_is_found_and_larger_the_larger_it_is(levels):
    """Three tiles across and down, each lighter or darker by some levels, over noise of 0.3 levels."""
    planted = noise(strength=0.3 * LEVEL) + per_tile([0, 1, 0, 1, 0, 1, 0, 1, 0]) * levels * LEVEL
    clean = noise(strength=0.3 * LEVEL)
    found = metrics.seam_ratio(planted, LAYOUT, clean)
    # Of the 8 lines 4 are tile starts, where the seam is; the rest are feather ends, where it is not.
    step = np.abs(np.diff(clean, axis=1)).mean()
    expected = np.abs(np.diff(clean, axis=1) + levels * LEVEL).mean() / step
    assert found.worst == pytest.approx(expected, rel=0.1)
    assert found.relative == pytest.approx(1 + (expected - 1) / 2, rel=0.1)
    assert found.relative > 1.02
    assert found.worst_line in {"x=176", "x=352", "y=176", "y=352"}


def test_a_seam_at_a_line_that_is_no_tile_edge_is_not_counted():
    picture = noise(strength=0.3 * LEVEL)
    picture[:, 100:] += 3 * LEVEL
    assert metrics.seam_ratio(picture, LAYOUT).plain < 1.05


def test_the_pictures_own_edge_on_a_tile_edge_is_in_the_blank_too():
    picture = noise()
    picture[:, 176:] += 0.3
    blank = picture + noise(1, strength=1e-4)
    assert metrics.seam_ratio(picture, LAYOUT).plain > 1.5
    assert metrics.seam_ratio(picture, LAYOUT, blank).relative == pytest.approx(1, abs=0.01)


def test_steps_of_the_codecs_blocks_are_no_seam():
    """A picture that steps more between blocks of 4 pixels than within them, as latent models' pictures do."""
    blocky = np.repeat(np.repeat(noise(side=SIDE // 4), 4, 0), 4, 1) + noise(1, strength=0.005)
    found = metrics.seam_ratio(blocky, LAYOUT)
    assert found.plain == pytest.approx(1, abs=4.5 * found.spread)


def test_a_flat_picture_has_no_seam_and_one_far_below_a_level_is_none():
    flat = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    assert metrics.seam_ratio(flat, LAYOUT).plain == 1
    assert metrics.seam_ratio(flat + per_tile(range(9)) * 0.01 * LEVEL, LAYOUT).plain == 1
    assert metrics.seam_ratio(flat + per_tile(range(9)) * 0.5 * LEVEL, LAYOUT).plain > 1.5


def test_a_line_of_blur_shows_as_a_ratio_below_one():
    picture = noise()
    blurred = gaussian_filter(picture, (0, 2, 0))
    for line in (176, 208, 352, 384):
        picture[:, line - 2 : line + 2] = blurred[:, line - 2 : line + 2]
    assert metrics.seam_ratio(picture, LAYOUT).plain < 0.9


# Tone


def test_a_step_of_tone_under_strong_grain_is_found_by_the_tone_ratio_alone():
    grain = noise(strength=0.02)
    planted = grain + per_tile([0, 1, 0, 1, 0, 1, 0, 1, 0]) * 0.006
    assert metrics.seam_ratio(planted, LAYOUT, grain).relative < 1.05
    assert metrics.tone_ratio(planted, LAYOUT, grain).relative > 1.4


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_clean_noise_has_no_step_of_tone_beyond_chance(seed):
    found = metrics.tone_ratio(noise(seed), LAYOUT)
    assert abs(found.plain - 1) < 5 * max(found.spread, 0.03)


# Detail


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_stationary_noise_has_no_dip(seed):
    assert metrics.detail_dip(noise(seed), LAYOUT).plain == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("kept", [0.7, 0.9, 0.97])
def test_a_planted_dip_is_found_at_its_depth(kept):
    picture = noise()
    share = 1 - (1 - kept) * blend_weight(LAYOUT)
    dipped = picture * share[..., None]
    found = metrics.detail_dip(dipped, LAYOUT, picture).relative
    assert found == pytest.approx(float(np.sqrt((share[LAYOUT.centres()] ** 2).mean())), abs=0.01)
    assert found == pytest.approx(kept, abs=0.02)


def test_averaging_two_tiles_that_disagree_is_a_dip_of_the_root_of_a_half():
    weight = (LAYOUT.centres())[..., None]
    mixed = np.where(weight, (noise(1) + noise(2)) / 2, noise(1))
    assert metrics.detail_dip(mixed, LAYOUT).plain == pytest.approx(0.5**0.5, abs=0.02)


def test_a_picture_with_more_detail_in_its_blends_has_no_dip_against_its_blank():
    picture = noise() * (1 + blend_weight(LAYOUT))[..., None]
    assert metrics.detail_dip(picture, LAYOUT).plain > 1.5
    assert metrics.detail_dip(picture + noise(1, strength=1e-5), LAYOUT, picture).relative == pytest.approx(1, abs=0.01)


def test_a_flat_picture_has_no_dip():
    assert metrics.detail_dip(np.full((SIDE, SIDE, 3), 0.5, np.float32), LAYOUT).plain == 1


# Periodicity


def repeating(share):
    """Noise of which a share (of its variance) is the same in each tile."""
    one = np.tile(noise(7, side=176), (3, 3, 1))[:SIDE, :SIDE]
    return np.float32(share**0.5) * one + np.float32((1 - share) ** 0.5) * noise(8)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_fresh_noise_does_not_repeat(seed):
    assert abs(metrics.grid_periodicity(noise(seed), LAYOUT).z) < 5


@pytest.mark.parametrize("share", [0.05, 0.3, 1])
def test_a_pattern_that_repeats_with_the_tiles_is_found(share):
    found = metrics.grid_periodicity(repeating(share), LAYOUT)
    assert found.z > 5
    assert found.correlation == pytest.approx(share, abs=0.03)


def test_a_pattern_that_repeats_at_another_distance_is_not_the_tiles():
    pattern = np.tile(noise(7, side=150), (4, 4, 1))[:SIDE, :SIDE]
    assert abs(metrics.grid_periodicity(pattern, LAYOUT).z) < 3


def test_a_weave_of_its_own_period_is_not_the_tiles():
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    cloth = (np.sin(2 * np.pi * x / 7.3) * np.sin(2 * np.pi * y / 8.1))[..., None] * np.ones(3)
    assert abs(metrics.grid_periodicity((cloth * 0.05).astype(np.float32), LAYOUT).z) < 3


def test_no_change_has_no_pattern():
    assert metrics.grid_periodicity(np.zeros((SIDE, SIDE, 3), np.float32), LAYOUT).z == 0


def test_a_single_tile_repeats_nothing():
    alone = Layout(overlapped((0,), SIDE, SIDE), overlapped((0,), SIDE, SIDE), 16)
    assert metrics.grid_periodicity(noise(), alone).z == 0
    assert metrics.seam_ratio(noise(), alone).plain == 1
    assert metrics.detail_dip(noise(), alone).plain == 1


# Colour


def test_the_same_picture_has_no_colour_shift():
    picture = 0.5 + noise()
    assert metrics.colour_shift(picture, picture).p95 == 0


def test_a_shift_of_lightness_is_measured_in_delta_e():
    """By the formula for greys: CIEDE2000 is the difference in L* over S_L."""
    before, after = np.full((64, 64, 3), 0.5, np.float32), np.full((64, 64, 3), 0.52, np.float32)

    def lightness(value):
        linear = ((value + 0.055) / 1.055) ** 2.4
        return 116 * linear ** (1 / 3) - 16

    low, high = lightness(0.5), lightness(0.52)
    away = ((low + high) / 2 - 50) ** 2
    expected = (high - low) / (1 + 0.015 * away / (20 + away) ** 0.5)
    found = metrics.colour_shift(before, after)
    assert found.mean == pytest.approx(expected, rel=0.01)
    assert found.p95 == pytest.approx(expected, rel=0.01)


def test_a_shift_in_a_tenth_of_the_picture_is_in_p95_and_hardly_in_the_mean():
    before = np.full((200, 200, 3), 0.5, np.float32)
    after = before.copy()
    after[:20] += np.float32([0.05, 0, 0])
    found = metrics.colour_shift(before, after)
    assert found.p95 > 3
    assert found.mean < 0.7


def test_detail_is_no_colour_shift():
    picture = np.full((256, 256, 3), 0.5, np.float32)
    checks = (np.indices((256, 256)).sum(0) % 2 - 0.5)[..., None].astype(np.float32) * 0.2
    assert metrics.colour_shift(picture, picture + checks).p95 < 0.05


# Fidelity


def test_a_picture_enlarged_by_repeating_pixels_is_wholly_faithful():
    source = np.clip(0.5 + noise(side=64), 0, 1)
    found = metrics.fidelity(np.repeat(np.repeat(source, 2, 0), 2, 1), source)
    assert found.psnr > 120
    assert found.ssim == pytest.approx(1)


def test_detail_that_means_out_is_faithful_and_an_error_is_measured_in_decibels():
    source = np.full((64, 64, 3), 0.5, np.float32)
    enlarged = np.full((128, 128, 3), 0.5, np.float32)
    enlarged[::2] += 0.1
    enlarged[1::2] -= 0.1
    assert metrics.fidelity(enlarged, source).psnr > 100
    assert metrics.fidelity(enlarged + np.float32(0.01), source).psnr == pytest.approx(40, abs=0.01)


def test_a_picture_that_is_no_whole_multiple_of_its_source_is_refused():
    with pytest.raises(ValueError, match="no whole multiple"):
        metrics.fidelity(np.zeros((65, 64, 3), np.float32), np.zeros((32, 32, 3), np.float32))
