"""What a running job says of itself: frozen values, made by the pipeline, shown by whoever listens."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scumble_core.picture.geometry import Bounds

Stage = Literal["restore", "first_pass", "upscale", "merge", "tiles", "compose"]
STAGES: tuple[Stage, ...] = ("restore", "first_pass", "upscale", "merge", "tiles", "compose")

How = Literal["done", "kept", "taken over"]
HOWS: tuple[How, ...] = ("done", "kept", "taken over")


@dataclass(frozen=True)
class JobResult:
    """Where both results lie, in output pixels, and a summary fit for JSON (settings, seconds, models, ...)."""

    x: int
    y: int
    width: int
    height: int
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.x, self.y, self.width, self.height)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "summary": dict(self.summary)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "JobResult":
        sides = {name: int(values[name]) for name in ("x", "y", "width", "height")}
        return cls(**sides, summary=dict(values.get("summary", {})))


@dataclass(frozen=True)
class StageStarted:
    """A stage began; it has `tiles` tiles (at least 1)."""

    stage: Stage
    tiles: int


@dataclass(frozen=True)
class TileFinished:
    """Tile `tile` of `tiles` (from 1) is done. `seconds_left` is for the whole job, None while not yet known.

    `bounds`: the tile's box in output pixels.
    """

    stage: Stage
    tile: int
    tiles: int
    seconds_left: float | None
    bounds: Bounds


@dataclass(frozen=True)
class TaskFinished:
    """A task's outcome lies in the job's store, by its key. `how`: it was done now, kept from an earlier run of this
    job, or taken over from another job. `seconds`: what it took to do, 0 where it was not done.

    A stage may have more tasks than tiles that it counts, or none: it is for the books, not for the eye. `bounds` as in
    TileFinished.
    """

    stage: Stage
    key: str
    bounds: Bounds
    seconds: float
    how: How


@dataclass(frozen=True, eq=False)
class TilePreview:
    """How a tile looks. `bounds` in output pixels; `pixels` uint8, H x W x 3, at most 256 px a side.

    `finished`: else it is still walked, and this is what the model now takes it for.
    """

    bounds: Bounds
    pixels: NDArray[np.uint8]
    finished: bool = True


@dataclass(frozen=True)
class Finished:
    """The job is done, and its results are in the job folder."""

    result: JobResult


Event = StageStarted | TileFinished | TaskFinished | TilePreview | Finished
