"""Runs with a real core that the link starts itself."""

from dataclasses import replace

import pytest
from tests.krita_plugin.fake_host import FakeHost, noisy, picture
from tests.krita_plugin.runs.settings import QUICK

from scumble.geometry import Box
from scumble.settings import Settings


def test_a_whole_run_places_both_results_in_the_colours_that_were_sent(krita):
    host = FakeHost(picture())
    life = krita(host)
    sentences = []
    life.runner.changed.connect(lambda run: sentences.append(run.state.sentence))
    run = life.until(life.start(Settings()), "done")
    target, delivery, got = host.placed[0]
    assert got["refined"].shape == got["upscaled"].shape == (128, 192, 4)
    assert got["refined"][..., :3].mean((0, 1)) == pytest.approx(picture()[..., :3].mean((0, 1)), abs=3)
    assert (target, delivery.scale, delivery.x, delivery.y) == (host.snapshots[0].target, 2.0, 0, 0)
    assert "Refining: tile 1 of 1" in sentences
    assert run.state.sentence.startswith("Done in")
    assert host.snapshots[0].released == 1
    assert max(run.growing.image.width(), run.growing.image.height()) == 192
    assert not run.before.isNull()
    assert not run.after.isNull()


def test_a_selection_goes_with_its_mask_and_comes_back_at_its_size(krita):
    host = FakeHost(noisy(256, 256), selected=Box(100, 100, 40, 24))
    life = krita(host)
    life.until(life.start(replace(QUICK, source="selection")), "done")
    _, delivery, got = host.placed[0]
    assert got["refined"].shape == (24, 40, 4)
    # 64 pixels of context, and on to the grid that noise is anchored to.
    assert host.placed[0][0].box.x == host.placed[0][0].box.y == 32
    assert (delivery.x, delivery.y, delivery.scale) == (68, 68, 1.0)
    assert delivery.placement.destination == "keep"
    assert life.runner.last("document-1").order.selected == Box(68, 68, 40, 24)


def test_two_runs_go_one_after_the_other_and_both_are_placed(krita):
    host = FakeHost(picture())
    life = krita(host)
    first, second = life.start(QUICK), life.start(replace(QUICK, seed=5))
    life.until(first, "done")
    life.until(second, "done")
    assert [delivery.title for _, delivery, _ in host.placed] == [run.asked.settings.title for run in (first, second)]


def test_a_source_that_can_not_be_taken_is_told_in_its_own_words(krita):
    life = krita(FakeHost(picture(), reason="Open a document first."))
    run = life.start(Settings())
    life.spin(lambda: run.state.is_over)
    assert (run.state.phase, run.state.sentence) == ("failed", "Open a document first.")


def test_a_picture_that_can_not_be_read_fails_this_run_alone(krita):
    host = FakeHost(picture(), unreadable=True)
    life = krita(host)
    run = life.start(QUICK)
    life.spin(lambda: run.state.is_over)
    assert "could not be read" in run.state.sentence
    host.unreadable = False
    life.until(life.start(QUICK), "done")


def test_what_could_not_be_placed_may_be_placed_later(krita):
    host = FakeHost(picture(), refuses="The document is locked: unlock it.")
    life = krita(host)
    run = life.until(life.start(QUICK), "ready")
    assert run.state.sentence == "The document is locked: unlock it."
    host.refuses = ""
    run.place()
    life.until(run, "done")
    assert host.refined.shape == (64, 96, 4)
