"""A pass tile by tile: pure tasks that are found again, and tiles that agree. With an exact model and the starter's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.core.pictures import stored
from tests.core.stages.exact import FACTS, ExactModel

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.models.cache import ModelCache
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Picture
from scumble_core.plan.passes import RefinePass, Walk
from scumble_core.plan.tiles import TileLimits, plan_tiles
from scumble_core.request import Reseeded
from scumble_core.sampling.levels import falling, start_level, training_levels
from scumble_core.sampling.names import SAMPLER_NAMES
from scumble_core.stages.evened import REACH
from scumble_core.stages.maps import Maps
from scumble_core.stages.store import TileStore, untold
from scumble_core.stages.tile import Tile, TileRefiner, TileSettings
from scumble_core.stages.tile_pass import TilePass, TileSeeds

BOX = Bounds(0, 0, 64, 64)
WALK = Walk("euler", falling(training_levels(), 0.6, 3), 1.0, (0.0, 9.0))


def going_on():
    return False


def refiner(model, walk=WALK, origin=Point(0, 0), cancelled=going_on, side=64, prompts=("0.1",)):  # noqa: B008
    return TileRefiner(model, TileSettings(walk, Extent(side, side), prompts, "-0.5", origin), cancelled)


def tile(box=BOX, seed=7, pixels=0, **maps):
    return Tile(box, picture(pixels, box.width, box.height), seed, **maps)


def picture(seed=0, width=64, height=64):
    return 0.4 + np.random.default_rng(seed).random((height, width, 3), np.float32) * 0.2


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


class Pass:
    """A pass over a picture in a folder, run as often as one likes."""

    def __init__(self, folder, model=None, width=160, height=112, pixels=None, **changes):
        grid = plan_tiles(Extent(width, height), TileLimits(4, 16, 64, 64 * 64, 4.0))
        self.run = replace(RefinePass(grid, tuple(grid.boxes()), frozenset(), WALK, 0.5, 1), **changes)
        self.folder, self.model = folder, ExactModel() if model is None else model
        folder.mkdir(exist_ok=True)
        self.pixels = picture(0, width, height) if pixels is None else pixels
        self.picture = stored(folder / "picture.npy", self.pixels)
        self.store = TileStore(folder / "tiles")
        self.origin, self.seeds, self.task, self.maps = Point(0, 0), TileSeeds(7), {"models": "exact"}, {}
        self.done, self.runs = [], 0

    def refined(self, done=None, told=untold):
        """All of it, H x W x 3."""
        self.runs += 1
        work = self.folder / f"work-{self.runs}"
        work.mkdir()
        extent = self.picture.extent
        maps = Maps(source=extent, extent=extent, factor=2, share=0.5, **self.maps)
        tiles = refiner(self.model, self.run.walk, self.origin)
        one = TilePass(self.picture, self.run, tiles, maps, self.seeds, self.store, self.task)
        if self.run.walk.merged:
            one.merge(work, lambda bounds: None)
        target = Picture.create(work / "out.npy", extent, 3, "float32")
        one.refine(target, done or (lambda box, pixels: self.done.append(box)), told)
        return target.read(target.bounds)

    def untiled(self):
        whole = Extent(self.picture.extent.width, self.picture.extent.height)
        one = TileRefiner(
            self.model, TileSettings(replace(self.run.walk, merged=0), whole, ("0.1",), "-0.5", self.origin), going_on
        )
        return one.refine([Tile(Bounds.of(whole), self.pixels, self.seeds.seed)])[0]


STRONG = replace(WALK, sigmas=falling(training_levels(), 4.0, 6), merged=4)


@pytest.mark.parametrize("walk", [WALK, replace(WALK, sampler="dpmpp_2m_sde")])
def test_tiles_agree_so_that_the_whole_is_as_if_untiled(tmp_path, walk):
    """Where pixels know nothing of each other: anchored noise leaves no trace of the tiles."""
    one = Pass(tmp_path, walk=walk)
    assert np.abs(one.refined() - one.untiled()).max() < 1e-5


def test_a_strong_walk_is_as_if_untiled_too(tmp_path):
    one = Pass(tmp_path, walk=STRONG)
    assert np.abs(one.refined() - one.untiled()).max() < 1e-4


@pytest.mark.parametrize("walk", [WALK, STRONG])
def test_what_was_done_once_is_not_done_again(tmp_path, walk):
    one = Pass(tmp_path, walk=walk)
    first = one.refined()
    calls = len(one.model.calls)
    assert calls == one.run.model_calls
    assert (one.refined() == first).all()
    assert len(one.model.calls) == calls
    assert one.done == 2 * list(one.run.boxes)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(path.read_bytes()[:-9]), Path.unlink])
def test_a_tile_damaged_between_two_runs_is_done_again_and_no_other(tmp_path, spoil):
    one, told = Pass(tmp_path), []
    first = one.refined(told=lambda *task: told.append(task))
    calls = len(one.model.calls)
    spoil(tmp_path / "tiles" / f"{told[2][0]}.npy")
    assert (one.refined(told=lambda *task: told.append(task)) == first).all()
    assert len(one.model.calls) == calls + WALK.calls()
    again = told[len(one.run.boxes) :]
    assert [box for box, how in ((box, how) for _, box, _, how in again) if how == "done"] == [one.run.boxes[2]]


def test_a_disk_that_loses_what_it_was_given_spoils_no_picture(tmp_path, monkeypatch):
    """Tiles are laid as the model made them, and read only when another run needs them."""
    one, put = Pass(tmp_path / "one"), TileStore.put

    def put_and_spoil(store, key, values):
        put(store, key, values)
        (tmp_path / "one" / "tiles" / f"{key}.npy").write_bytes(b"no tile")

    with monkeypatch.context() as bad_disk:
        bad_disk.setattr(TileStore, "put", put_and_spoil)
        refined = one.refined()
    assert (refined == Pass(tmp_path / "whole").refined()).all()
    assert (one.refined() == refined).all()


def test_a_disk_that_is_full_is_an_error_and_what_was_kept_before_is_found_again(tmp_path, monkeypatch):
    one, put, left = Pass(tmp_path), TileStore.put, iter(range(3))

    def put_until_full(store, key, values):
        if next(left, None) is None:
            raise ScumbleError("disk_full", "The disk is full.")
        put(store, key, values)

    with monkeypatch.context() as small_disk:
        small_disk.setattr(TileStore, "put", put_until_full)
        with pytest.raises(ScumbleError, match="full"):
            one.refined()
    told = []
    one.refined(told=lambda *task: told.append(task))
    assert [how for *_, how in told] == ["kept"] * 3 + ["done"] * (len(one.run.boxes) - 3)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_failing_model_loses_no_tile_that_it_finished(tmp_path, batch):
    model = ExactModel()
    one, told = Pass(tmp_path, model, batch=batch), []
    denoise, calls = model.denoise, iter(range(WALK.calls()))

    def denoise_once(*given):
        if next(calls, None) is None:
            raise RuntimeError("lost")
        return denoise(*given)

    model.denoise = denoise_once
    with pytest.raises(RuntimeError, match="lost"):
        one.refined(told=lambda *task: told.append(task))
    assert [box for _, box, _, _ in told] == list(one.run.boxes[:batch])
    assert len(list((tmp_path / "tiles").glob("*.npy"))) == batch


@pytest.mark.parametrize("walk", [WALK, STRONG])
def test_every_task_is_told_of_as_done_and_the_next_time_as_kept(tmp_path, walk):
    one, told = Pass(tmp_path, walk=walk), []
    for _ in range(2):
        one.refined(told=lambda *task: told.append(task))
    half = len(told) // 2
    assert [how for *_, how in told] == ["done"] * half + ["kept"] * half
    assert [key for key, *_ in told[:half]] == [key for key, *_ in told[half:]]
    assert [seconds for _, _, seconds, _ in told[half:]] == [0.0] * half


@pytest.mark.parametrize("walk", [WALK, STRONG])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_pass_that_was_stopped_goes_on_and_ends_the_same(tmp_path, walk, batch):
    one = Pass(tmp_path / "stopped", walk=walk, batch=batch)
    left = iter(range(3))

    def stop(box, pixels):
        if next(left, None) is None:
            raise Cancelled

    with pytest.raises(Cancelled):
        one.refined(stop)
    whole = Pass(tmp_path / "whole", walk=walk, batch=batch)
    assert np.abs(one.refined() - whole.refined()).max() < 1e-6
    # The tile that was told of last lies in the store as well: nothing finished is lost.
    assert len(list((tmp_path / "stopped" / "tiles").iterdir())) == len(list((tmp_path / "whole" / "tiles").iterdir()))


@pytest.mark.parametrize("walk", [WALK, STRONG])
def test_a_part_of_the_boxes_gets_what_it_gets_in_the_whole_to_the_bit(tmp_path, walk):
    whole = Pass(tmp_path / "whole", ExactModel(blur=True), walk=walk)
    middle = whole.run.boxes[4]
    part = Pass(tmp_path / "part", ExactModel(blur=True), walk=walk, boxes=(middle,))
    part.refined()
    whole.refined()
    names = {path.name for path in (tmp_path / "whole" / "tiles").iterdir()}
    assert {path.name for path in (tmp_path / "part" / "tiles").iterdir()} <= names


@pytest.mark.parametrize(
    "change",
    [
        lambda one: setattr(one, "task", {"models": "others"}),
        lambda one: setattr(one, "origin", Point(16, 0)),
        lambda one: setattr(one, "seeds", TileSeeds(8)),
        lambda one: setattr(one, "run", replace(one.run, walk=replace(WALK, guidance=2.0))),
        lambda one: setattr(one, "run", replace(one.run, walk=replace(WALK, sigmas=(0.5, 0.1, 0.0)))),
        lambda one: setattr(one, "run", replace(one.run, batch=2)),
    ],
)
def test_whatever_determines_tiles_makes_other_tasks(tmp_path, change):
    one = Pass(tmp_path)
    one.refined()
    count = len(list((tmp_path / "tiles").iterdir()))
    change(one)
    one.refined()
    assert len(list((tmp_path / "tiles").iterdir())) == 2 * count


def test_only_tiles_whose_pixels_changed_run_again(tmp_path):
    one = Pass(tmp_path)
    one.refined()
    calls = len(one.model.calls)
    one.picture.write(Bounds(150, 100, 1, 1), np.zeros((1, 1, 3), np.float32))
    one.refined()
    touched = [box for box in one.run.boxes if not box.intersect(Bounds(150, 100, 1, 1)).is_empty]
    assert len(one.model.calls) - calls == len(touched) * WALK.calls() > 0


def test_a_tile_drawn_anew_changes_only_where_it_lies(tmp_path):
    one = Pass(tmp_path)
    first = one.refined()
    box = one.run.boxes[1]
    one.seeds = TileSeeds(7, (Reseeded(box.x, box.y, 99), Reseeded(1, 1, 5)))
    calls = len(one.model.calls)
    again = one.refined()
    assert len(one.model.calls) - calls == WALK.calls()
    reached = np.zeros(first.shape[:2], bool)
    reached[box.pad(REACH).intersect(Bounds(0, 0, first.shape[1], first.shape[0])).slices] = True
    assert (again[~reached] == first[~reached]).all()
    assert (again[box.slices] != first[box.slices]).mean() > 0.9


@pytest.mark.parametrize("walk", [WALK, STRONG])
def test_what_is_left_alone_costs_nothing_and_is_crossed_smoothly_to_its_neighbours(tmp_path, walk):
    one = Pass(tmp_path, walk=walk)
    still = one.run.boxes[4]
    one.run = replace(one.run, untouched=frozenset([still]))
    out = one.refined()
    assert len(one.model.calls) == one.run.model_calls
    assert still not in one.done
    others = np.zeros(out.shape[:2], bool)
    for box in one.run.refined:
        others[box.intersect(one.picture.bounds).slices] = True
    assert (~others).any()
    assert np.abs(out - one.pixels)[~others].max() < 1e-6
    change = np.abs(out - one.pixels).mean(2)
    overlap = others.copy()
    overlap[:] = False
    overlap[still.slices] = True
    crossed = change[overlap & others]
    assert 0 < crossed.mean() < change[~overlap].mean()


def test_a_grid_that_reaches_beyond_the_picture_is_cut_off(tmp_path):
    one = Pass(tmp_path, width=101, height=67, pixels=picture(0, 101, 67))
    assert one.run.grid.columns[-1] + one.run.grid.tile.width > 101
    assert one.refined().shape == (67, 101, 3)


def test_all_painted_is_the_plain_pass_and_nothing_painted_the_picture(tmp_path):
    # The map's first sigma is the walk's only where both come from the same strength.
    walk = replace(WALK, sigmas=(start_level(training_levels(), 0.5), 0.3, 0.1, 0.0))
    plain = Pass(tmp_path / "plain", walk=walk).refined()
    for name, value in (("all", 255), ("none", 0)):
        one = Pass(tmp_path / name, walk=walk)
        one.maps = {"strength": stored(tmp_path / f"{name}.npy", np.full((112, 160, 1), value, np.uint8))}
        out = one.refined()
        assert np.abs(out - (plain if value else one.pixels)).max() < 1e-5
