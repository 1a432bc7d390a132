"""Steps are driven from the top of the event loop; spools and small pictures on the way."""

import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.krita_plugin.fake_host import FakeSnapshot, noisy
from tests.krita_plugin.runs.kit import spin

from scumble.geometry import Box
from scumble.host.contract import HostError, Target
from scumble.qt import QtCore
from scumble.runs.shrink import shrunk
from scumble.runs.source import Part, Source
from scumble.runs.spool import Spool
from scumble.runs.steps import TURN_SECONDS, Drive
from scumble_bridge.fields import PictureHeader


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path))


def whole(pixels):
    box = Box(0, 0, pixels.shape[1], pixels.shape[0])
    return FakeSnapshot(pixels, Target("d", "", box, box, None, ""))


def finished(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_between_turns_others_have_theirs(qapp):
    turns, done = [], []

    def steps():
        for _ in range(5):
            time.sleep(2 * TURN_SECONDS)
            turns.append("step")
            yield
        return 7

    def other():
        turns.append("other")
        if not done:
            QtCore.QTimer.singleShot(0, other)

    drive = Drive(steps(), done.append, pytest.fail)
    QtCore.QTimer.singleShot(0, other)
    spin(qapp, lambda: done and drive)
    assert done == [7]
    assert turns.count("other") >= 4


@pytest.mark.parametrize(("error", "sentence"), [(HostError("Locked."), "Locked."), (KeyError("x"), "not foreseen")])
def test_what_a_step_raises_is_a_sentence(qapp, error, sentence):
    def steps():
        yield
        raise error

    said = []
    drive = Drive(steps(), pytest.fail, said.append)
    spin(qapp, lambda: said and drive)
    assert sentence in said[0]


def test_what_follows_may_not_raise_either(qapp):
    said = []
    drive = Drive(iter_of(3), lambda _: 1 // 0, said.append)
    spin(qapp, lambda: said and drive)
    assert "ZeroDivisionError" in said[0]


def iter_of(value):
    yield
    return value


def test_steps_that_are_dropped_clean_up_and_say_nothing(qapp):
    cleaned = []

    def steps():
        try:
            while True:
                yield
        finally:
            cleaned.append(True)

    drive = Drive(steps(), pytest.fail, pytest.fail)
    for _ in range(3):
        qapp.processEvents()
    drive.close()
    qapp.processEvents()
    assert cleaned == [True]


def test_a_source_is_read_from_the_document_once_and_released_then():
    pixels = noisy(20, 10)
    snapshot = whole(pixels)
    source = Source(snapshot)
    assert source.read(0, 300) == pixels.tobytes()[:300]
    source.rows(5, 1)  # a look ahead is no reason to keep
    assert not source.is_kept
    source.read(300, 500)
    assert (source.is_kept, snapshot.released) == (True, 1)
    assert source.read(100, 600) == pixels.tobytes()[100:700]
    shared = source.shared()
    source.release()
    assert shared.is_kept
    shared.release()
    assert not shared.is_kept
    with pytest.raises(HostError):
        source.read(0, 1)


def test_without_room_for_it_the_document_is_read_again(monkeypatch):
    def full(_header):
        raise HostError("no room")

    monkeypatch.setattr("scumble.runs.source.Spool", full)
    snapshot = whole(noisy(8, 8))
    source = Source(snapshot)
    assert source.read(0, 256) == source.read(0, 256)
    assert not source.is_kept
    assert snapshot.released == 0
    source.release()
    assert snapshot.released == 1


@given(st.integers(0, 12), st.integers(0, 8), st.integers(1, 9), st.integers(1, 7), st.data())
def test_a_part_has_the_pixels_of_its_box(x, y, width, height, data):
    pixels = np.random.default_rng(3).integers(0, 255, (15, 21, 4), np.uint8)
    part = Part(whole(pixels), Box(x, y, width, height))
    expected = pixels[y : y + height, x : x + width].tobytes()
    offset = data.draw(st.integers(0, len(expected)))
    size = data.draw(st.integers(0, len(expected) - offset))
    assert part.header.total_bytes == len(expected)
    assert part.read(offset, size) == expected[offset : offset + size]


def test_a_spool_refuses_what_is_out_of_order():
    spool = Spool(PictureHeader(2, 2, "u8", "bgra"))
    spool.take(0, b"12345678")
    with pytest.raises(HostError, match="wrong order"):
        spool.take(0, b"12345678")
    with pytest.raises(HostError, match="cut short"):
        spool.rows(1, 1)
    spool.take(8, b"abcdefgh")
    assert spool.rows(1, 1) == b"abcdefgh"
    with pytest.raises(HostError):
        spool.take(16, b"x")
    spool.close()


@pytest.mark.parametrize(
    ("depth", "layout", "pixel"),
    [
        ("u8", "bgra", bytes((51, 102, 204, 255))),
        ("u16", "bgra", struct.pack("<4H", 51 * 257, 102 * 257, 204 * 257, 65535)),
        ("f16", "rgba", struct.pack("<4e", 0.8, 0.4, 0.2, 1.0)),
        ("f32", "rgba", struct.pack("<4f", 0.8, 0.4, 0.2, 2.0)),
    ],
)
def test_a_small_picture_of_any_depth_has_its_colour(depth, layout, pixel):
    spool = Spool(PictureHeader(40, 20, depth, layout))
    spool.take(0, pixel * 800)
    image = finished(shrunk(spool, 10))
    assert (image.width(), image.height()) == (10, 5)
    colour = image.pixelColor(4, 2)
    assert [colour.red(), colour.green(), colour.blue(), colour.alpha()] == pytest.approx([204, 102, 51, 255], abs=1)


def test_what_is_no_number_and_beyond_the_range_is_shown_all_the_same():
    spool = Spool(PictureHeader(1, 1, "f32", "rgba"))
    spool.take(0, struct.pack("<4f", float("nan"), float("inf"), -3.0, 1.0))
    colour = finished(shrunk(spool, 10)).pixelColor(0, 0)
    assert (colour.red(), colour.green(), colour.blue()) == (0, 255, 0)


def test_turns_that_come_up_within_a_step_wait_until_it_has_returned(qapp):
    seen = []

    def outer():
        yield
        seen.append("in")
        for _ in range(5):
            qapp.processEvents()  # as Krita does within some of its calls
        seen.append("out")
        yield

    def inner():
        for _ in range(3):
            yield
            seen.append("inner")

    first = Drive(outer(), lambda _: seen.append("done"), seen.append)
    second = Drive(inner(), lambda _: seen.append("inner done"), seen.append)
    spin(qapp, lambda: "done" in seen and "inner done" in seen)
    assert seen[seen.index("in") + 1] == "out"
    assert first is not second


def test_steps_that_are_closed_from_within_clean_up_when_they_have_returned(qapp):
    seen = []

    def steps():
        try:
            yield
            drive.close()
            seen.append("closed")
            yield
            seen.append("too far")
        finally:
            seen.append("clean")

    drive = Drive(steps(), seen.append, seen.append)
    spin(qapp, lambda: "clean" in seen)
    assert seen == ["closed", "clean"]
