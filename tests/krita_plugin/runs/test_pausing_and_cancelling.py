"""The artist's wishes for a run that is under way, with a real core."""

from dataclasses import replace

import numpy as np
from tests.krita_plugin.fake_host import FakeHost, noisy
from tests.krita_plugin.runs.settings import QUICK, TILED

from scumble_bridge import messages as wire


def test_a_paused_run_waits_and_goes_on_to_the_same_pixels(krita):
    host = FakeHost(noisy(400, 400))
    life = krita(host)
    life.until(life.start(TILED), "done")
    whole = host.refined
    # Another seed: the second run must not take over all of the first one's tiles.
    run = life.until_tiles(life.start(replace(TILED, seed=1)))
    run.pause()
    life.until(run, "paused")
    assert run.state.sentence.startswith("Paused after")
    assert run.state.share > 0
    assert not run.state.is_busy
    run.resume()
    life.until(run, "done")
    assert host.refined.shape == whole.shape
    assert not np.array_equal(host.refined, whole)


def test_cancel_offers_the_finished_tiles_and_continue_goes_on_with_the_same_job(krita, places):
    host = FakeHost(noisy(400, 400, seed=2))
    life = krita(host)
    run = life.until_tiles(life.start(TILED), 2)
    job = run.order.job
    run.cancel()
    life.until(run, "offered")
    assert "kept" in run.state.sentence
    assert not host.placed
    folder = places / "data" / "jobs" / job / "tiles"
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert len(finished) >= 2
    run.resume()
    life.until(run, "done")
    assert run.order.job == job
    assert {path: path.stat().st_mtime_ns for path in finished} == finished  # they were not done again
    assert len(host.placed) == 1


def test_what_is_discarded_is_released(krita):
    host = FakeHost(noisy(400, 400, seed=3))
    life = krita(host)
    run = life.until_tiles(life.start(TILED))
    run.cancel()
    life.until(run, "offered")
    run.discard()
    assert run.state.sentence == "Cancelled. The document is as it was."
    answers = []
    life.core.message.connect(answers.append)
    life.core.send(wire.Attach(run.order.job))
    life.spin(lambda: any(isinstance(each, wire.Failed) and each.job == run.order.job for each in answers))
    assert host.snapshots[0].released == 1


def test_a_run_that_has_nothing_finished_is_released_at_once(krita):
    host = FakeHost(noisy(64, 64))
    life = krita(host)
    run = life.start(QUICK)
    life.spin(lambda: run.order is not None)
    run.cancel()
    assert run.state.phase == "stopped"
    life.until(life.start(QUICK), "done")
    assert len(host.placed) == 1


def test_the_artist_may_queue_more_while_one_runs_and_cancel_any(krita):
    host = FakeHost(noisy(400, 400, seed=4))
    life = krita(host)
    first = life.start(TILED)
    second, third = life.start(replace(QUICK, seed=7)), life.start(replace(QUICK, seed=8))
    life.spin(lambda: third.state.stage == "queued" and third.state.done == 2)
    assert third.state.sentence == "Waiting: 2 jobs before this one"
    second.cancel()
    assert second.state.phase == "stopped"
    life.until(first, "done")
    life.until(third, "done")
    assert [delivery.title for _, delivery, _ in host.placed] == [
        first.asked.settings.title,
        third.asked.settings.title,
    ]
