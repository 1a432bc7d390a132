"""Jobs in the reference's own way: its phases, boxes, sizes, rounding and stitching, over real files."""

import numpy as np
import pytest
import torch
from tests.core.jobs_on_disk import job, names, photo
from tests.core.models.tiny import save_tiny
from tests.core.models.watched import Watched

from scumble_core.errors import ScumbleError
from scumble_core.mikey.complexity import complexity
from scumble_core.mikey.noise import first_noise
from scumble_core.mikey.phases import Settings, first_phases
from scumble_core.mikey.walk import run_phase
from scumble_core.models.cache import ModelCache
from scumble_core.picture.geometry import Extent
from scumble_core.pipeline import run_job
from scumble_core.request import RefineRequest

PRESETS = ("mikey", "mikey-base-only", "mikey-advanced", "mikey-advanced-base-only")


@pytest.fixture(scope="module")
def models():
    return ModelCache()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A tiny SDXL and its refiner, of random weights."""
    folder = tmp_path_factory.mktemp("models")
    save_tiny("sdxl", folder / "base")
    save_tiny("sdxl-refiner", folder / "refiner")
    return {"base": str(folder / "base"), "refiner": str(folder / "refiner"), "upscaler": "starter-x2"}


def run(folder, models, preset, **fields):
    request = RefineRequest.from_dict({"preset": preset, **fields})
    result = run_job(folder, request, models, lambda event: None, lambda: False)
    return result, np.load(folder / "upscaled.npy"), np.load(folder / "refined.npy")


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_gives_both_pictures_at_the_references_size(tmp_path, models, pair, preset):
    folder = job(tmp_path / "job", photo(76, 92))
    result, upscaled, refined = run(folder, models, preset, **pair, scale=1.5)
    assert upscaled.shape == refined.shape == (88 * 3 // 2 // 8 * 8, 72 * 3 // 2 // 8 * 8, 4)
    assert (upscaled != refined).any()
    assert (run(folder, models, preset, **pair, scale=1.5)[2] == refined).all()
    assert (run(folder, models, preset, **pair, scale=1.5, seed=2**64 - 1)[2] != refined).any()
    assert result.summary["preset"] == preset


def test_the_phases_are_the_references_on_the_whole_latent(tmp_path, models, pair):
    """Denoise 1 from an empty latent, at scale 1 without an upscaler: what run_phase gives, in 8 bits."""
    folder = job(tmp_path / "job", photo(64, 64))
    fields = {**pair, "upscaler": "none", "start": "empty", "steps": 4, "prompt": "a b", "strength": 0.0, "seed": 5}
    _, upscaled, _ = run(folder, models, "mikey-advanced-base-only", **fields)
    model = models.latent_model(pair["base"])
    prompts = model.encode_prompt("a b", Extent(64, 64)), model.encode_prompt("", Extent(64, 64), negative=True)
    (phase,) = first_phases("mikey-advanced-base-only", Settings(steps=4))
    latent = run_phase(model.denoise, *prompts, torch.zeros(1, 4, 8, 8), phase, 5, model.sigma_table)
    pixels = model.decode(latent)[0].clamp(0, 1).numpy().transpose(1, 2, 0)
    assert (upscaled[..., :3] == np.floor(pixels * np.float32(255)).astype(np.uint8)).all()


def test_noise_is_the_same_in_every_tile(tmp_path, models, pair):
    """Two places that look alike come out alike: the pattern that Scumble's own way does not have."""
    pixels = np.full((64, 512, 4), 255, np.uint8)
    pixels[..., :3] = np.random.default_rng(0).integers(90, 110, (64, 1, 3))
    fields = {**pair, "upscaler": "none", "steps": 3, "first_pass_strength": 0.0, "strength": 1.0, "tile_size": 256}
    _, _, refined = run(job(tmp_path / "job", pixels), models, "mikey-advanced-base-only", **fields)
    # Boxes at 0, 128 and 256: none of them is feathered in its last eighths.
    assert (refined[:, 384:] == refined[:, 384 - 128 : 512 - 128]).mean() > 0.2
    assert first_noise(5, (1, 4, 2, 2)).equal(first_noise(5, (1, 4, 2, 2)))


def test_complexity_overrides_the_strength_of_simple_tiles(tmp_path, models):
    flat, busy = np.full((64, 64, 4), 255, np.uint8), photo(64, 64)
    busy[..., :3] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    assert complexity(flat[..., :3]) < 6.5 and complexity(busy[..., :3]) > 8
    fields = {"upscaler": "none", "steps": 2, "first_pass_strength": 0.0, "strength": 0.5}
    calls = {}
    for name, pixels in (("flat", flat), ("busy", busy)):
        for counts in (True, False):
            watched = Watched(models)
            run(job(tmp_path / f"{name}{counts}", pixels), watched, "mikey-advanced", **fields, complexity=counts)
            calls[name, counts] = watched.calls
    # The phases cost the same in all four; ten steps of both prompts on the tile, or two on a simple one.
    assert calls["busy", True] == calls["busy", False] == calls["flat", False] == calls["flat", True] + 2 * (10 - 2)


@pytest.mark.parametrize("side", [64, 1000])
def test_sides_shorter_than_a_tile_do_not_crash(tmp_path, models, side):
    folder = job(tmp_path / "job", photo(side, 64))
    fields = {"upscaler": "none", "steps": 1, "first_pass_strength": 0.0, "strength": 1.0}
    result, _, refined = run(folder, models, "mikey-advanced-base-only", **fields)
    assert refined.shape == (64, side, 4)
    assert result.summary["stages"]["tiles"]["tiles"] == 1


def test_finished_tiles_are_found_again(tmp_path, models):
    folder = job(tmp_path / "job", photo(64, 400))
    fields = {"upscaler": "none", "steps": 2, "first_pass_strength": 0.0, "strength": 0.5, "tile_size": 256}
    run(folder, models, "mikey-advanced-base-only", **fields)
    again = Watched(models)
    run(folder, again, "mikey-advanced-base-only", **fields)
    assert again.calls == 0 and len(names(folder / "tiles")) == 3


def test_alpha_and_a_selection_come_back_beside_the_colour(tmp_path, models):
    alpha = np.zeros((64, 96), np.float32)
    alpha[:, 40:] = 1
    selection = np.zeros((64, 96, 1), np.uint8)
    selection[16:48, 32:80] = 255
    fields = {"upscaler": "none", "steps": 1, "first_pass_strength": 0.0, "strength": 1.0, "keep_size": True}
    folder = job(tmp_path / "job", photo(96, 64, alpha=alpha), selection=selection)
    result, _, refined = run(folder, models, "mikey-advanced-base-only", **fields)
    assert (result.x, result.y, result.width, result.height) == (32, 16, 48, 32)
    assert refined[16, 24, 3] == 255 and refined[16, 2, 3] == 0


def test_16_bits_are_not_cut_to_8(tmp_path, models):
    fields = {"upscaler": "none", "first_pass_strength": 0.0, "strength": 0.0, "steps": 1}
    _, upscaled, _ = run(job(tmp_path / "job", photo(64, 64, np.uint16)), models, "mikey-advanced-base-only", **fields)
    assert upscaled.dtype == np.uint16 and (upscaled[..., :3] % 257 != 0).any()


def test_a_preset_that_needs_a_refiner_says_so_before_any_work(tmp_path, models, pair):
    folder = job(tmp_path / "job", photo(64, 64))
    with pytest.raises(ScumbleError, match="needs one"):
        run(folder, models, "mikey", **{**pair, "refiner": "none"})


def test_a_picture_too_small_for_a_latent_is_refused(tmp_path, models):
    with pytest.raises(ScumbleError, match="4 x 64, but the preset mikey works in steps of 8 pixels"):
        run(job(tmp_path / "job", photo(4, 64)), models, "mikey")
