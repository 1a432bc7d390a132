"""The messages, as frozen dataclasses.

A class's field list is its wire format: each field is annotated with its kind (see fields.py), a field with a
default may be missing, and the class's name in lower case is the message's type. codec.py does the rest.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Union, get_args

from scumble_bridge.fields import (
    Bytes,
    Choices,
    Data,
    JobId,
    Json,
    ListOf,
    Mac,
    MaybeJob,
    MaybePicture,
    MaybeSeconds,
    Name,
    Nonce,
    OneOf,
    Picture,
    Place,
    Side,
    SmallData,
    StreamName,
    Text,
    Whole,
    Words,
)

Versions = Annotated[tuple[int, ...], ListOf(Whole(1, 255), 16)]
Version = Annotated[int, Whole(1, 255)]
Count = Annotated[int, Whole(0, 2**31 - 1)]
PreviewSide = Annotated[int, Whole(1, 256)]
Grant = Annotated[int, Whole(1, 2**31 - 1)]
Beat = Annotated[int, Whole(0, 2**32 - 1)]
Code = Annotated[str, Text(64)]
Priority = Annotated[int, Whole(-100, 100)]
Stopping = Annotated[str, OneOf(("stop", "pause"))]


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
    """A new job, or one that the core knows: that goes on where it was stopped. `request` is RefineRequest.to_dict().

    Jobs of a higher `priority` run first; among equals those who give the same `client` share one place in turn.
    """

    job: JobId
    request: Json
    source: Picture
    selection: MaybePicture = None
    priority: Priority = 0
    client: Name = ""


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
    data: SmallData


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
    """Stop this job, whatever it does. What is finished of it stays for a while: Submit goes on from there.

    The mode "pause" says that this is meant: a job that is done or stopped already isn't touched then.
    """

    job: JobId
    mode: Stopping = "stop"


@dataclass(frozen=True)
class Cancelled:
    """The job has been stopped."""

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
MESSAGE_TYPES: "Final[tuple[type[Message], ...]]" = get_args(Message)
