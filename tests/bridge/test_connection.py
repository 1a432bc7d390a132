"""The handshake, the framing and the credit, as two sides live them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import JOB, TOKEN, open_pair, sent, swap

from scumble_bridge.codec import encode
from scumble_bridge.connection import Connection
from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.fields import RESULTS, UPLOADS, PictureHeader, Upload
from scumble_bridge.flow import MOST_STREAMS
from scumble_bridge.frames import HEAD
from scumble_bridge.messages import (
    Accepted,
    Attach,
    Cancelled,
    Credit,
    Describe,
    Failed,
    Fetch,
    Finished,
    Hello,
    Message,
    Ping,
    Pixels,
    Pong,
    Release,
)

HEADER = PictureHeader(2, 2, "u8", "rgba")
FINISHED = Finished(JOB, 0, 0, HEADER, HEADER, {})


# The handshake.


def test_both_sides_hear_when_they_know_each_other() -> None:
    client, core = open_pair()
    assert client.phase == core.phase == "open"


@pytest.mark.parametrize("wrong", [bytes(32), TOKEN[:-1] + b"\0"])
def test_a_client_with_a_wrong_token_gets_nothing_but_a_close(wrong: bytes) -> None:
    client, core = Connection("client", wrong), Connection("core", TOKEN)
    with pytest.raises(ProtocolError, match="token"):
        swap(client, core)
    assert core.phase == "closed" and core.outgoing() == b""
    with pytest.raises(ProtocolError):
        core.receive(b"")


def test_a_core_with_a_wrong_token_learns_nothing_that_opens_another() -> None:
    client, honest = Connection("client", TOKEN), Connection("core", TOKEN)
    false_core = Connection("core", bytes(32))
    hello = client.outgoing()
    honest.receive(hello)
    false_core.receive(hello)
    client.receive(false_core.outgoing())
    with pytest.raises(ProtocolError, match="token"):
        honest.receive(client.outgoing())  # a proof for one core's nonce is none for another's


def test_a_proof_cannot_be_mirrored_back() -> None:
    core = Connection("core", TOKEN, nonce=bytes(32))
    client = Connection("client", TOKEN, nonce=bytes(32))
    core.receive(client.outgoing())
    client.receive(core.outgoing())
    proof = client.outgoing()
    with pytest.raises(ProtocolError):
        client.receive(proof.replace(b'"prove"', b'"welcome"').replace(b'"mac"', b'"server":"x","mac"'))


@pytest.mark.parametrize("offered", [(7, 8), (1,)])  # newer ones, and the one before the first release
def test_versions_that_do_not_meet_close_the_connection(offered: tuple[int, ...]) -> None:
    core = Connection("core", TOKEN)
    with pytest.raises(ProtocolError, match="update"):
        core.receive(b"".join(encode(Hello(offered, bytes(32)))))
    assert core.outgoing() == b""


@pytest.mark.parametrize("message", [Describe(), Ping(1), Attach(JOB)])
def test_nothing_may_come_before_the_handshake_is_done(message: Message) -> None:
    core = Connection("core", TOKEN)
    with pytest.raises(ProtocolError):
        core.receive(b"".join(encode(message)))
    assert core.outgoing() == b""


def test_nothing_may_be_sent_before_the_handshake_is_done() -> None:
    with pytest.raises(MisuseError):
        Connection("client", TOKEN).send(Describe())


def test_a_browser_is_turned_away_at_its_first_byte() -> None:
    with pytest.raises(ProtocolError):
        Connection("core", TOKEN).receive(b"G")


# Bytes.


@given(st.lists(st.integers(0, 4000), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_messages(cuts: list[int]) -> None:
    client, core = open_pair()
    messages = [Ping(1), Accepted(JOB, ("source",)), FINISHED, Failed(None, "busy", "später"), Cancelled(JOB)]
    data = sent(core, *messages)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    heard = [event for at, end in pairwise(edges) for event in client.receive(data[at:end])]
    assert heard == messages[1:]
    assert core.receive(client.outgoing()) == [Pong(1)]


@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_raise_nothing_but_protocol_errors(data: bytes, is_open: bool) -> None:
    core = open_pair()[1] if is_open else Connection("core", TOKEN)
    try:
        core.receive(data)
    except ProtocolError:
        assert core.phase == "closed" and core.outgoing() == b""


@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(1, 64))
def test_mutated_bytes_raise_nothing_but_protocol_errors_and_keep_memory_bounded(at: int, to: int, step: int) -> None:
    client, core = open_pair()
    data = bytearray(sent(client, Describe(), Ping(5), Attach(JOB), Release(JOB)))
    data[at % len(data)] = to
    try:
        for start in range(0, len(data), step):
            core.receive(bytes(data[start : start + step]))
            assert core._frames.kept <= len(data)
    except ProtocolError:
        assert core.outgoing() == b""


@pytest.mark.parametrize(("header", "payload"), [(0, 0), (64 * 1024 + 1, 0), (2**32 - 1, 0), (2, 1024 * 1024 + 1)])
def test_lengths_beyond_the_limits_are_refused_from_the_head_alone(header: int, payload: int) -> None:
    core = open_pair()[1]
    with pytest.raises(ProtocolError, match="long"):
        core.receive(HEAD.pack(b"SCMB", 1, bytes(3), header, payload))


@pytest.mark.parametrize(("header", "payload"), [(1025, 0), (2, 1)])
def test_a_stranger_has_narrower_limits(header: int, payload: int) -> None:
    with pytest.raises(ProtocolError, match="long"):
        Connection("core", TOKEN).receive(HEAD.pack(b"SCMB", 1, bytes(3), header, payload))


def test_an_end_amid_a_message_or_the_handshake_is_a_fault_and_any_other_is_not() -> None:
    with pytest.raises(ProtocolError, match="handshake"):
        Connection("client", TOKEN).ended()
    client, core = open_pair()
    core.receive(sent(client, Describe())[:-1])
    with pytest.raises(ProtocolError, match="middle"):
        core.ended()
    client.ended()
    assert client.phase == "closed"


# Messages that aren't for everybody.


def test_a_core_answers_what_it_does_not_know_and_a_client_leaves_it_out() -> None:
    client, core = open_pair()
    frame = b'{"type":"polish"}'
    data = HEAD.pack(b"SCMB", 1, bytes(3), len(frame), 0) + frame
    assert core.receive(data) == [] and client.receive(data) == []
    (answer,) = client.receive(core.outgoing())
    assert isinstance(answer, Failed) and answer.job is None and answer.code == "unsupported"


def test_each_side_sends_only_its_own_messages() -> None:
    client, core = open_pair()
    with pytest.raises(MisuseError):
        client.send(Accepted(JOB, ("source",)))
    with pytest.raises(MisuseError):
        core.send(Describe())
    with pytest.raises(ProtocolError):
        core.receive(b"".join(encode(Accepted(JOB, ("source",)))))


def test_a_flood_of_pings_is_a_fault() -> None:
    _client, core = open_pair()
    with pytest.raises(ProtocolError, match="floods"):
        core.receive(b"".join(encode(Ping(1))) * 10_001)


# Credit.


def test_a_stream_flows_as_far_as_its_credit() -> None:
    client, core = open_pair()
    core.send(Accepted(JOB, ("source",)))
    core.send(Credit(JOB, "source", 10))
    swap(client, core)
    assert client.sendable(JOB, "source") == 10
    client.send(Pixels(JOB, "source", 0, bytes(7)))
    assert client.sendable(JOB, "source") == 3
    with pytest.raises(MisuseError, match="may not be sent"):
        client.send(Pixels(JOB, "source", 7, bytes(4)))
    assert swap(client, core)[1] == [Pixels(JOB, "source", 0, bytes(7))]


@pytest.mark.parametrize("data", [b"", bytes(11)])
def test_bytes_without_credit_are_a_fault(data: bytes) -> None:
    client, core = open_pair()
    core.receive(sent(client, Fetch(JOB, "refined"), Credit(JOB, "refined", 10)))
    with pytest.raises(MisuseError):
        core.send(Pixels(JOB, "refined", 0, data))
    with pytest.raises(ProtocolError, match="credit"):
        client.receive(b"".join(encode(Pixels(JOB, "refined", 0, data))))


def test_there_is_no_credit_for_a_stream_that_is_not_open() -> None:
    client, core = open_pair()
    with pytest.raises(MisuseError):
        client.send(Credit(JOB, "refined", 1))
    with pytest.raises(MisuseError):
        core.send(Credit(JOB, "source", 1))


@given(st.sets(st.sampled_from(UPLOADS), min_size=1))
def test_an_accepted_job_opens_the_streams_it_names_and_no_others(named: set[Upload]) -> None:
    client, core = open_pair()
    core.send(Accepted(JOB, tuple(sorted(named))))
    for stream in UPLOADS:
        if stream in named:
            core.send(Credit(JOB, stream, 3))
        else:
            with pytest.raises(MisuseError, match="no open stream"):
                core.send(Credit(JOB, stream, 3))
    swap(client, core)
    assert {stream for stream in UPLOADS if client.sendable(JOB, stream)} == named
    for stream in named:
        client.send(Pixels(JOB, stream, 0, bytes(3)))
        with pytest.raises(MisuseError):
            client.send(Pixels(JOB, stream, 3, bytes(1)))
    assert {each.stream for each in swap(client, core)[1] if isinstance(each, Pixels)} == named
    for side in (client, core):
        assert not any(side.sendable(JOB, stream) for stream in UPLOADS)


@pytest.mark.parametrize("end", [FINISHED, Failed(JOB, "x", ""), Cancelled(JOB)])
def test_the_end_of_a_job_closes_all_that_goes_up(end: Message) -> None:
    client, core = open_pair()
    core.send(Accepted(JOB, UPLOADS))
    for stream in UPLOADS:
        core.send(Credit(JOB, stream, 2))
    core.send(end)
    swap(client, core)
    assert not any(client.sendable(JOB, stream) for stream in UPLOADS)
    for side, message in ((core, Credit(JOB, "region-16", 1)), (client, Pixels(JOB, "profile", 0, b"ab"))):
        with pytest.raises(MisuseError):
            side.send(message)


@pytest.mark.parametrize("stream", RESULTS)
def test_a_core_never_waits_for_a_stream_of_its_own(stream: str) -> None:
    client, core = open_pair()
    with pytest.raises(MisuseError):
        core.send(Accepted(JOB, (stream,)))  # type: ignore[arg-type]
    frame = b"".join(encode(Accepted(JOB, ("source",)))).replace(b'"source"', f'"{stream}"'.encode())
    head = HEAD.pack(b"SCMB", 1, bytes(3), len(frame) - HEAD.size, 0)
    with pytest.raises(ProtocolError):
        client.receive(head + frame[HEAD.size :])


def test_bytes_that_were_under_way_when_their_stream_closed_are_dropped() -> None:
    client, core = open_pair()
    core.send(Accepted(JOB, ("source",)))
    core.send(Credit(JOB, "source", 10))
    swap(client, core)
    late = sent(client, Pixels(JOB, "source", 0, bytes(6)))
    gone = sent(core, Cancelled(JOB))
    assert core.receive(late) == []
    assert client.receive(gone) == [Cancelled(JOB)] and client.sendable(JOB, "source") == 0
    with pytest.raises(ProtocolError):
        core.receive(b"".join(encode(Pixels(JOB, "source", 6, bytes(5)))))  # more than was left


def test_a_result_is_fetched_anew_only_when_nothing_of_it_is_under_way() -> None:
    client, core = open_pair()
    client.send(Fetch(JOB, "refined"))
    client.send(Credit(JOB, "refined", 4))
    swap(client, core)
    with pytest.raises(MisuseError, match="anew"):
        client.send(Fetch(JOB, "refined"))
    core.send(Pixels(JOB, "refined", 0, b"abcd"))
    swap(client, core)
    client.send(Fetch(JOB, "refined"))
    assert swap(client, core)[1] == [Fetch(JOB, "refined")]


@pytest.mark.parametrize("stream", ["source", "selection"])
def test_what_is_not_a_result_cannot_be_fetched(stream: str) -> None:
    client, core = open_pair()
    fetch = Fetch(JOB, stream)  # type: ignore[arg-type]
    with pytest.raises(MisuseError):
        client.send(fetch)
    with pytest.raises(ProtocolError):
        core.receive(b"".join(encode(fetch)))


def test_the_books_are_bounded() -> None:
    _client, core = open_pair()
    with pytest.raises(ProtocolError, match="streams"):
        for number in range(MOST_STREAMS + 1):
            core.receive(b"".join(encode(Fetch(f"{number:032x}", "refined"))))
