"""Messages to frames and back.

What comes in is checked strictly, with two doors open for newer peers: fields that aren't known are ignored,
and a message whose type isn't known becomes `Unknown`, which the connection answers politely.
"""

import json
from dataclasses import MISSING, dataclass, fields
from typing import cast, get_type_hints

from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.frames import Buffer, Frame, encode_head
from scumble_bridge.kinds import Kind, Payload
from scumble_bridge.messages import MESSAGE_TYPES, Message, Unknown


@dataclass(frozen=True)
class _Format:
    """How one class travels: its kinds by field, which may be missing, and which field is the payload."""

    cls: "type[Message]"
    kinds: "dict[str, Kind]"
    optional: "frozenset[str]"
    payload: "str | None"
    as_bytes: bool


def _format(cls: "type[Message]") -> _Format:
    hints = get_type_hints(cls, include_extras=True)
    marks = {field.name: hints[field.name].__metadata__[0] for field in fields(cls)}
    payload = next((name for name, mark in marks.items() if isinstance(mark, Payload)), None)
    kinds = {name: cast("Kind", mark) for name, mark in marks.items() if name != payload}
    optional = frozenset(field.name for field in fields(cls) if field.default is not MISSING)
    as_bytes = any(isinstance(mark, Payload) and mark.as_bytes for mark in marks.values())
    return _Format(cls, kinds, optional, payload, as_bytes)


_FORMATS = {cls.__name__.lower(): _format(cls) for cls in MESSAGE_TYPES}


def encode(message: Message) -> "list[Buffer]":
    """The message's frame, in one or two pieces (so that a large payload isn't copied)."""
    name = type(message).__name__.lower()
    layout = _FORMATS[name]
    values = {field: kind.encode(getattr(message, field)) for field, kind in layout.kinds.items()}
    try:
        header = _ENCODER.encode({"type": name, **values}).encode()
        parse(Frame(header, b"" if layout.payload is None else bytes(1)))
    except (ProtocolError, ValueError, TypeError, RecursionError) as error:
        raise MisuseError(f"{type(message).__name__} can't be sent: {error}") from error
    payload: Buffer = getattr(message, layout.payload) if layout.payload else b""
    head = encode_head(header, len(payload)) + header
    return [head, payload] if len(payload) else [head]


def parse(frame: Frame) -> "Message | Unknown":
    """The message in a frame; ProtocolError when it isn't one."""
    values = _read_json(frame.header)
    name = values.get("type")
    if not isinstance(name, str):
        raise ProtocolError("A message has no type.")
    layout = _FORMATS.get(name)
    if layout is None:
        return Unknown(name[:64])
    if frame.payload and layout.payload is None:
        raise ProtocolError(f"The message {name} came with a payload, but has none.")
    checked: dict[str, object] = {}
    for field, kind in layout.kinds.items():
        if field in values:
            checked[field] = kind.decode(values[field], f"{name}.{field}")
        elif field not in layout.optional:
            raise ProtocolError(f"The field {name}.{field} is missing.")
    if layout.payload is not None:
        checked[layout.payload] = bytes(frame.payload) if layout.as_bytes else frame.payload
    return layout.cls(**checked)  # type: ignore[arg-type]  # each kind has checked its field


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


# Made once: json.dumps and json.loads make one each time they are told more than a value.
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _read_json(header: bytes) -> "dict[str, object]":
    try:
        text = header.decode("utf-8")
        values: object = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(values, ensure_ascii=False).encode("utf-8")  # halves of surrogate pairs end here
    except (ValueError, RecursionError):
        raise ProtocolError("A message's header is not JSON.") from None
    if not isinstance(values, dict):
        raise ProtocolError("A message's header is not a JSON object.")
    return values
