"""A pass tile by tile: tasks that are found again, and tiles that agree. With an exact model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.core.pictures import stored
from tests.core.stages.exact import ExactModel
from tests.core.stages.tiles import WALK, going_on, picture, refiner

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Picture
from scumble_core.plan.passes import RefinePass
from scumble_core.plan.tiles import TileLimits, plan_tiles
from scumble_core.request import Reseeded
from scumble_core.sampling.levels import falling, start_level, training_levels
from scumble_core.stages.evened import REACH
from scumble_core.stages.maps import Maps
from scumble_core.stages.store import TileStore, untold
from scumble_core.stages.tile import Tile, TileRefiner, TileSettings
from scumble_core.stages.tile_pass import TilePass, TileSeeds


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
