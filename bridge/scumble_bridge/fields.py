"""What the fields of messages may hold: pictures, streams, rows, and the kinds (kinds.py) that check them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from scumble_bridge.frames import Buffer
from scumble_bridge.kinds import Hex, JsonObject, ListOf, OneOf, OrNone, Part, Payload, Seconds, Text, Whole

Depth = Literal["u8", "u16", "f16", "f32"]
Layout = Literal["rgba", "bgra", "mask"]
Upload = Literal[
    "source", "selection", "profile", "strength",
    "region-1", "region-2", "region-3", "region-4", "region-5", "region-6", "region-7", "region-8",
    "region-9", "region-10", "region-11", "region-12", "region-13", "region-14", "region-15", "region-16",
]  # fmt: skip
Result = Literal["upscaled", "refined"]
Stream = Literal[Upload, Result]

DEPTH_BYTES: Mapping[str, int] = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}
LAYOUT_CHANNELS: Mapping[str, int] = {"rgba": 4, "bgra": 4, "mask": 1}
UPLOADS: "tuple[Upload, ...]" = get_args(Upload)
RESULTS: "tuple[Result, ...]" = get_args(Result)
CLIENT_STREAMS: "frozenset[Upload]" = frozenset(UPLOADS)
CORE_STREAMS: "frozenset[Result]" = frozenset(RESULTS)
REGION_STREAMS: "tuple[Upload, ...]" = tuple(each for each in UPLOADS if each.startswith("region-"))
# An ICC profile is a few kilobytes, with large tables a few megabytes.
MOST_PROFILE = 16 * 1024 * 1024
# Rows of a Queue: they must fit into a header.
MOST_ROWS = 200

# The largest picture side and byte count that fit through Krita's and numpy's 32-bit corners.
MOST_SIDE = 2**31 - 1
MOST_BYTES = 2**53 - 1
_JOB = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")

JobId = Annotated[str, Text(36, _JOB)]
MaybeJob = Annotated[str | None, OrNone(Text(36, _JOB))]
Words = Annotated[str, Text(8000)]
Name = Annotated[str, Text(1000)]
StreamName = Annotated[Stream, OneOf((*UPLOADS, *RESULTS))]
Uploads = Annotated[tuple[Upload, ...], ListOf(OneOf(UPLOADS), len(UPLOADS))]
Side = Annotated[int, Whole(0, MOST_SIDE)]
Place = Annotated[int, Whole(-MOST_SIDE, MOST_SIDE)]
Bytes = Annotated[int, Whole(0, MOST_BYTES)]
Nonce = Annotated[bytes, Hex(32)]
Mac = Annotated[bytes, Hex(32)]
Json = Annotated[Mapping[str, object], JsonObject()]
Data = Annotated[Buffer, Payload()]
SmallData = Annotated[bytes, Payload(as_bytes=True)]


@dataclass(frozen=True)
class PictureHeader:
    """What a picture's bytes mean. Rows follow each other without padding; numbers are little-endian."""

    width: int
    height: int
    depth: Depth
    layout: Layout

    @property
    def row_bytes(self) -> int:
        """Bytes in one row."""
        return self.width * DEPTH_BYTES[self.depth] * LAYOUT_CHANNELS[self.layout]

    @property
    def total_bytes(self) -> int:
        """Bytes in the whole picture."""
        return self.height * self.row_bytes


@dataclass(frozen=True)
class ModelChoice:
    """A model that the artist may choose."""

    id: str
    name: str


@dataclass(frozen=True)
class JobRow:
    """A job in the list of all. `stage`, `tile`, `tiles` and `seconds_left`: as Progress has them last."""

    job: str
    title: str
    client: str
    state: str
    stage: str
    tile: int
    tiles: int
    seconds_left: "float | None"
    priority: int


_side = Whole(0, MOST_SIDE)
_count = Whole(0, MOST_SIDE)
PICTURE = Part(
    {
        "width": _side,
        "height": _side,
        "depth": OneOf(tuple(DEPTH_BYTES)),
        "layout": OneOf(tuple(LAYOUT_CHANNELS)),
    },
    PictureHeader,
)
CHOICES = ListOf(Part({"id": Text(1000), "name": Text(1000)}, ModelChoice), 1000)
ROW = Part(
    {
        "job": Text(36, _JOB),
        "title": Text(1000),
        "client": Text(1000),
        "state": Text(64),
        "stage": Text(64),
        "tile": _count,
        "tiles": _count,
        "seconds_left": OrNone(Seconds()),
        "priority": Whole(-100, 100),
    },
    JobRow,
)

Picture = Annotated[PictureHeader, PICTURE]
Regions = Annotated[tuple[PictureHeader, ...], ListOf(PICTURE, len(REGION_STREAMS))]
MaybeBox = Annotated[tuple[int, ...] | None, OrNone(ListOf(Whole(-MOST_SIDE, MOST_SIDE), 4, 4))]
MaybePicture = Annotated[PictureHeader | None, OrNone(PICTURE)]
MaybeSeconds = Annotated[float | None, OrNone(Seconds())]
Choices = Annotated[tuple[ModelChoice, ...], CHOICES]
Names = Annotated[tuple[str, ...], ListOf(Text(1000), 64)]
Rows = Annotated[tuple[JobRow, ...], ListOf(ROW, MOST_ROWS)]
Versions = Annotated[tuple[int, ...], ListOf(Whole(1, 255), 16)]
Version = Annotated[int, Whole(1, 255)]
Count = Annotated[int, Whole(0, 2**31 - 1)]
PreviewSide = Annotated[int, Whole(1, 256)]
Grant = Annotated[int, Whole(1, 2**31 - 1)]
Beat = Annotated[int, Whole(0, 2**32 - 1)]
Code = Annotated[str, Text(64)]
Priority = Annotated[int, Whole(-100, 100)]
Stopping = Annotated[str, OneOf(("stop", "pause"))]
ProfileBytes = Annotated[int, Whole(0, MOST_PROFILE)]
WorkerState = Annotated[str, OneOf(("off", "starting", "ready", "busy"))]
