"""One tile as a trial, one tile anew, the same once more, with a real core."""

from dataclasses import replace

import numpy as np
from tests.krita_plugin.fake_host import FakeHost, noisy
from tests.krita_plugin.runs.settings import QUICK, TILED

from scumble.geometry import Box
from scumble.host.contract import Wanted
from scumble.runs.estimate import Estimator
from scumble.runs.order import Asked
from scumble.runs.runner import here_again, trial


def estimate(life, settings):
    estimator = Estimator(life.core)
    life.core.ensure()
    estimator.ask(settings, life.host.offer(Wanted()))
    life.spin(lambda: estimator.estimate is not None)
    return estimator


def test_one_tile_is_tried_at_the_pointer_and_shown_before_it_is_placed(krita):
    host = FakeHost(noisy(400, 400, seed=20))
    life = krita(host)
    known = estimate(life, TILED).estimate
    assert known.grid.count > 9
    asked = trial(TILED, known.grid, known.sent, (200, 210))
    assert isinstance(asked, Asked)
    run = life.until(life.runner.start(asked), "ready")
    box = asked.tile
    assert box.x <= 200 < box.right and box.y <= 210 < box.bottom
    tile = known.grid.tile
    assert box.width < tile[0] + 8 and box.height < tile[1] + 8  # it begins on the grid of the noise
    assert (run.order.header.width, run.order.header.height) == (box.width, box.height)
    assert not host.placed
    assert (run.after.width(), run.after.height()) == (box.width, box.height)
    assert run.before.size() == run.after.size()
    run.place()
    life.until(run, "done")
    target, delivery, _ = host.placed[0]
    # It can't enlarge the document around it.
    assert (target.box, delivery.placement.destination) == (box, "new")


def test_a_trial_beside_the_picture_or_without_a_grid_says_why_not(krita):
    grid = estimate(krita(FakeHost(noisy(64, 64))), QUICK).estimate.grid
    assert "refined" in trial(QUICK, grid, Box(0, 0, 64, 64), (100, 5))
    assert "estimate" in trial(QUICK, None, Box(0, 0, 64, 64), (5, 5))


def test_a_tile_made_anew_changes_nothing_else_and_costs_nothing_else(krita):
    host = FakeHost(noisy(400, 400, seed=21))
    life = krita(host)
    first = life.until(life.start(TILED), "done")
    whole = host.refined
    host.pixels = np.zeros_like(host.pixels)  # the picture that was sent counts, whatever is there now
    run = life.runner.redo_tile("document-1", 60, 60)
    life.until(run, "done")
    changed = np.argwhere((host.refined != whole).any(2))
    (tile,) = run.asked.reseeded
    assert len(changed)
    # The colour lock evens tones over some 100 pixels.
    assert changed[:, 1].max() < tile.x + first.grid.tile[0] + 104
    assert changed[:, 0].max() < tile.y + first.grid.tile[1] + 104
    assert f"only 1 tile of {first.grid.count} had to be made anew" in run.state.sentence
    assert host.placed[1][1].placement.destination == "keep"
    # Another tile later keeps this one's seed.
    other = life.until(life.runner.redo_tile("document-1", 350, 350), "done")
    assert tile in other.asked.reseeded
    assert len(other.asked.reseeded) == 2


def test_in_an_enlarged_document_the_pointer_finds_the_same_tile(krita):
    host = FakeHost(noisy(200, 200, seed=22))
    life = krita(host)
    settings = replace(TILED, scale=2.0)
    life.until(life.start(settings), "done")
    assert host.placed[0][1].scale == 2.0
    made = life.runner.last("document-1")
    assert (made.again.target.canvas, made.again.scale) == (Box(0, 0, 400, 400), 1.0)
    run = life.until(life.runner.redo_tile("document-1", 390, 10), "done")
    (tile,) = run.asked.reseeded
    assert (tile.x, tile.y) == (made.grid.columns[-1], 0)
    target, delivery, got = host.placed[1]
    assert (target.box, delivery.scale) == (Box(0, 0, 400, 400), 1.0)
    assert got["refined"].shape == (400, 400, 4)


def test_without_a_run_there_is_no_tile_to_make_anew(krita):
    assert "press Refine first" in krita(FakeHost(noisy(64, 64))).runner.redo_tile("document-1", 5, 5)


def test_what_was_repainted_is_run_again_for_little(krita):
    host = FakeHost(noisy(400, 400, seed=23))
    life = krita(host)
    life.until(life.start(TILED), "done")
    host.pixels = host.pixels.copy()
    host.pixels[10:20, 10:20, :3] = 0
    run = life.until(life.runner.repeat(life.runner.last("document-1")), "done")
    assert "had to be made anew" in run.state.sentence
    again = life.until(life.runner.repeat(life.runner.last("document-1")), "done")
    assert "all was there already" in again.state.sentence


def test_another_seed_gives_another_picture_of_the_same_source(krita):
    host = FakeHost(noisy(128, 128, seed=24))
    life = krita(host)
    life.until(life.start(replace(QUICK, strength=0.4)), "done")
    run = life.until(life.runner.redo(life.runner.last("document-1"), 77), "done")
    assert run.asked.settings.seed == 77
    assert len(host.snapshots) == 1  # it was not read a second time
    first, second = (got["refined"] for _, _, got in host.placed)
    assert not np.array_equal(first, second)


def test_the_selection_again_is_a_run_of_the_selection_from_another_seed(krita):
    host = FakeHost(noisy(256, 256, seed=25), selected=Box(40, 40, 64, 64))
    life = krita(host)
    asked = here_again(QUICK)
    assert asked.settings.seed != QUICK.seed
    run = life.until(life.runner.start(asked), "done")
    assert host.refined.shape == (64, 64, 4)
    assert run.order.masked


def test_sources_and_jobs_are_kept_for_the_last_runs_only(krita):
    host = FakeHost(noisy(64, 64, seed=26))
    life = krita(host)
    first = life.until(life.start(QUICK), "done")
    source = life.runner.last("document-1").source
    assert source.is_kept
    second = life.until(life.start(replace(QUICK, seed=3)), "done")
    assert not source.is_kept
    assert life.runner.last("document-1").order is second.order
    assert first.order.job not in host.texts["kept"]
    assert second.order.job in host.texts["kept"]
