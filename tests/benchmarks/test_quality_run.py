"""What the benchmark is made of, run for real on small pictures."""

import json

import numpy as np
import pytest
from benchmarks.quality import pictures, report
from benchmarks.quality.contestants import Outcome, Settings, scumble, untiled
from benchmarks.quality.determinism import Same
from benchmarks.quality.inputs import Input, flat, gradient, grain, photos, weave
from benchmarks.quality.measure import measure, verdicts
from benchmarks.quality.metrics import grid_periodicity
from benchmarks.quality.mikey import mikey, mikey_20
from benchmarks.quality.padded import blurred_mask, crop_around, padded
from benchmarks.quality.stitching import Stitching, axis_sum, blend_error, random_grid, stitch_identity
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.models.cache import ModelCache
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.tiles import TileGrid

SIDE, TILE = 576, 320


@pytest.fixture(scope="module")
def chosen():
    return Settings(ModelCache(), TILE, 0.25, 0)


@pytest.fixture(scope="module")
def outcomes(chosen):
    """Everybody's grain."""
    picture = grain(SIDE)
    return picture, {one.__name__: one(picture, chosen) for one in (scumble, mikey, padded, untiled)}


# Inputs


@pytest.mark.parametrize("picture", [flat(200), gradient(200), grain(200), weave(200)])
def test_made_pictures_are_float_and_within_range(picture):
    assert picture.shape == (200, 200, 3)
    assert picture.dtype == np.float32
    assert picture.min() > 0.05 and picture.max() < 0.95


def test_the_gradient_has_no_8_bit_bands():
    column = gradient(1280)[:, 0, 0]
    assert (np.diff(column) < 0).all()
    assert np.abs(np.diff(column)).max() * 255 < 0.1


@pytest.mark.parametrize("texture", [grain, weave])
def test_textures_are_alike_everywhere(texture):
    picture = texture(600)
    parts = [picture[y : y + 200, x : x + 200].std() for y in (0, 200, 400) for x in (0, 200, 400)]
    assert max(parts) / min(parts) < 1.05


def test_the_sample_is_enlarged_from_a_source_of_half_its_size():
    (sample,) = photos(512, 0, print)
    assert sample.source is not None
    assert sample.pixels.shape[:2] == tuple(2 * side for side in sample.source.shape[:2])


# Contestants


def test_all_contestants_give_a_refined_picture_of_the_inputs_size(outcomes):
    picture, found = outcomes
    for outcome in found.values():
        assert outcome.pixels.shape == picture.shape
        assert outcome.pixels.min() >= 0 and outcome.pixels.max() <= 1
        assert 1e-4 < np.abs(outcome.pixels - picture).mean() < 0.05
        assert outcome.layout.across.lines and outcome.layout.down.lines


def test_the_metrics_tell_the_anchored_noise_from_that_which_repeats(outcomes):
    picture, found = outcomes
    z = {name: grid_periodicity(one.pixels - picture, one.layout).z for name, one in found.items()}
    assert abs(z["scumble"]) < 5 and abs(z["untiled"]) < 5
    assert z["mikey"] > 20 and z["padded"] > 10


def test_where_tiles_disagree_detail_is_lost_and_where_they_agree_it_is_not(outcomes):
    picture, found = outcomes
    rows = {name: measure(Input("grain", "texture", picture), name, one, found["untiled"].pixels)
            for name, one in found.items()}  # fmt: skip
    assert rows["scumble"].dip_change.relative == pytest.approx(1, abs=0.02)
    assert rows["mikey"].dip_change.relative < 0.9
    assert rows["padded"].dip_change.relative < 0.9


def test_the_reference_from_its_own_start_changes_the_picture_and_less_than_from_ours(chosen):
    picture = grain(chosen.tile)
    ours, own = (one(picture, chosen).pixels for one in (mikey, mikey_20))
    assert 1e-4 < np.abs(own - picture).mean() < np.abs(ours - picture).mean()


@given(st.integers(0, 2), st.integers(0, 2), st.integers(600, 1200), st.integers(600, 1200))
def test_padded_crops_are_of_one_size_and_hold_their_tile(column, row, width, height):
    tile = Bounds(column * 400, row * 400, 400, 400).intersect(Bounds(0, 0, width, height))
    whole = Bounds(column * 400, row * 400, 400, 400)
    if tile.is_empty:
        return
    picture = Extent(width // 16 * 16, height // 16 * 16)
    crop = crop_around(whole, picture, 16)
    assert crop.extent == crop_around(Bounds(0, 0, 400, 400), picture, 16).extent
    assert Bounds.of(picture).contains(crop)
    assert crop.contains(tile.intersect(Bounds.of(picture)))


def test_the_masks_edge_lies_half_way_and_ends_within_the_padding():
    mask = blurred_mask(Bounds(100, 0, 100, 200), Extent(300, 200))
    assert mask[100, 99:101].mean() == pytest.approx(0.5, abs=0.01)
    assert mask[100, 150] == 1
    assert mask[100, 100 - 32] == 0


# Stitching


def test_the_products_weights_sum_to_one_and_its_blends_change_nothing():
    found = stitch_identity(8, seed=3)
    assert found.weights < 1e-6
    assert found.levels < 0.01
    assert found.uncovered == 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_random_grids_cover_their_size(seed):
    extent, grid = random_grid(np.random.default_rng(seed))
    assert grid.columns[-1] + grid.tile.width >= extent.width
    assert grid.rows[-1] + grid.tile.height >= extent.height


def test_a_gap_between_tiles_is_found():
    gap = TileGrid(Extent(40, 64), (0, 48), (0,))
    with np.errstate(invalid="ignore"):
        assert not blend_error(gap, Extent(88, 64)) < 1
    assert axis_sum({0: np.ones(40, np.float32), 48: np.ones(40, np.float32)})[40:48].max() == 0


# Verdicts and reports


GOOD = Stitching(5, 1e-7, 1e-3, 0)


def test_a_target_is_missed_by_the_worst_input_and_names_it(outcomes):
    picture, found = outcomes
    blank = found["untiled"].pixels
    fine = measure(Input("fine", "texture", picture), "scumble", found["scumble"], blank)
    seamed = found["scumble"].pixels.copy()
    seamed[:, found["scumble"].layout.across.lines[0] :] += np.float32(0.1)
    scarred = measure(
        Input("scarred", "texture", picture),
        "scumble",
        Outcome(seamed, found["scumble"].layout, 1.0, 1.0),
        blank,
    )
    results = {one.target: one for one in verdicts([fine, scarred], GOOD, [])}
    seam = next(one for target, one in results.items() if target.startswith("seam ratio of the change"))
    assert not seam.passed
    assert seam.where == "scarred"
    assert all(one.passed for one in verdicts([fine], GOOD, []) if "seam" in one.target or "dip" in one.target)


def test_the_rivals_figures_are_no_targets():
    assert [one.passed for one in verdicts([], GOOD, [])] == [True, True, True]


@pytest.mark.parametrize(
    ("stitching", "same"),
    [
        (Stitching(5, 2e-6, 0, 0), Same("a", 0)),
        (Stitching(5, 0, 1.5, 0), Same("a", 0)),
        (Stitching(5, 0, 0, 1), Same("a", 0)),
        (GOOD, Same("a", 1e-6)),
        (GOOD, Same("a", 1.5, 1.0)),
    ],
)
def test_each_other_target_can_be_missed(stitching, same):
    assert sum(not one.passed for one in verdicts([], stitching, [same])) == 1


def test_the_page_and_the_json_hold_every_row_and_the_command(outcomes):
    picture, found = outcomes
    given_input = Input("grain", "texture", picture)
    rows = [measure(given_input, name, one, found["untiled"].pixels) for name, one in found.items()]
    results = verdicts(rows, GOOD, [])
    page = report.markdown(rows, results, "python -m benchmarks.quality --quick", ["quality/grain.jpg"], "")
    assert "`python -m benchmarks.quality --quick`" in page
    assert "(quality/grain.jpg)" in page
    assert sum(line.startswith("| grain |") for line in page.split("\n")) == len(rows)
    values = json.loads(report.as_json(rows, results, {"seed": 0}))
    assert [row["contestant"] for row in values["rows"]] == list(found)
    assert values["passed"] == all(one.passed for one in results)


def test_pictures_side_by_side_have_a_column_for_each(outcomes):
    picture, found = outcomes
    sheet = pictures.side_by_side(Input("grain", "texture", picture), found)
    assert sheet.width == len(found) * (pictures.CROP * pictures.ZOOM + pictures.MARGIN) + pictures.MARGIN
    middle = np.asarray(sheet)[pictures.LABEL + 100, pictures.MARGIN + 100]
    assert (middle != pictures.BACKGROUND).any()
