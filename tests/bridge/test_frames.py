"""Reading frames straight into place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import JOB, open_pair, sent

from scumble_bridge.connection import Connection, Event
from scumble_bridge.errors import ProtocolError
from scumble_bridge.frames import BUFFER_BYTES, FULL_LIMITS, HEAD, STRANGER_LIMITS, FrameReader
from scumble_bridge.messages import Accepted, Credit, Describe, Failed, Message, Pixels

SIZES = st.sampled_from((1, 5, 100, BUFFER_BYTES - 200, BUFFER_BYTES, 3 * BUFFER_BYTES, 200_000, 2**20))


def read_in_place(side: Connection, data: bytes, sizes: list[int]) -> list[Event]:
    """As an adapter does: so many bytes at a time, as far as there is room."""
    events, at, turn = [], 0, 0
    while at < len(data):
        room = side.room()
        assert len(room) > 0
        count = min(len(room), len(data) - at, sizes[turn % len(sizes)])
        room[:count] = data[at : at + count]
        room.release()
        events += side.received(count)
        at, turn = at + count, turn + 1
    return events


@given(st.lists(SIZES, min_size=1, max_size=4), st.lists(st.integers(1, 2**20), min_size=1, max_size=4))
def test_frames_of_any_size_come_whole_however_they_are_read(payloads: list[int], sizes: list[int]) -> None:
    client, core = open_pair()
    granted: tuple[Message, ...] = (Accepted(JOB, ("source",)), Credit(JOB, "source", 2**30))
    client.receive(sent(core, *granted))
    pixels = [Pixels(JOB, "source", 0, bytes([size % 251]) * size) for size in payloads]
    data = sent(client, *pixels, Describe())
    assert read_in_place(core, data, [max(size, len(data) // 300) for size in sizes]) == [*pixels, Describe()]


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=4))
def test_headers_longer_than_the_buffer_come_whole(sizes: list[int]) -> None:
    client, core = open_pair()
    news: list[Message] = [Failed(None, "x", "ä" * 8000), Accepted(JOB, ("source",)), Failed(None, "y", "é" * 8000)]
    data = sent(core, *news)
    assert len(data) > 2 * BUFFER_BYTES
    assert read_in_place(client, data, [max(size, 50) for size in sizes]) == news


def test_a_payload_has_a_buffer_of_its_own_that_later_frames_leave_alone() -> None:
    client, core = open_pair()
    client.receive(sent(core, Accepted(JOB, ("source",)), Credit(JOB, "source", 10)))
    (first,) = core.receive(sent(client, Pixels(JOB, "source", 0, b"first")))
    core.receive(sent(client, Pixels(JOB, "source", 5, b"later")))
    assert isinstance(first, Pixels) and first.data == b"first"


def test_a_large_payload_goes_out_as_it_was_given() -> None:
    client, core = open_pair()
    client.receive(sent(core, Accepted(JOB, ("source",)), Credit(JOB, "source", 2**20)))
    data = memoryview(bytes(2**20))
    client.send(Pixels(JOB, "source", 0, data))
    _, payload = client.outgoing_pieces()
    assert payload is data


def test_no_room_is_made_before_lengths_are_checked() -> None:
    stranger = FrameReader()
    assert len(stranger.room()) <= HEAD.size + STRANGER_LIMITS.header
    trusted = FrameReader()
    trusted.trust()
    head = HEAD.pack(b"SCMB", 1, bytes(3), 2, FULL_LIMITS.payload + 1)
    trusted.room()[: len(head)] = head
    trusted.filled(len(head))
    with pytest.raises(ProtocolError, match="payload"):
        trusted.next_frame()
    assert len(trusted.room()) <= BUFFER_BYTES


def test_a_buffer_that_was_given_back_takes_the_next_payload_of_its_length_and_no_other() -> None:
    client, core = open_pair()
    client.receive(sent(core, Accepted(JOB, ("source",)), Credit(JOB, "source", 100)))
    (first,) = core.receive(sent(client, Pixels(JOB, "source", 0, b"first")))
    assert isinstance(first, Pixels)
    core.reuse(first.data)
    (second,) = core.receive(sent(client, Pixels(JOB, "source", 5, b"secon")))
    assert isinstance(second, Pixels) and second.data is first.data and second.data == b"secon"
    core.reuse(second.data)
    (third,) = core.receive(sent(client, Pixels(JOB, "source", 10, b"longer")))
    assert isinstance(third, Pixels) and third.data == b"longer" and second.data == b"secon"


@given(st.lists(SIZES, min_size=1, max_size=12), st.integers(1, 2**20))
def test_giving_back_each_payload_once_it_is_read_changes_nothing(payloads: list[int], size: int) -> None:
    client, core = open_pair()
    client.receive(sent(core, Accepted(JOB, ("source",)), Credit(JOB, "source", 2**30)))
    for at, length in enumerate(payloads):
        data = bytes([at]) * length
        (event,) = read_in_place(core, sent(client, Pixels(JOB, "source", 0, data)), [max(size, length // 50)])
        assert event == Pixels(JOB, "source", 0, data)
        core.reuse(event.data)
