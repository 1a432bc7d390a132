"""A strength map and regions go with the picture, and the map does what it says."""

from dataclasses import replace

import numpy as np
import pytest
from tests.krita_plugin.fake_host import FakeHost, FakeMask, FakeSnapshot, noisy
from tests.krita_plugin.runs.settings import QUICK

from scumble.geometry import Box
from scumble.host.contract import Target, Wanted
from scumble.runs.estimate import Estimator
from scumble.runs.order import Asked, Order
from scumble.runs.source import Part, Source
from scumble.settings import Region, Settings

GUIDED = replace(
    QUICK,
    strength=0.5,
    complexity=False,
    strength_map="map",
    regions=(Region("left", "moss"), Region("right", "stone")),
)


def halves(height, width):
    """Nothing to the left, all to the right."""
    right = np.zeros((height, width), np.uint8)
    right[:, width // 2 :] = 255
    return {"map": right, "left": 255 - right, "right": right}


@pytest.fixture
def guided(krita):
    return krita(FakeHost(noisy(128, 256), guides=halves(128, 256)))


def test_where_the_map_is_black_the_picture_stays_and_elsewhere_it_is_refined(guided):
    guided.until(guided.start(GUIDED), "done")
    got = guided.host.placed[0][2]
    change = np.abs(got["refined"].astype(int) - got["upscaled"])[..., :3]
    # What blends between the halves lies between these two.
    assert change[:, :96].max() <= 1
    assert change[:, 160:].mean() > 2


def test_a_core_that_forgot_the_run_gets_all_masks_once_more_though_the_document_is_gone(guided, own_core):
    run = guided.until(guided.start(GUIDED), "done")
    made = guided.runner.last("document-1")
    assert made.source.is_kept
    assert guided.host.snapshots[0].released == 1
    guided.host.guides = {}
    again = guided.until(guided.runner.redo(made), "done")
    assert again is not run
    assert len(guided.host.placed) == 2


def test_a_layer_that_is_gone_is_said_in_one_sentence_and_nothing_is_sent(guided):
    del guided.host.guides["map"]
    run = guided.start(GUIDED)
    guided.spin(lambda: run.state.is_over)
    assert (run.state.phase, run.state.sentence, run.order) == ("failed", "The layer is gone.", None)


def test_a_trial_of_one_tile_takes_its_part_of_the_masks(guided):
    run = guided.runner.start(Asked(GUIDED, Box(64, 0, 128, 128)))
    guided.until(run, "ready")
    assert run.source.stream("strength").total == 128 * 128
    rows = np.frombuffer(run.source.stream("region-2").read(0, 128 * 128), np.uint8).reshape(128, 128)
    assert (rows == guided.host.guides["right"][:, 64:192]).all()


def test_an_estimate_knows_of_regions(guided):
    estimator, found = Estimator(guided.core), []
    estimator.changed.connect(found.append)
    guided.core.ensure()
    estimator.ask(GUIDED, guided.host.offer(Wanted()))
    guided.spin(lambda: found)
    assert (found[-1].error, found[-1].size) == ("", (256, 128))


def test_an_order_that_outlived_krita_still_names_its_masks():
    box = Box(0, 0, 8, 8)
    picture = FakeSnapshot(noisy(8, 8), Target("d", "", box, box, None, ""))
    settings = Settings(strength_map="m", regions=(Region("a"), Region("b")))
    order = Order(
        "j", Asked(settings), box, picture.header, False, None, b"", picture.target, settings.placement, 1.0, 0.0
    )  # fmt: skip
    again = Order.from_values(order.to_values())
    assert again == order
    assert (again.strength_header.layout, len(again.region_headers), again.mask_header) == ("mask", 2, None)
    assert Asked(replace(settings, preset="mikey")).settings.guides.regions == ()


def test_a_snapshot_is_let_go_only_when_its_masks_were_read_too(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path))
    box, mask = Box(0, 0, 10, 20), np.arange(200, dtype=np.uint8).reshape(20, 10)
    snapshot = FakeSnapshot(noisy(20, 10), Target("d", "", box, box, None, ""), strength=FakeMask(mask))
    source = Source(Part(snapshot, Box(2, 4, 8, 16)))
    total, read, _piece = source.stream("strength")
    source.read(0, 8 * 16 * 4)
    assert (source.is_kept, snapshot.released) == (False, 0)
    assert read(0, total) == mask[4:, 2:].tobytes()
    assert (source.is_kept, snapshot.released) == (True, 1)
    assert read(8, 16) == mask[5:7, 2:].tobytes()
    source.release()
