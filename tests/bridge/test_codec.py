"""Messages to frames and back."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MESSAGES

from scumble_bridge.codec import encode, parse
from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.fields import JobRow, PictureHeader
from scumble_bridge.frames import Frame, FrameReader
from scumble_bridge.messages import Describe, Failed, Message, Ping, Pixels, Queue, Submit, Unknown

JOB = "0123456789abcdef0123456789abcdef"


def frame_of(data: bytes) -> Frame:
    reader = FrameReader()
    reader.trust()
    rest = memoryview(data)
    while rest:
        room = reader.room()
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        reader.filled(count)
        rest = rest[count:]
        if rest:
            assert reader.next_frame() is None
    frame = reader.next_frame()
    assert frame is not None and reader.kept == 0
    return frame


@given(MESSAGES)
def test_every_message_comes_back_as_it_went_out(message: Message) -> None:
    assert parse(frame_of(b"".join(encode(message)))) == message


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.binary(max_size=5))
def test_any_header_is_a_message_or_a_protocol_error(header: bytes, payload: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        parse(Frame(header, payload))


@given(MESSAGES, st.data())
def test_a_field_of_another_kind_is_a_message_or_a_protocol_error(message: Message, data: st.DataObject) -> None:
    values = json.loads(frame_of(b"".join(encode(message))).header)
    name = data.draw(st.sampled_from(sorted(values)))
    values[name] = data.draw(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just([[]]) | st.just({})
    )
    with contextlib.suppress(ProtocolError):
        parse(Frame(json.dumps(values).encode(), b""))


def test_a_type_that_is_not_known_is_named_not_refused() -> None:
    assert parse(Frame(b'{"type":"polish","shine":3}', b"")) == Unknown("polish")


def test_fields_that_are_not_known_are_ignored_and_fields_that_are_missing_are_not() -> None:
    assert parse(Frame(b'{"type":"ping","nonce":3,"later":[1]}', b"")) == Ping(3)
    with pytest.raises(ProtocolError, match=r"ping\.nonce is missing"):
        parse(Frame(b'{"type":"ping"}', b""))


def test_a_field_with_a_default_may_be_missing() -> None:
    header = {"width": 1, "height": 1, "depth": "u8", "layout": "rgba"}
    values = {"type": "submit", "job": JOB, "request": {}, "source": header}
    assert parse(Frame(json.dumps(values).encode(), b"")) == Submit(JOB, {}, PictureHeader(1, 1, "u8", "rgba"))


@pytest.mark.parametrize("depth", [10, 500, 990, 5_000, 30_000])
def test_nesting_of_any_depth_never_overflows_the_stack(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    for header in (nested, b'{"type":"ping","nonce":%s}' % nested, b'{"type":"failed","a":"\\u0041","b":%s}' % nested):
        with pytest.raises(ProtocolError):
            parse(Frame(header, b""))


@pytest.mark.parametrize(
    "text", [b'{"type":"failed","job":null,"code":"x","message":"\\ud800"}', b'{"type":NaN}', b"[]"]
)
def test_what_json_cannot_carry_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(Frame(text, b""))


def test_a_payload_belongs_only_to_messages_that_have_one() -> None:
    with pytest.raises(ProtocolError, match="payload"):
        parse(Frame(b'{"type":"describe"}', b"x"))
    assert parse(Frame(b'{"type":"describe"}', b"")) == Describe()


def test_our_own_bad_messages_never_leave() -> None:
    for message in (
        Failed(None, "x", "m" * 8001),
        Ping(-1),
        Submit("../../etc", {}, PictureHeader(1, 1, "u8", "rgba")),
        Submit(JOB, {"scale": float("nan")}, PictureHeader(1, 1, "u8", "rgba")),
        Submit(JOB, {"prompt": "p" * 70_000}, PictureHeader(1, 1, "u8", "rgba")),
        Pixels(JOB, "source", 0, bytes(1024 * 1024 + 1)),
    ):
        with pytest.raises(MisuseError):
            encode(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile", 16 * 1024 * 1024 + 1), ("profile", -1), ("regions", [{}]), ("strength", 1), ("title", "t" * 1001),
        ("regions", [{"width": 1, "height": 1, "depth": "u8", "layout": "mask"}] * 17), ("regions", None),
    ],
)  # fmt: skip
def test_what_comes_beside_a_source_is_checked(field: str, value: object) -> None:
    header = {"width": 1, "height": 1, "depth": "f16", "layout": "rgba"}
    values = {"type": "submit", "job": JOB, "request": {}, "source": header, field: value}
    with pytest.raises(ProtocolError, match=rf"submit\.{field}"):
        parse(Frame(json.dumps(values).encode(), b""))


@pytest.mark.parametrize("selection", [[], [0, 0, 1], [0, 0, 1, 1, 1], [0.5, 0, 1, 1], [0, 0, 2**31, 1], {}, "whole"])
def test_a_selection_has_four_whole_numbers(selection: object) -> None:
    header = {"width": 1, "height": 1, "depth": "u8", "layout": "rgba"}
    values = {"type": "estimate", "ask": 1, "request": {}, "source": header, "selection": selection}
    with pytest.raises(ProtocolError, match=r"estimate\.selection"):
        parse(Frame(json.dumps(values).encode(), b""))


def test_a_row_of_the_list_of_jobs_is_whole_or_refused() -> None:
    row = {"job": JOB, "title": "", "client": "", "state": "queued", "stage": "queued", "tile": 0, "tiles": 0,
           "seconds_left": None, "priority": 0}  # fmt: skip
    whole = {"type": "queue", "jobs": [row]}
    assert parse(Frame(json.dumps(whole).encode(), b"")) == Queue(
        (JobRow(JOB, "", "", "queued", "queued", 0, 0, None, 0),)
    )
    for name in row:
        part = {key: value for key, value in row.items() if key != name}
        with pytest.raises(ProtocolError, match=name):
            parse(Frame(json.dumps({**whole, "jobs": [part]}).encode(), b""))
    with pytest.raises(ProtocolError, match="200 entries"):
        parse(Frame(json.dumps({**whole, "jobs": [row] * 201}).encode(), b""))
