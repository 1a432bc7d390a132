"""What happens to runs when workers, cores, lines and Krita itself go away; each test has a core of its own."""

import os
import signal

from tests.krita_plugin.fake_host import FakeHost, noisy, picture
from tests.krita_plugin.runs.kit import workers_of
from tests.krita_plugin.runs.settings import QUICK, TILED

from scumble.qt import QtCore
from scumble.runs.memory import RUNS
from scumble_bridge import messages as wire


def test_a_killed_worker_a_killed_core_and_a_broken_line_cost_no_run(krita, own_core):
    host = FakeHost(noisy(400, 400))
    life = krita(host)
    run = life.until_tiles(life.start(TILED))
    life.note()
    (worker,) = workers_of(life.processes[-1].pid)
    os.kill(worker, signal.SIGKILL)
    life.spin(lambda: run.state.stage == "restarting")
    life.until_tiles(run, 2)
    life.kill_core()
    life.until(run, "lost")
    life.until_tiles(run, 3)
    assert len(life.processes) == 2  # the panel has started another core by itself
    life.core.client.close()
    life.until(run, "lost")
    life.until(run, "done")
    assert host.refined.shape == (400, 400, 4)
    assert len(host.placed) == 1


def test_a_core_that_is_restarted_by_the_artist_goes_on_with_the_run(krita, own_core):
    host = FakeHost(noisy(400, 400))
    life = krita(host)
    run = life.until_tiles(life.start(TILED))
    phases = []
    life.core.changed.connect(lambda state: phases.append(state.phase))
    life.core.restart()
    life.until(run, "done")
    assert phases[:2] == ["stopping", "starting"]
    assert life.core.state.phase == "connected"
    # Stopped, it stays off until it is needed.
    life.core.stop()
    life.spin(lambda: life.core.state.phase == "off")
    assert not life.core.is_open
    life.until(life.start(QUICK), "done")
    assert life.core.state.phase == "connected"


def test_a_line_that_breaks_amid_the_results_means_to_fetch_them_anew(krita):
    host = FakeHost(noisy(1024, 1024))
    life = krita(host)
    run = life.start(QUICK)
    phases = []

    def break_it(state):
        """At once: the rest would be here before a look from outside."""
        if state.phase == "fetching" and state.done > 0:
            run.changed.disconnect(break_it)
            QtCore.QTimer.singleShot(0, life.core.client.close)

    run.changed.connect(lambda state: phases.append(state.phase))
    run.changed.connect(break_it)
    life.until(run, "done")
    assert "lost" in phases[phases.index("fetching") :]
    assert host.refined.shape == (1024, 1024, 4)


def test_a_line_that_breaks_amid_the_source_means_to_send_it_anew(krita):
    host = FakeHost(noisy(1600, 1600))
    life = krita(host)
    run = life.start(QUICK)
    life.spin(lambda: run.state.phase == "sending" and run.state.done > 0)
    phases = []
    run.changed.connect(lambda state: phases.append(state.phase))
    life.core.client.close()
    life.spin(lambda: phases[-1] in ("waiting", "running"))
    assert phases[0] == "lost"
    assert "sending" in phases
    run.cancel()
    assert host.snapshots[0].released == 1


def test_a_core_that_lost_the_job_gets_it_once_more(krita):
    host = FakeHost(noisy(400, 400, seed=9))
    life = krita(host)
    run = life.until_tiles(life.start(TILED))
    assert host.snapshots[0].released == 1  # all of it was read, and is kept on the disk
    run.pause()
    life.until(run, "paused")
    life.core.send(wire.Release(run.order.job))
    phases = []
    run.changed.connect(lambda state: phases.append(state.phase))
    life.core.client.close()
    life.until(run, "done")
    assert phases[0] == "lost"
    assert "sending" in phases
    assert host.refined.shape == (400, 400, 4)


def test_a_run_that_somebody_else_removed_from_the_core_may_be_continued(krita):
    host = FakeHost(noisy(400, 400, seed=13))
    life = krita(host)
    run = life.until_tiles(life.start(TILED))
    life.core.send(wire.Release(run.order.job))
    life.until(run, "offered")
    run.resume()
    life.until(run, "done")
    assert host.refined.shape == (400, 400, 4)


def test_what_was_under_way_when_krita_closed_is_taken_up_and_placed_when_the_artist_says_so(krita):
    host = FakeHost(noisy(400, 400, seed=10), file="/pictures/one.kra")
    life = krita(host)
    run = life.until_tiles(life.start(TILED))
    job = run.order.job
    life.close()
    assert not host.placed
    later = krita(FakeHost(host.pixels, key="document-2", file="/pictures/one.kra", texts=host.texts))
    (again,) = later.runner.restore()
    later.until(again, "ready")
    assert again.order.job == job
    assert not later.host.placed
    again.place()
    later.until(again, "done")
    (target, delivery, _), *_ = later.host.placed
    assert (target.file, delivery.note) == ("/pictures/one.kra", TILED.to_json())
    assert later.host.refined.shape == (400, 400, 4)
    # Nothing is left to be remembered.
    assert host.texts[RUNS] == "[]"
    assert krita(FakeHost(host.pixels, texts=host.texts)).runner.restore() == ()


def test_what_was_under_way_may_be_discarded_after_krita_was_opened_again(krita):
    host = FakeHost(noisy(400, 400, seed=11))
    life = krita(host)
    life.until_tiles(life.start(TILED))
    life.close()
    later = krita(FakeHost(host.pixels, texts=host.texts))
    (again,) = later.runner.restore()
    later.until(again, "ready")
    again.discard()
    assert again.state.phase == "stopped"
    assert host.texts[RUNS] == "[]"


def test_without_a_core_it_says_how_to_get_one(krita, places, own_core):
    (places / "data" / "core.json").unlink()
    life = krita(FakeHost(picture()))
    run = life.start(QUICK)
    life.spin(lambda: run.state.is_over)
    assert "scumble krita install" in run.state.sentence
    assert life.core.state.phase == "missing"
    assert life.host.snapshots[0].released == 1
