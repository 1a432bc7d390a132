"""A job as the pipeline runs it: its folder, what lies in there, its models, and how it tells of itself."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scumble_core.errors import Cancelled
from scumble_core.events import Event, How, Stage, StageStarted, TaskFinished, TileFinished, TilePreview
from scumble_core.inputs import Inputs
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.resample import Filter, resize
from scumble_core.picture.storage import Floats
from scumble_core.request import RefineRequest
from scumble_core.stages.blend import TileDone
from scumble_core.stages.pace import Pace
from scumble_core.stages.store import TaskDone, TileStore

if TYPE_CHECKING:
    from torch import Tensor

    from scumble_core.models.cache import ModelCache

PREVIEW_SIDE = 256
# So often a tile is shown while it is walked.
SKETCH_SECONDS = 1.0
RESULTS = ("upscaled.npy", "refined.npy")

Emit = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class Job:
    """One job on its way. `work` is for files that only serve while it runs; `tiles` keeps what is finished."""

    folder: Path
    work: Path
    tiles: TileStore
    request: RefineRequest
    inputs: Inputs
    models: "ModelCache"
    emit: Emit
    cancelled: Callable[[], bool]

    def start(self, stage: Stage, tiles: int) -> None:
        """A stage begins."""
        self.check_cancelled()
        self.emit(StageStarted(stage, tiles))

    def stepper(
        self, stage: Stage, steps: int, seconds: float, scale: float, output: Extent, pace: Pace, before: int = 0
    ) -> Callable[[Bounds], None]:
        """Tells of each finished step of a stage in `steps` steps, and ends the job when that is wished.

        `seconds`: the stage's estimate; `scale`: from the stage's pixels to those of `output`; `before`: so many of the
        steps are done already.
        """
        numbers = itertools.count(1 + before)

        def done(box: Bounds) -> None:
            pace.advance(seconds / steps)
            place = box.scaled(scale).intersect(Bounds.of(output))
            self.emit(TileFinished(stage, min(next(numbers), steps), steps, pace.seconds_left, place))
            self.check_cancelled()

        return done

    def counter(
        self, stage: Stage, tiles: int, seconds: float, scale: float, output: Extent, pace: Pace, before: int = 0
    ) -> TileDone:
        """Tells of each finished tile, and shows it; arguments as in `stepper`."""
        step = self.stepper(stage, tiles, seconds, scale, output, pace, before)

        def done(box: Bounds, pixels: Floats) -> None:
            self.emit(TilePreview(box.scaled(scale).intersect(Bounds.of(output)), preview(pixels)))
            step(box)

        return done

    def sketches(
        self, draw: "Callable[[Tensor], Tensor]", scale: float, output: Extent
    ) -> "Callable[[Bounds, Tensor], None]":
        """Shows tiles while they are walked, now and then; arguments as in `stepper`. `draw`: shows a latent."""
        last = time.monotonic()

        def show(box: Bounds, latent: "Tensor") -> None:
            nonlocal last
            if time.monotonic() < last + SKETCH_SECONDS:
                return
            place = box.scaled(scale).intersect(Bounds.of(output))
            self.emit(TilePreview(place, preview(draw(latent).numpy()), finished=False))
            last = time.monotonic()

        return show

    def teller(self, stage: Stage, scale: float, output: Extent) -> TaskDone:
        """Tells of each task of a stage whose outcome lies in the store; arguments as in `stepper`."""

        def told(key: str, box: Bounds, seconds: float, how: How) -> None:
            place = box.scaled(scale).intersect(Bounds.of(output))
            self.emit(TaskFinished(stage, key, place, round(seconds, 4), how))

        return told

    def check_cancelled(self) -> None:
        """Raises Cancelled when that is wished."""
        if self.cancelled():
            raise Cancelled


def preview(pixels: Floats) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """H x W x 3 in 0 to 1 to uint8, at most 256 px a side."""
    height, width = pixels.shape[:2]
    share = min(1.0, PREVIEW_SIDE / max(height, width))
    small = resize(pixels, Extent(width, height).scaled(share), Filter.BILINEAR)
    return np.round(small * 255).astype(np.uint8)
