"""Estimates of a real core's."""

from dataclasses import replace

from tests.krita_plugin.fake_host import FakeHost, noisy
from tests.krita_plugin.runs.settings import QUICK, TILED

from scumble.geometry import Box
from scumble.host.contract import Wanted
from scumble.runs.estimate import Estimate, Estimator
from scumble_bridge.messages import Estimated


def test_the_latest_settings_are_the_ones_that_are_told(krita):
    host = FakeHost(noisy(300, 400))
    life = krita(host)
    estimator = Estimator(life.core)
    seen = []
    estimator.changed.connect(seen.append)
    life.core.ensure()
    for scale in (1.0, 2.0, 3.0):
        estimator.ask(replace(QUICK, scale=scale), host.offer(Wanted()))
    life.spin(lambda: estimator.estimate is not None)
    assert estimator.estimate.size == (1200, 900)
    assert [each.size for each in seen] == [(1200, 900)]  # the core was asked once
    assert estimator.estimate.sentence.startswith("1200 × 900 (1.1 MP), ")
    assert "of memory" in estimator.estimate.sentence
    estimator.ask(TILED, host.offer(Wanted()))
    life.spin(lambda: estimator.estimate.size == (400, 300))
    assert estimator.estimate.tiles == estimator.estimate.grid.count > 4
    estimator.ask(TILED, None)
    assert estimator.estimate is None


def test_a_selection_counts_its_own_size(krita):
    host = FakeHost(noisy(400, 400), selected=Box(96, 96, 50, 40))
    life = krita(host)
    estimator = Estimator(life.core)
    life.core.ensure()
    settings = replace(QUICK, source="selection")
    estimator.ask(settings, host.offer(settings.wanted))
    life.spin(lambda: estimator.estimate is not None)
    assert estimator.estimate.size == (50, 40)


def test_what_can_not_be_run_is_told_in_the_core_s_words(krita):
    host = FakeHost(noisy(64, 64))
    life = krita(host)
    estimator = Estimator(life.core)
    life.core.ensure()
    offer = host.offer(Wanted())
    large = replace(offer, target=replace(offer.target, box=Box(0, 0, 30000, 30000), canvas=Box(0, 0, 30000, 30000)))
    estimator.ask(replace(QUICK, scale=2.0), large)
    life.spin(lambda: estimator.estimate is not None)
    assert "32768" in estimator.estimate.sentence


def test_without_a_line_nothing_is_known(qapp, krita, own_core):
    life = krita(FakeHost(noisy(64, 64)))
    estimator = Estimator(life.core)
    estimator.ask(QUICK, life.host.offer(Wanted()))
    life.core.message.emit(Estimated(1, {"output": [1, 1]}))
    assert estimator.estimate is None


def test_a_plan_of_another_shape_is_read_as_far_as_it_goes():
    box = Box(0, 0, 8, 8)
    assert Estimate.of(Estimated(1, {}, ""), box).error
    assert Estimate.of(Estimated(1, {"output": "x", "result": [1], "stages": 3, "grid": []}), box) == Estimate(box)
