"""The messages, as frozen dataclasses, and their way to and from frames.

A class's field list is its wire format: each field is annotated with its kind (see fields.py). What comes in
is checked strictly, with two doors open for newer peers: fields that aren't known are ignored, and a message
whose type isn't known becomes `Unknown`, which the connection answers politely. Fields with a default may be
missing.
"""

import json
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Final, Union, cast, get_type_hints

from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.fields import (
    Bytes,
    Choices,
    Data,
    JobId,
    Json,
    Kind,
    ListOf,
    Mac,
    MaybePicture,
    MaybeSeconds,
    Name,
    Nonce,
    OrNone,
    Payload,
    Picture,
    Place,
    Side,
    StreamName,
    Text,
    Whole,
    Words,
)
from scumble_bridge.frames import Frame, encode_head

Versions = Annotated["tuple[int, ...]", ListOf(Whole(1, 255), 16)]
Version = Annotated[int, Whole(1, 255)]
Count = Annotated[int, Whole(0, 2**31 - 1)]
PreviewSide = Annotated[int, Whole(1, 256)]
Grant = Annotated[int, Whole(1, 2**31 - 1)]
Beat = Annotated[int, Whole(0, 2**32 - 1)]
MaybeJob = Annotated["str | None", OrNone(cast("Kind", JobId.__metadata__[0]))]  # type: ignore[attr-defined]
Code = Annotated[str, Text(64)]


@dataclass(frozen=True)
class Hello:
    """The client speaks first: the protocol versions it knows, and its nonce."""

    versions: Versions
    nonce: Nonce


@dataclass(frozen=True)
class Challenge:
    """The core's answer: the version it chose, and its nonce."""

    version: Version
    nonce: Nonce


@dataclass(frozen=True)
class Prove:
    """The client shows that it knows the token."""

    mac: Mac


@dataclass(frozen=True)
class Welcome:
    """The core shows that it knows the token too."""

    mac: Mac
    server: Name


@dataclass(frozen=True)
class Describe:
    """What can you do?"""


@dataclass(frozen=True)
class Described:
    """The answer to Describe."""

    device: Name
    core_version: Name
    models: Choices
    refiners: Choices
    upscalers: Choices


@dataclass(frozen=True)
class Submit:
    """A new job. `request` is RefineRequest.to_dict()."""

    job: JobId
    request: Json
    source: Picture
    selection: MaybePicture = None


@dataclass(frozen=True)
class Accepted:
    """The core has the job. Credit for "source" after it asks for the pixels, from the first byte on."""

    job: JobId


@dataclass(frozen=True)
class Pixels:
    """The next bytes of a picture."""

    job: JobId
    stream: StreamName
    offset: Bytes
    data: Data


@dataclass(frozen=True)
class Credit:
    """The receiver of a stream allows that many more bytes."""

    job: JobId
    stream: StreamName
    bytes: Grant


@dataclass(frozen=True)
class Progress:
    """How far a job is. The stage "queued" means that it waits; `tile` then counts the jobs before it."""

    job: JobId
    stage: Name
    tile: Count
    tiles: Count
    seconds_left: MaybeSeconds = None


@dataclass(frozen=True)
class Preview:
    """A small picture of a finished tile. The box is in output pixels; the data is RGB, 8 bits a channel."""

    job: JobId
    x: Place
    y: Place
    width: Side
    height: Side
    pixel_width: PreviewSide
    pixel_height: PreviewSide
    data: Data


@dataclass(frozen=True)
class Finished:
    """Both pictures wait to be fetched. x and y: where they lie, in output pixels."""

    job: JobId
    x: Place
    y: Place
    upscaled: Picture
    refined: Picture
    summary: Json


@dataclass(frozen=True)
class Fetch:
    """Send me that result, as I give you credit."""

    job: JobId
    stream: StreamName


@dataclass(frozen=True)
class Release:
    """I have all I want of this job: its results may be deleted."""

    job: JobId


@dataclass(frozen=True)
class Cancel:
    """Stop this job, whatever it does."""

    job: JobId


@dataclass(frozen=True)
class Cancelled:
    """The job has been stopped; nothing of it is left."""

    job: JobId


@dataclass(frozen=True)
class Attach:
    """Tell me where this job stands, and then all that it does."""

    job: JobId


@dataclass(frozen=True)
class Failed:
    """A job has failed, or (job None) an order could not be followed. The message is for people."""

    job: MaybeJob
    code: Code
    message: Words


@dataclass(frozen=True)
class Ping:
    """Are you there?"""

    nonce: Beat


@dataclass(frozen=True)
class Pong:
    """Here I am."""

    nonce: Beat


@dataclass(frozen=True)
class Unknown:
    """A message whose type this side doesn't know. Never sent."""

    type: str


Message = Union[  # noqa: UP007 - Python 3.10 reads both; the long form breaks better over lines
    Hello, Challenge, Prove, Welcome, Describe, Described, Submit, Accepted, Pixels, Credit, Progress, Preview,
    Finished, Fetch, Release, Cancel, Cancelled, Attach, Failed, Ping, Pong,
]  # fmt: skip
MESSAGE_TYPES: "Final[tuple[type[Message], ...]]" = Message.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Format:
    """How one class travels: its kinds by field, which may be missing, and which field is the payload."""

    cls: "type[Message]"
    kinds: "dict[str, Kind]"
    optional: "frozenset[str]"
    payload: "str | None"


def _format(cls: "type[Message]") -> _Format:
    hints = get_type_hints(cls, include_extras=True)
    kinds = {field.name: cast("Kind", hints[field.name].__metadata__[0]) for field in fields(cls)}
    payload = next((name for name, kind in kinds.items() if isinstance(kind, Payload)), None)
    optional = frozenset(field.name for field in fields(cls) if field.default is not MISSING)
    return _Format(cls, {name: kind for name, kind in kinds.items() if name != payload}, optional, payload)


_FORMATS = {cls.__name__.lower(): _format(cls) for cls in MESSAGE_TYPES}


def encode(message: Message) -> "list[bytes]":
    """The message's frame, in one or two pieces (so that a large payload isn't copied)."""
    name = type(message).__name__.lower()
    layout = _FORMATS[name]
    values = {field: kind.encode(getattr(message, field)) for field, kind in layout.kinds.items()}
    try:
        header = json.dumps({"type": name, **values}, allow_nan=False, separators=(",", ":")).encode()
        parse(Frame(header, b"" if layout.payload is None else bytes(1)))
    except (ProtocolError, ValueError, TypeError) as error:
        raise MisuseError(f"{type(message).__name__} can't be sent: {error}") from error
    payload: bytes = getattr(message, layout.payload) if layout.payload else b""
    head = encode_head(header, len(payload)) + header
    return [head, payload] if payload else [head]


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
        checked[layout.payload] = frame.payload
    return layout.cls(**checked)  # type: ignore[arg-type]  # each kind has checked its field


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _read_json(header: bytes) -> "dict[str, object]":
    try:
        text = header.decode("utf-8")
        values: object = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(values, ensure_ascii=False).encode("utf-8")  # halves of surrogate pairs end here
    except (ValueError, RecursionError):
        raise ProtocolError("A message's header is not JSON.") from None
    if not isinstance(values, dict):
        raise ProtocolError("A message's header is not a JSON object.")
    return values
