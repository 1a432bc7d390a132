"""The JSON lines that the worker process says, and what they mean."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scumble_core.events import Event, Finished, JobResult, StageStarted, TaskFinished, TileFinished, TilePreview
from scumble_core.picture.geometry import Bounds

# A preview of 256 x 256 pixels is 262144 characters of base64; the rest is small.
LONGEST_LINE = 1024 * 1024
# The worker's exit code when its device is of no more use to this process, but may be to the next.
DEVICE_LOST = 70


@dataclass(frozen=True)
class DeviceKnown:
    """What the worker computes on: the answer to "describe", and said again after each job.

    `memory` and `free`: bytes of the device's, 0 where that isn't known. `loaded`: the models that the worker holds.
    `devices`: all of this machine's that a worker could have, by torch's names.
    """

    device: str
    memory: int = 0
    free: int = 0
    loaded: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobFailed:
    """The job that ran has failed."""

    code: str
    message: str


@dataclass(frozen=True)
class JobCancelled:
    """The job that ran was cancelled."""


Said = Event | DeviceKnown | JobFailed | JobCancelled


def to_line(said: Said) -> bytes:
    """One line of ASCII, with its end."""
    values = {"said": type(said).__name__, **_values(said)}
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def from_line(line: bytes) -> Said:
    """The opposite of `to_line`. ValueError when it is not such a line."""
    try:
        values = json.loads(line)
        return _built(values.pop("said"), values)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a line of the worker: {line[:80]!r}") from error


def _values(said: Said) -> dict[str, Any]:
    if isinstance(said, Finished):
        return {"result": said.result.to_dict()}
    if isinstance(said, TilePreview):
        height, width = said.pixels.shape[:2]
        data = base64.b64encode(np.ascontiguousarray(said.pixels).tobytes()).decode("ascii")
        return {
            "bounds": asdict(said.bounds), "width": width, "height": height, "data": data, "finished": said.finished
        }  # fmt: skip
    return asdict(said)


def _built(name: str, values: Mapping[str, Any]) -> Said:
    if name == "Finished":
        return Finished(JobResult.from_dict(values["result"]))
    if name == "TilePreview":
        shape = (int(values["height"]), int(values["width"]), 3)
        pixels = np.frombuffer(base64.b64decode(values["data"]), np.uint8).reshape(shape)
        return TilePreview(Bounds(**values["bounds"]), pixels, bool(values["finished"]))
    if name in ("TileFinished", "TaskFinished"):
        kind = TileFinished if name == "TileFinished" else TaskFinished
        return kind(**{**values, "bounds": Bounds(**values["bounds"])})
    if name == "DeviceKnown":
        return DeviceKnown(**{**values, "loaded": tuple(values["loaded"]), "devices": tuple(values["devices"])})
    plain: dict[str, type[StageStarted | JobFailed | JobCancelled]] = {
        kind.__name__: kind for kind in (StageStarted, JobFailed, JobCancelled)
    }
    return plain[name](**values)
