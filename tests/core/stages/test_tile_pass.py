import numpy as np
import pytest
import torch

from scumble_core.errors import Cancelled
from scumble_core.models.library import ModelCache
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.plan.job import plan_job
from scumble_core.request import RefineRequest
from scumble_core.stages.tile_pass import TileRefiner, TileSettings, lock_colour


@pytest.fixture(scope="module")
def model():
    return ModelCache().latent_model("starter", "starter-refiner")


def refiner(model, seed=0, origin=None, cancelled=lambda: False, strength=0.25):
    run = plan_job(RefineRequest(strength=strength, scale=1, tile_size=128, steps=2), Extent(128, 128)).tile_pass
    return TileRefiner(model, TileSettings(run, seed, "", "", origin or Point(0, 0)), cancelled)


def picture(seed=0, side=128):
    return np.random.default_rng(seed).random((side, side, 3), np.float32) * 0.2 + 0.4


def test_a_tile_depends_on_its_pixels_place_settings_and_seed_alone(model):
    box = Bounds(0, 0, 128, 128)
    first = refiner(model).refine(picture(), box)
    refiner(model).refine(picture(1), Bounds(128, 0, 128, 128))
    assert (refiner(model).refine(picture(), box) == first).all()
    assert (refiner(model, seed=1).refine(picture(), box) != first).any()
    assert (refiner(model).refine(picture(), box.translate(16, 0)) != first).any()


def test_a_crop_of_the_canvas_gives_the_tile_the_same_noise(model):
    canvas = refiner(model).refine(picture(), Bounds(64, 32, 128, 128))
    crop = refiner(model, origin=Point(64, 32)).refine(picture(), Bounds(0, 0, 128, 128))
    assert (canvas == crop).all()


def test_cancelling_works_between_model_calls(model):
    calls = iter([False, True])
    with pytest.raises(Cancelled):
        refiner(model, cancelled=lambda: next(calls)).refine(picture(), Bounds(0, 0, 128, 128))


def test_the_colour_lock_puts_tone_back_and_leaves_detail():
    source = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    detail = torch.zeros_like(source)
    detail[..., ::2, ::2] = 0.02
    detail -= detail.mean()
    locked = lock_colour(source + detail + 0.1, source)
    assert locked.mean((2, 3)).numpy() == pytest.approx(source.mean((2, 3)).numpy(), abs=2e-3)
    assert (locked - source).numpy() == pytest.approx(detail.numpy(), abs=4e-3)


class _NanOnce:
    """The real model, whose answers are NaN until it is asked to be precise: a half-precision overflow, injected."""

    def __init__(self, model):
        self._model = model
        self.was_precise = False

    def __getattr__(self, name):
        return getattr(self._model, name)

    def denoise(self, x, sigma, conditioning):
        x0 = self._model.denoise(x, sigma, conditioning)
        return x0 if self.was_precise else x0 * float("nan")

    def precise(self):
        self.was_precise = True
        return self._model.precise()


def test_a_tile_that_comes_out_as_nan_runs_again_in_full_precision(model):
    nan = _NanOnce(model)
    assert np.isfinite(refiner(nan).refine(picture(), Bounds(0, 0, 128, 128))).all()
    assert nan.was_precise
