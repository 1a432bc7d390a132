"""The main job on real starter models."""

import numpy as np
import pytest
import torch
from tests.core.jobs_on_disk import job, names, photo, run
from tests.core.models.tiny import save_tiny
from tests.core.models.watched import Watched

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import Finished, StageStarted, TileFinished, TilePreview
from scumble_core.models.cache import ModelCache


@pytest.fixture(scope="module")
def models():
    return ModelCache()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_two_pictures_of_the_asked_size_in_the_sources_own_depth(tmp_path, models, dtype):
    result, upscaled, refined = run(job(tmp_path / "job", photo(dtype=dtype)), models)
    assert (result.x, result.y, result.width, result.height) == (0, 0, 320, 224)
    assert upscaled.shape == refined.shape == (224, 320, 4)
    assert upscaled.dtype == refined.dtype == dtype
    assert (upscaled[..., :3] != refined[..., :3]).any()
    top = 1 if dtype is np.float32 else np.iinfo(dtype).max
    assert (refined[..., 3] == top).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 200), (17, 5), (150, 20)])
def test_pictures_smaller_than_a_tile_and_of_any_aspect(tmp_path, models, width, height):
    _, upscaled, refined = run(job(tmp_path / "job", photo(width, height)), models)
    assert refined.shape == upscaled.shape == (2 * height, 2 * width, 4)
    difference = np.abs(refined[..., :3].astype(int).mean((0, 1)) - upscaled[..., :3].mean((0, 1)))
    assert difference.max() < 12


def test_strength_0_gives_the_upscale_twice(tmp_path, models):
    _, upscaled, refined = run(job(tmp_path / "job", photo()), models, strength=0)
    assert (upscaled == refined).all()


def test_the_same_request_gives_the_same_bytes_and_another_seed_others(tmp_path, models):
    folder = job(tmp_path / "job", photo())
    first, again, other = (run(folder, models, seed=seed)[2] for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()


def test_another_sampler_gives_another_picture_of_the_same_thing(tmp_path, models):
    folder = job(tmp_path / "job", photo())
    plain = run(folder, models)[2].astype(int)
    for name in ("euler_ancestral", "heun", "dpmpp_2m_sde", "uni_pc"):
        other = run(folder, models, sampler=name)[2]
        # UniPC is of second order as the default is: on so smooth a picture both come to the same 8 bits.
        assert (plain != other).any() or name == "uni_pc"
        assert np.abs(plain - other).mean() < 6


def test_alpha_comes_back_in_shape_and_hidden_colour_does_not_bleed(tmp_path, models):
    alpha = np.zeros((112, 160), np.float32)
    alpha[30:80, 40:120] = 1
    pixels = photo(alpha=alpha)
    pixels[alpha == 0, :3] = 0
    _, upscaled, refined = run(job(tmp_path / "job", pixels), models)
    assert (refined[..., 3] == upscaled[..., 3]).all()
    assert (refined[70:150, 90:230, 3] == 255).all()
    assert (refined[:50, :, 3] == 0).all()
    edge = refined[62:158, 82:238][refined[62:158, 82:238, 3] > 128][:, :3]
    assert edge.min() > 25  # black from under alpha 0 would pull the edge down


def test_keep_size_brings_both_back(tmp_path, models):
    result, upscaled, refined = run(job(tmp_path / "job", photo()), models, keep_size=True)
    assert (result.width, result.height) == (160, 112)
    assert upscaled.shape == refined.shape == (112, 160, 4)
    assert np.abs(upscaled.astype(int) - photo().astype(int)).mean() < 4


def test_a_selection_confines_the_results(tmp_path, models):
    selection = np.zeros((112, 160, 1), np.uint8)
    selection[20:70, 30:100] = 255
    result, _, refined = run(job(tmp_path / "job", photo(), selection=selection), models, keep_size=True)
    assert (result.x, result.y, result.width, result.height) == (30, 20, 70, 50)
    assert refined.shape == (50, 70, 4)
    assert refined[25, 35, 3] == 255
    assert refined[0, 35, 3] < 128


def test_a_selection_of_the_whole_canvas_equals_a_canvas_run(tmp_path, models):
    everything = np.full((112, 160, 1), 255, np.uint8)
    _, _, canvas = run(job(tmp_path / "canvas", photo()), models)
    _, _, selection = run(job(tmp_path / "selection", photo(), selection=everything), models)
    assert (canvas == selection).all()


def test_the_first_pass_changes_the_upscale_too(tmp_path, models):
    folder = job(tmp_path / "job", photo())
    plain, first = (run(folder, models, first_pass=first_pass)[1] for first_pass in (False, True))
    assert plain.shape == first.shape
    assert (plain != first).any()


def test_events_tell_stages_tiles_previews_and_the_end(tmp_path, models):
    events = []
    run(job(tmp_path / "job", photo()), models, events.append)
    assert [event.stage for event in events if isinstance(event, StageStarted)] == ["upscale", "tiles", "compose"]
    tiles = [event for event in events if isinstance(event, TileFinished) and event.stage == "tiles"]
    assert [event.tile for event in tiles] == list(range(1, tiles[0].tiles + 1))
    previews = [event for event in events if isinstance(event, TilePreview)]
    assert len(previews) > len(tiles)
    assert all(preview.pixels.dtype == np.uint8 and max(preview.pixels.shape) <= 256 for preview in previews)
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("calls", [0, 1, 3, 9])
def test_cancelling_at_any_time_leaves_no_results(tmp_path, models, calls):
    folder = job(tmp_path / "job", photo())
    left = iter([False] * calls)
    with pytest.raises(Cancelled):
        run(folder, models, cancelled=lambda: next(left, True))
    assert names(folder) == ["source.npy", "tiles"]


def test_a_nan_in_the_source_is_refused_and_nothing_is_left(tmp_path, models):
    pixels = photo(dtype=np.float32)
    pixels[3, 5, 0] = np.nan
    folder = job(tmp_path / "job", pixels)
    with pytest.raises(ScumbleError, match="at 5, 3"):
        run(folder, models)
    assert names(folder) == ["source.npy", "tiles"]


OUT_OF_MEMORY = torch.OutOfMemoryError("CUDA out of memory")


def test_a_tile_that_does_not_fit_into_memory_is_refined_in_windows_and_hardly_differs(tmp_path, models):
    pixels, settings = photo(300, 200), {"tile_size": 640, "complexity": False}
    _, _, roomy = run(job(tmp_path / "roomy", pixels), models, **settings)
    tight = Watched(models, OUT_OF_MEMORY, most=100)
    _, upscaled, refined = run(job(tmp_path / "tight", pixels), tight, **settings)
    apart = np.abs(roomy.astype(int) - refined).mean()
    assert 0 < apart < np.abs(roomy.astype(int) - upscaled).mean() / 4


def test_where_no_window_helps_the_error_names_the_tile_and_finished_tiles_stay(tmp_path, models):
    folder = job(tmp_path / "job", photo())
    with pytest.raises(ScumbleError, match="at the tile at 0, 96, even in windows of 128 pixels") as caught:
        run(folder, Watched(models, OUT_OF_MEMORY, after=6))
    assert caught.value.code == "out_of_memory"
    assert len(names(folder / "tiles")) == 1 + 3  # the upscaler's, and the refined ones
    rest = Watched(models)
    _, _, resumed = run(folder, rest)
    whole = Watched(models)
    _, _, fresh = run(job(tmp_path / "fresh", photo()), whole)
    assert rest.calls == whole.calls - 6
    assert (resumed == fresh).all()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OUT_OF_MEMORY, "out_of_memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "worker_died"),
        (RuntimeError("something else"), "internal"),
    ],
)
def test_a_failing_device_is_explained_and_leaves_no_results(tmp_path, models, error, code):
    folder = job(tmp_path / "job", photo())
    with pytest.raises(ScumbleError) as caught:
        run(folder, Watched(models, error))
    assert caught.value.code == code
    assert names(folder) == ["source.npy", "tiles"]


def test_overlapping_tiles_agree_so_that_no_seam_shows(tmp_path, models):
    """Steps across the blend zones of the change that refining made are no larger than elsewhere."""
    _, upscaled, refined = run(job(tmp_path / "job", photo(260, 180)), models, scale=1, upscaler="none", steps=4)
    change = refined[..., :3].astype(np.float32) - upscaled[..., :3]
    steps = np.abs(np.diff(change, axis=1)).mean((0, 2))
    assert steps.max() < 3 * np.median(steps)


def test_prompts_guide_models_that_read_them(tmp_path, models):
    """SDXL and its refiner (tiny, random weights) over the whole job: base above the handover, refiner below."""
    save_tiny("sdxl", tmp_path / "base")
    save_tiny("sdxl-refiner", tmp_path / "refiner")
    pair = {
        "base": str(tmp_path / "base"),
        "refiner": str(tmp_path / "refiner"),
        "scale": 1,
        "strength": 0.5,
        "smallest_side": 64,
    }
    folder = job(tmp_path / "job", photo())
    plain, again, positive, negative = (
        run(folder, models, **pair, **prompts)[2]
        for prompts in ({}, {}, {"prompt": "a b"}, {"negative_prompt": "c c d"})
    )
    assert (plain == again).all()
    assert (plain != positive).any()
    assert (plain != negative).any()
