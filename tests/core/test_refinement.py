"""Scumble's own way, on real starter models: what is finished stays, what is asked for a part concerns that part."""

import numpy as np
import pytest
from tests.core.jobs_on_disk import job, photo, run
from tests.core.models.tiny import save_tiny
from tests.core.models.watched import Watched

from scumble_core.errors import Cancelled, PictureError
from scumble_core.events import StageStarted, TaskFinished, TileFinished
from scumble_core.models.cache import ModelCache


@pytest.fixture(scope="module")
def models():
    return ModelCache()


# Three by two tiles at scale 2.
SIZE = (220, 112)


def test_a_job_that_was_cancelled_goes_on_where_it_was_and_ends_the_same(tmp_path, models):
    folder, events = job(tmp_path / "job", photo(*SIZE)), []
    watched = Watched(models)
    with pytest.raises(Cancelled):
        run(folder, watched, events.append, lambda: watched.calls >= 5)
    finished = len([event for event in events if isinstance(event, TaskFinished) and event.stage == "tiles"])
    assert finished == 2
    rest, whole = Watched(models), Watched(models)
    _, upscaled, resumed = run(folder, rest)
    _, _, fresh = run(job(tmp_path / "fresh", photo(*SIZE)), whole)
    assert rest.calls == whole.calls - 2 * finished
    assert rest.enlarged == 0 and whole.enlarged > 0
    assert (resumed == fresh).all() and (resumed != upscaled).any()


def test_a_wide_picture_that_was_painted_over_is_enlarged_anew_only_there(tmp_path, models):
    pixels = photo(1000, 112)
    folder = job(tmp_path / "job", pixels)
    whole, again = Watched(models), Watched(models)
    run(folder, whole, strength=0)
    pixels[5:15, 5:15, :3] = 200
    job(folder, pixels)
    _, upscaled, _ = run(folder, again, strength=0)
    assert 0 < again.enlarged < whole.enlarged
    assert (upscaled == run(job(tmp_path / "fresh", pixels), models, strength=0)[1]).all()


def test_redoing_a_tile_draws_that_one_again_and_changes_no_place_that_it_does_not_reach(tmp_path, models):
    folder = job(tmp_path / "job", photo(*SIZE))
    first = run(folder, models)
    boxes = first[0].summary["stages"]["tiles"]
    redone = Watched(models)
    _, _, again = run(folder, redone, reseeded=[{"x": 0, "y": 0, "seed": 99}])
    assert redone.calls == 2
    width, height = boxes["tile"]
    reach = 96  # of the colour lock
    assert (again[:height, :width] != first[2][:height, :width]).any()
    assert (again[:, width + reach :] == first[2][:, width + reach :]).all()


def test_only_tiles_that_were_painted_over_run_again(tmp_path, models):
    pixels = photo(*SIZE)
    folder = job(tmp_path / "job", pixels)
    whole = Watched(models)
    run(folder, whole)
    pixels[5:15, 5:15, :3] = 200
    job(folder, pixels)
    again = Watched(models)
    _, _, repainted = run(folder, again)
    assert 0 < again.calls < whole.calls / 2
    assert again.enlarged <= whole.enlarged
    assert (repainted == run(job(tmp_path / "fresh", pixels), models)[2]).all()


@pytest.mark.parametrize("request_fields", [{}, {"strength": 1.0}, {"first_pass": True}, {"scale": 1.5}])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_selection_in_reproduce_mode_gives_the_very_pixels_of_a_full_run(tmp_path, models, request_fields, dtype):
    pixels = photo(300, 150, dtype)
    selection = np.zeros((150, 300, 1), np.uint8)
    selection[20:60, 10:70] = 255
    _, whole_upscaled, whole = run(job(tmp_path / "whole", pixels), models, **request_fields)
    watched = Watched(models)
    folder = job(tmp_path / "part", pixels, selection=selection)
    result, upscaled, part = run(folder, watched, soft_edge=0, **request_fields)
    rows, columns = slice(result.y, result.y + result.height), slice(result.x, result.x + result.width)
    assert (part[..., 3] > 0).all() and part.shape[0] < whole.shape[0]
    assert (part[..., :3] == whole[rows, columns, :3]).all()
    assert (upscaled[..., :3] == whole_upscaled[rows, columns, :3]).all()


def test_a_small_selection_of_a_wide_picture_reproduces_it_too(tmp_path, models):
    """Its tiles reach far beyond it: they must see true pixels there."""
    pixels = photo(1100, 120)
    selection = np.zeros((120, 1100, 1), np.uint8)
    selection[40:80, 500:530] = 255
    fields = {"tile_size": 512, "steps": 1}
    _, _, whole = run(job(tmp_path / "whole", pixels), models, **fields)
    result, _, part = run(job(tmp_path / "part", pixels, selection=selection), models, soft_edge=0, **fields)
    rows, columns = slice(result.y, result.y + result.height), slice(result.x, result.x + result.width)
    assert (part[..., :3] == whole[rows, columns, :3]).all()


@pytest.mark.parametrize("batch", [2, 4])
def test_batches_change_at_most_the_last_bits(tmp_path, models, batch):
    pixels = photo(*SIZE, np.float32)
    watched = Watched(models)
    _, _, one_by_one = run(job(tmp_path / "one", pixels), models)
    _, _, batched = run(job(tmp_path / "many", pixels), watched, batch=batch)
    assert max(watched.batches) == batch
    assert np.abs(one_by_one - batched).max() < 1 / 255


def test_flat_tiles_are_left_alone_and_the_plan_says_so(tmp_path, models):
    pixels = photo(400, 112)
    pixels[:, 150:] = pixels[0, 150]
    watched, without = Watched(models), Watched(models)
    result, upscaled, refined = run(job(tmp_path / "job", pixels), watched)
    plan = result.summary["stages"]["tiles"]
    assert plan["flat_tiles"] > 0 and watched.calls == 2 * plan["tiles"]
    assert (refined[:, 600:] == upscaled[:, 600:]).all()
    run(job(tmp_path / "all", pixels), without, skip_flat=False)
    assert without.calls == 2 * (plan["tiles"] + plan["flat_tiles"])


def test_a_transparent_part_costs_nothing(tmp_path, models):
    alpha = np.ones((112, 400), np.float32)
    alpha[:, 150:] = 0
    watched = Watched(models)
    result, _, _ = run(job(tmp_path / "job", photo(400, 112, alpha=alpha)), watched)
    assert result.summary["stages"]["tiles"]["flat_tiles"] > 0


def test_smooth_places_are_refined_less_than_busy_ones(tmp_path, models):
    y, x = np.mgrid[0:112, 0:220].astype(np.float32)
    smooth = np.stack([x / 300, y / 200, (x + y) / 500], 2)
    busy = np.clip(smooth + np.random.default_rng(0).normal(0, 0.03, smooth.shape), 0, 1)
    pixels = np.concatenate([np.where(x[..., None] < 110, smooth, busy), np.ones((112, 220, 1))], 2).astype(np.float32)
    _, upscaled, full = run(job(tmp_path / "full", pixels), models, complexity=False, scale=1)
    _, _, adapted = run(job(tmp_path / "adapted", pixels), models, scale=1)
    left, right = np.s_[:, :80, :3], np.s_[:, 140:, :3]
    assert np.abs(adapted - upscaled)[left].mean() < 0.9 * np.abs(full - upscaled)[left].mean()
    assert np.abs(adapted - full)[right].mean() < 0.2 * np.abs(full - upscaled)[right].mean()


def test_a_strength_map_says_where_to_refine(tmp_path, models):
    strength = np.zeros((112, 300, 1), np.uint8)
    strength[:, :100] = 255
    watched, plain = Watched(models), Watched(models)
    settings = {"complexity": False, "scale": 1, "colour_lock": 0.0}
    folder = job(tmp_path / "job", photo(300, 112), strength=strength)
    _, upscaled, refined = run(folder, watched, **settings)
    run(job(tmp_path / "plain", photo(300, 112)), plain, **settings)
    assert watched.calls < plain.calls
    assert (refined[:, 150:] == upscaled[:, 150:]).all()
    assert (refined[:, :80] != upscaled[:, :80]).any()


def test_half_the_strength_painted_changes_less(tmp_path, models):
    settings = {"complexity": False, "scale": 1, "steps": 4}
    changes = []
    for level in (64, 160, 255):
        strength = np.full((112, 160, 1), level, np.uint8)
        _, upscaled, refined = run(job(tmp_path / f"{level}", photo(), strength=strength), models, **settings)
        changes.append(np.abs(refined.astype(int) - upscaled).mean())
    assert changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("name", ["strength", "region_1"])
def test_maps_of_another_size_are_refused_by_name(tmp_path, models, name):
    folder = job(tmp_path / "job", photo(), **{name: np.zeros((9, 9, 1), np.uint8)})
    with pytest.raises(PictureError, match=rf"{name.replace('_', '-')}.npy is 9 x 9"):
        run(folder, models, regions=[{"prompt": "a"}] if "region" in name else [])


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A tiny SDXL of random weights, which reads prompts."""
    folder = tmp_path_factory.mktemp("models") / "base"
    save_tiny("sdxl", folder)
    return {"base": str(folder), "refiner": "none", "scale": 1, "smallest_side": 64, "strength": 0.5}


def test_a_regions_prompt_concerns_its_region_alone(tmp_path, models, reader):
    mask = np.zeros((112, 400, 1), np.uint8)
    mask[:, :100] = 255
    pixels = photo(400, 112)
    plain = run(job(tmp_path / "plain", pixels), models, **reader)[2]
    watched = Watched(models)
    folder = job(tmp_path / "job", pixels, region_1=mask)
    result, _, refined = run(folder, watched, **reader, regions=[{"prompt": "a b"}])
    assert (refined[:, :90] != plain[:, :90]).any()
    assert (refined[:, 330:] == plain[:, 330:]).all()
    assert watched.calls == result.summary["model_calls"]


def test_the_plan_counts_the_calls_that_are_made(tmp_path, models, reader):
    for number, fields in enumerate(({}, {"guidance_interval": False}, {"sampler": "heun"}, {"strength": 1.0})):
        watched = Watched(models)
        result, _, _ = run(job(tmp_path / f"{number}", photo(*SIZE)), watched, **{**reader, "steps": 4, **fields})
        assert watched.calls == result.summary["model_calls"], fields


def test_the_plan_of_a_selection_counts_the_merged_steps_of_its_neighbours(tmp_path, models, reader):
    selection = np.zeros((112, 300, 1), np.uint8)
    selection[20:60, 10:40] = 255
    watched = Watched(models)
    folder = job(tmp_path / "job", photo(300, 112), selection=selection)
    result, _, _ = run(folder, watched, **{**reader, "steps": 4, "strength": 1.0})
    assert result.summary["stages"]["tiles"]["merged_steps"] > 0
    assert watched.calls == result.summary["model_calls"]


def test_strong_walks_are_merged_over_the_whole_and_say_so(tmp_path, models):
    events = []
    result, upscaled, refined = run(job(tmp_path / "job", photo(*SIZE)), models, events.append, strength=1.0, steps=4)
    merged = result.summary["stages"]["tiles"]["merged_steps"]
    assert merged > 0 and (refined != upscaled).any()
    stages = [event.stage for event in events if isinstance(event, StageStarted)]
    assert stages == ["upscale", "merge", "tiles", "compose"]
    steps = [event.tile for event in events if isinstance(event, TileFinished) and event.stage == "merge"]
    assert steps == list(range(1, merged + 1))


def test_a_picture_can_be_drawn_from_a_prompt_alone(tmp_path, models, reader):
    empty = np.zeros((128, 192, 4), np.uint8)
    empty[..., 3] = 255
    folder = job(tmp_path / "job", empty)
    settings = {**reader, "start": "empty", "steps": 3, "scale": 2}
    result, upscaled, one = run(folder, models, **settings, prompt="a b")
    assert result.summary["stages"]["first_pass"]["sigma"] == pytest.approx(14.61, abs=0.01)
    assert one.shape == (256, 384, 4) and upscaled[..., :3].std() > 1
    assert (run(folder, models, **settings, prompt="c")[2] != one).any()
    other = np.full_like(empty, 255)
    assert (run(job(tmp_path / "other", other), models, **settings, prompt="a b")[2] == one).all()


def test_small_pictures_are_refined_at_a_larger_scale_and_brought_back(tmp_path, models):
    result, upscaled, refined = run(job(tmp_path / "job", photo(60, 40)), models, keep_size=True, smallest_side=128)
    assert result.summary["output"] == [192, 128]
    assert refined.shape == upscaled.shape == (40, 60, 4)


def test_the_profile_and_what_lies_beyond_it_come_back(tmp_path, models):
    pixels = photo(dtype=np.float32)
    pixels[40:60, 40:60, :3] = 3.5
    _, upscaled, refined = run(job(tmp_path / "job", pixels), models, strength=0, scale=1)
    assert np.abs(refined - pixels).max() < 1e-5
    assert (refined == upscaled).all()
