"""A tile is a pure task of its pixels, place, seed and settings. With an exact model and the starter's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.core.stages.exact import FACTS, ExactModel
from tests.core.stages.tiles import BOX, WALK, picture, refiner, tile

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.models.cache import ModelCache
from scumble_core.picture.geometry import Bounds, Point
from scumble_core.sampling.names import SAMPLER_NAMES


@pytest.fixture(scope="module")
def starter():
    return ModelCache().latent_model("starter", "starter-refiner")


def test_a_tile_depends_on_its_pixels_place_seed_and_settings_alone(starter):
    box = Bounds(0, 0, 128, 128)
    (first,) = refiner(starter, side=128).refine([tile(box)])
    used = refiner(starter, side=128)
    used.refine([tile(box.translate(128, 0), pixels=1)])
    assert first.shape == (128, 128, 3) and first.min() >= 0 and first.max() <= 1
    assert (used.refine([tile(box)])[0] == first).all()
    others = [tile(box, seed=8), tile(box, pixels=1), tile(box.translate(16, 0))]
    for other in others:
        assert (used.refine([other])[0] != first).any()
    assert (refiner(starter, replace(WALK, sampler="heun"), side=128).refine([tile(box)])[0] != first).any()


def test_a_crop_of_the_canvas_gives_a_tile_the_same_noise(starter):
    box = Bounds(64, 32, 128, 128)
    (canvas,) = refiner(starter, side=128).refine([tile(box)])
    (crop,) = refiner(starter, origin=Point(64, 32), side=128).refine([tile(Bounds(0, 0, 128, 128))])
    assert (canvas == crop).all()


@pytest.mark.parametrize("origin", range(-9, 9))
def test_places_on_the_latent_grid_keep_their_distances_wherever_the_origin_lies(origin):
    one = refiner(ExactModel(), origin=Point(origin, -origin))
    places = [one.place(Bounds(x, x, 8, 8)) for x in range(-8, 16, 2)]
    assert (
        np.diff([place.x for place in places]).tolist() == np.diff([place.y for place in places]).tolist() == [1] * 11
    )
    assert abs(places[4].x * FACTS.factor - origin) <= FACTS.factor / 2


@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
def test_a_batch_is_its_tiles_one_by_one(sampler):
    tiles = [tile(Bounds(x, 0, 64, 64), seed, pixels) for x, seed, pixels in ((0, 7, 0), (48, 7, 1), (96, 99, 2))]
    model = ExactModel()
    one = refiner(model, replace(WALK, sampler=sampler))
    together = one.refine(tiles)
    assert {shape[0] for _, _, shape in model.calls} == {3}
    for each, alone in zip(together, (one.refine([each])[0] for each in tiles), strict=True):
        assert np.abs(each - alone).max() < 1e-6


def test_cancelling_works_between_model_calls():
    calls, model = iter([False, True]), ExactModel()
    with pytest.raises(Cancelled):
        refiner(model, cancelled=lambda: next(calls)).refine([tile()])
    assert len(model.calls) == 1


def test_a_batch_that_memory_does_not_hold_is_done_one_by_one_and_not_tried_again():
    tiles = [tile(), tile(BOX.translate(48, 0))]
    model = ExactModel(most_batch=1)
    one = refiner(model)
    wanted = refiner(ExactModel()).refine(tiles)
    for _ in range(2):
        assert all((got == each).all() for got, each in zip(one.refine(tiles), wanted, strict=True))
    assert not one._batches


def test_a_batch_with_nan_is_done_tile_by_tile():
    tiles = [tile(), tile(BOX.translate(48, 0))]
    model = ExactModel(nans=1)
    assert all(np.isfinite(each).all() for each in refiner(model).refine(tiles))
    assert model.precise_times == 0  # it was but once
    stubborn = ExactModel(nans=10**6)
    assert all(np.isfinite(each).all() for each in refiner(stubborn).refine(tiles))
    assert stubborn.precise_times == 2


def test_where_nothing_helps_the_error_names_the_tile():
    broken = ExactModel(nans=10**6, precision_helps=False)
    with pytest.raises(ScumbleError, match="tile at 48, 16 came out as NaN"):
        refiner(broken).refine([tile(BOX.translate(48, 16))])
    with pytest.raises(ScumbleError, match="memory ran out at the tile at 48, 16, even in windows of 64") as caught:
        refiner(ExactModel(most=4)).refine([tile(BOX.translate(48, 16))])
    assert caught.value.code == "out_of_memory"


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_3m_sde", "uni_pc"])
def test_windows_for_want_of_memory_give_the_same_where_pixels_know_nothing_of_each_other(sampler):
    big = Bounds(0, 0, 512, 512)
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (256, 1))
    maps = {"shares": (ramp, 1 - ramp), "starts": 0.7 * ramp.T.copy()}
    walk = replace(WALK, sampler=sampler, guidance=2.0)
    tight = ExactModel(most=200)
    pair = [
        refiner(model, walk, side=512, prompts=("0.1", "0.6")).refine([tile(big, **maps)])[0]
        for model in (ExactModel(), tight)
    ]
    assert np.abs(pair[0] - pair[1]).max() < 1e-4
    assert max(max(shape[-2:]) for _, _, shape in tight.calls) <= 200


def test_a_prompt_that_counts_nowhere_in_a_tile_is_not_asked():
    ones, zeros = np.ones((32, 32), np.float32), np.zeros((32, 32), np.float32)
    model = ExactModel()
    one = refiner(model, prompts=("0.1", "0.6", "0.9"))
    (alone,) = one.refine([tile(shares=(zeros, ones, zeros))])
    assert {text for text, _, _ in model.calls} == {"0.6"} and len(model.calls) == WALK.calls()
    (plain,) = refiner(ExactModel(), prompts=("0.6",)).refine([tile()])
    assert (alone == plain).all()
    model.calls.clear()
    one.refine([tile(shares=(zeros, ones / 2, ones / 2))])
    assert len(model.calls) == WALK.calls(2)


def test_a_place_that_never_joins_comes_back_as_it_was():
    starts = np.full((32, 32), WALK.sigmas[0], np.float32)
    starts[:, 16:] = 0
    (out,) = refiner(ExactModel()).refine([tile(starts=starts)])
    (plain,) = refiner(ExactModel()).refine([tile()])
    assert np.abs(out[:, 32:] - picture()[:, 32:]).max() < 1e-5
    assert (out[:, :32] == plain[:, :32]).all()


@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
def test_when_all_steps_were_merged_a_tile_is_only_decoded(sampler):
    model = ExactModel()
    noisy = np.random.default_rng(0).normal(0, 0.3, (12, 32, 32)).astype(np.float32)
    walk = replace(WALK, sampler=sampler, merged=WALK.steps)
    (out,) = refiner(model, walk).refine([tile(noisy=noisy)])
    wanted = ExactModel().decode(torch.from_numpy(noisy)[None])[0].numpy().transpose(1, 2, 0).clip(0, 1)
    assert (out == wanted).all() and not model.calls
