"""The messages, as frozen dataclasses.

A class's field list is its wire format: each field is annotated with its kind (see fields.py), a field with a
default may be missing, and the class's name in lower case is the message's type. codec.py does the rest.
"""

from dataclasses import dataclass
from typing import Final, Union, get_args

from scumble_bridge import fields


@dataclass(frozen=True)
class Hello:
    """The client speaks first: the protocol versions it knows, and its nonce."""

    versions: fields.Versions
    nonce: fields.Nonce


@dataclass(frozen=True)
class Challenge:
    """The core's answer: the version it chose, and its nonce."""

    version: fields.Version
    nonce: fields.Nonce


@dataclass(frozen=True)
class Prove:
    """The client shows that it knows the token."""

    mac: fields.Mac


@dataclass(frozen=True)
class Welcome:
    """The core shows that it knows the token too."""

    mac: fields.Mac
    server: fields.Name


@dataclass(frozen=True)
class Describe:
    """What can you do?"""


@dataclass(frozen=True)
class Described:
    """The answer to Describe.

    `memory` and `free`: bytes of the device, 0 while they aren't known. `worker`: the process that computes is not
    there, loads, waits or computes. `loaded`: names of the models that it holds. `presets`: what a request may name.
    `loras`, `controlnets`, `vaes`: what it may add to a model. `restorers`: what may clean first. `left_out`: how many
    models more there are than go into a message; those used last are in it.
    """

    device: fields.Name
    core_version: fields.Name
    models: fields.Choices
    refiners: fields.Choices
    upscalers: fields.Choices
    memory: fields.Bytes = 0
    free: fields.Bytes = 0
    worker: fields.WorkerState = "off"
    loaded: fields.Names = ()
    presets: fields.Choices = ()
    loras: fields.Choices = ()
    controlnets: fields.Choices = ()
    vaes: fields.Choices = ()
    left_out: fields.Count = 0
    restorers: fields.Choices = ()


@dataclass(frozen=True)
class Submit:
    """A new job, or one that the core knows: that goes on where it was stopped. `request` is RefineRequest.to_dict().

    Jobs of a higher `priority` run first; among equals those who give the same `client` share one place in turn.
    `title`: what people call the job. `profile`: how many bytes the ICC profile of the source's colours has; 0: they
    are sRGB. `strength` and `regions`: masks as large as the source, one region for each of the request's.
    """

    job: fields.JobId
    request: fields.Json
    source: fields.Picture
    selection: fields.MaybePicture = None
    priority: fields.Priority = 0
    client: fields.Name = ""
    title: fields.Name = ""
    profile: fields.ProfileBytes = 0
    strength: fields.MaybePicture = None
    regions: fields.Regions = ()


@dataclass(frozen=True)
class Accepted:
    """The core has the job. It waits for these streams, from their first byte on, and gives credit for them next.

    A job that the core knew already needs none.
    """

    job: fields.JobId
    streams: fields.Uploads = ()


@dataclass(frozen=True)
class Pixels:
    """The next bytes of a picture."""

    job: fields.JobId
    stream: fields.StreamName
    offset: fields.Bytes
    data: fields.Data


@dataclass(frozen=True)
class Credit:
    """The receiver of a stream allows that many more bytes."""

    job: fields.JobId
    stream: fields.StreamName
    bytes: fields.Grant


@dataclass(frozen=True)
class Progress:
    """How far a job is. The stage "queued" means that it waits; `tile` then counts the jobs before it."""

    job: fields.JobId
    stage: fields.Name
    tile: fields.Count
    tiles: fields.Count
    seconds_left: fields.MaybeSeconds = None


@dataclass(frozen=True)
class Preview:
    """A small picture of a tile that is finished, or still worked on: then another one follows. The box is in output
    pixels; the data is RGB, 8 bits a channel.
    """

    job: fields.JobId
    x: fields.Place
    y: fields.Place
    width: fields.Side
    height: fields.Side
    pixel_width: fields.PreviewSide
    pixel_height: fields.PreviewSide
    data: fields.SmallData


@dataclass(frozen=True)
class Finished:
    """Both pictures wait to be fetched. x and y: where they lie, in output pixels."""

    job: fields.JobId
    x: fields.Place
    y: fields.Place
    upscaled: fields.Picture
    refined: fields.Picture
    summary: fields.Json


@dataclass(frozen=True)
class Fetch:
    """Send me that result, as I give you credit."""

    job: fields.JobId
    stream: fields.StreamName


@dataclass(frozen=True)
class Release:
    """I have all I want of this job: its results may be deleted."""

    job: fields.JobId


@dataclass(frozen=True)
class Cancel:
    """Stop this job, whatever it does. What is finished of it stays for a while: Submit goes on from there.

    The mode "pause" says that this is meant: a job that is done or stopped already isn't touched then.
    """

    job: fields.JobId
    mode: fields.Stopping = "stop"


@dataclass(frozen=True)
class Cancelled:
    """The job has been stopped."""

    job: fields.JobId


@dataclass(frozen=True)
class Attach:
    """Tell me where this job stands, and then all that it does."""

    job: fields.JobId


@dataclass(frozen=True)
class Estimate:
    """What would this job do, and take? `selection`: x, y, width and height of its bounds in source pixels."""

    ask: fields.Beat
    request: fields.Json
    source: fields.Picture
    selection: fields.MaybeBox = None


@dataclass(frozen=True)
class Estimated:
    """The answer to the Estimate of the same `ask`: the plan, or (the plan empty) a sentence that says why not."""

    ask: fields.Beat
    plan: fields.Json
    error: fields.Words = ""


@dataclass(frozen=True)
class Watch:
    """Send me the list of jobs, now and whenever it changes."""


@dataclass(frozen=True)
class Queue:
    """The jobs that wait, run, are paused, or ended within the last hour; in the order in which they run or ran."""

    jobs: fields.Rows


@dataclass(frozen=True)
class Prioritise:
    """Let a job that waits run earlier, or later."""

    job: fields.JobId
    priority: fields.Priority


@dataclass(frozen=True)
class Quit:
    """End, core: what runs goes back into the queue, and the next core goes on with it."""


@dataclass(frozen=True)
class Failed:
    """A job has failed, or (job None) an order could not be followed. The message is for people."""

    job: fields.MaybeJob
    code: fields.Code
    message: fields.Words


@dataclass(frozen=True)
class Ping:
    """Are you there?"""

    nonce: fields.Beat


@dataclass(frozen=True)
class Pong:
    """Here I am."""

    nonce: fields.Beat


@dataclass(frozen=True)
class Unknown:
    """A message whose type this side doesn't know. Never sent."""

    type: str


Message = Union[  # noqa: UP007 - Python 3.10 reads both; the long form breaks better over lines
    Hello, Challenge, Prove, Welcome, Describe, Described, Submit, Accepted, Pixels, Credit, Progress, Preview,
    Finished, Fetch, Release, Cancel, Cancelled, Attach, Failed, Ping, Pong, Estimate, Estimated, Watch, Queue,
    Prioritise, Quit,
]  # fmt: skip
MESSAGE_TYPES: "Final[tuple[type[Message], ...]]" = get_args(Message)
