"""A job from its folder to its two pictures: first pass, upscale, tile pass, compose."""

import itertools
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import Event, Finished, JobResult, Stage, StageStarted, TileFinished, TilePreview
from scumble_core.models.device import is_device_lost, is_out_of_memory
from scumble_core.models.library import ModelCache
from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.resample import Filter, resize
from scumble_core.picture.storage import Floats, Picture, write_failed
from scumble_core.plan.job import Plan, RefinePass, plan_job
from scumble_core.request import RefineRequest
from scumble_core.stages.blend import TileDone
from scumble_core.stages.compose import compose
from scumble_core.stages.pace import Pace
from scumble_core.stages.prepare import check_source, is_opaque, work_picture, write_colour
from scumble_core.stages.selection import Edge, selected_bounds, write_alpha
from scumble_core.stages.tile_pass import TileRefiner, TileSettings, blend_tiles, refine_tiles
from scumble_core.stages.upscale import resized, upscale

PREVIEW_SIDE = 256
SMALLEST_TILE = 256
RESULTS = ("upscaled.npy", "refined.npy")

Emit = Callable[[Event], None]


def run_job(
    folder: Path, request: RefineRequest, models: ModelCache, emit: Emit, cancelled: Callable[[], bool]
) -> JobResult:
    """Run the job kept in `folder` (see docs/architecture.md); the results are whole, or they are not there.

    Raises Cancelled, or ScumbleError with one sentence for people.
    """
    work = folder / "work"
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        result = _Job(folder, work, request, models, emit, cancelled).run()
        _write_json(folder / "result.json", result.to_dict())
    except BaseException as error:
        for name in (*RESULTS, "result.json"):
            (folder / name).unlink(missing_ok=True)
        explained = _explained(error, folder)
        if explained is error:
            raise
        raise explained from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    emit(Finished(result))
    return result


@dataclass
class _Job:
    folder: Path
    work: Path
    request: RefineRequest
    models: ModelCache
    emit: Emit
    cancelled: Callable[[], bool]

    def run(self) -> JobResult:
        """All stages, with smaller tiles when memory runs out."""
        began = time.monotonic()
        source = Picture.open(self.folder / "source.npy")
        mask = self.folder / "selection.npy"
        selection = Picture.open(mask) if mask.exists() else None
        check_source(source, selection)
        wanted = None if selection is None else selected_bounds(selection)
        plan = plan_job(self.request, source.extent, wanted)
        pace = Pace(plan.seconds)
        colour = work_picture(self.work, "colour", source, 3)
        write_colour(source, colour)
        if plan.first_pass is not None:
            colour = self._refine("first_pass", colour, plan, plan.first_pass, pace, 1.0)
        enlarged = self._upscale(colour, plan, pace)
        refined = enlarged
        if plan.tile_pass is not None:
            refined = self._refine("tiles", enlarged, plan, plan.tile_pass, pace, self.request.scale)
        self._compose(source, selection, enlarged, refined, plan)
        box = plan.result
        summary = {**plan.to_dict(), "request": self.request.to_dict(), "seconds": round(time.monotonic() - began, 2)}
        return JobResult(box.x, box.y, box.width, box.height, {**summary, "device": self.models.device.name})

    def _upscale(self, colour: Picture, plan: Plan, pace: Pace) -> Picture:
        boxes = plan.upscale_boxes
        self._start("upscale", max(1, len(boxes)))
        if plan.upscale_grid is None:
            same = colour.extent == plan.output
            return colour if same else resized(colour, plan.output, self.work)
        upscaler = self.models.upscaler(plan.upscaler)
        done = self._counter("upscale", len(boxes), plan.upscale_seconds, self.request.scale, plan, pace)
        return upscale(
            colour, plan.output, self.work, upscaler, plan.upscale_grid, boxes, self.models.device, done
        )  # fmt: skip

    def _refine(self, stage: Stage, picture: Picture, plan: Plan, run: RefinePass, pace: Pace, scale: float) -> Picture:
        """One tiled pass; after running out of memory, again with tiles of half the side."""
        while True:
            try:
                return self._refine_once(stage, picture, plan, run, pace, scale)
            except Exception as error:
                side = max(run.grid.tile.width, run.grid.tile.height) // 2
                if not is_out_of_memory(error) or side < SMALLEST_TILE:
                    raise
            self.models.device.free_memory()
            smaller = plan_job(self.request, plan.source, plan.selection, tile_size=side)
            again = smaller.first_pass if stage == "first_pass" else smaller.tile_pass
            assert again is not None
            run = again

    def _refine_once(
        self, stage: Stage, picture: Picture, plan: Plan, run: RefinePass, pace: Pace, scale: float
    ) -> Picture:
        self._start(stage, len(run.boxes))
        tiles = self.work / stage
        tiles.mkdir(exist_ok=True)
        model = self.models.latent_model(self.request.base, plan.refiner)
        origin = Point(round(self.request.origin_x * scale), round(self.request.origin_y * scale))
        settings = TileSettings(run, self.request.seed, self.request.prompt, self.request.negative_prompt, origin)
        seconds = plan.pass_seconds(run)
        done = self._counter(stage, len(run.boxes), seconds, self.request.scale / scale, plan, pace)
        refine_tiles(picture, tiles, run, TileRefiner(model, settings, self.cancelled), done)
        target = Picture.create(self.work / f"{stage}.npy", picture.extent, 3, picture.dtype)
        blend_tiles(tiles, run, target)
        shutil.rmtree(tiles)
        return target

    def _compose(
        self, source: Picture, selection: Picture | None, enlarged: Picture, refined: Picture, plan: Plan
    ) -> None:
        self._start("compose", 1)
        alpha = None
        if selection is not None or not is_opaque(source):
            alpha = work_picture(self.work, "alpha", source, 1)
            write_alpha(source, selection, alpha, Edge())
        extent = plan.source if self.request.keep_size else plan.output
        for colour, name in zip((enlarged, refined), RESULTS, strict=True):
            self._check_cancelled()
            compose(colour, alpha, extent, plan.result, self.folder / name, source.dtype)
        self.emit(TileFinished("compose", 1, 1, 0.0, plan.region))

    def _start(self, stage: Stage, tiles: int) -> None:
        self._check_cancelled()
        self.emit(StageStarted(stage, tiles))

    def _counter(self, stage: Stage, tiles: int, seconds: float, scale: float, plan: Plan, pace: Pace) -> TileDone:
        """Tells of each finished tile. `seconds`: the stage's estimate; `scale`: from its pixels to the output's."""
        numbers = itertools.count(1)

        def done(box: Bounds, pixels: Floats) -> None:
            pace.advance(seconds / tiles)
            place = box.scaled(scale).intersect(Bounds.of(plan.output))
            self.emit(TileFinished(stage, next(numbers), tiles, pace.seconds_left, place))
            self.emit(TilePreview(place, preview(pixels)))
            self._check_cancelled()

        return done

    def _check_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled


def preview(pixels: Floats) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """H x W x 3 in 0 to 1 to uint8, at most 256 px a side."""
    height, width = pixels.shape[:2]
    share = min(1.0, PREVIEW_SIDE / max(height, width))
    small = resize(pixels, Extent(width, height).scaled(share), Filter.BILINEAR)
    return np.round(small * 255).astype(np.uint8)


def _explained(error: BaseException, folder: Path) -> BaseException:
    """The error in words for people; what is explained already stays as it is."""
    if isinstance(error, ScumbleError | Cancelled) or not isinstance(error, Exception):
        return error
    if is_out_of_memory(error):
        return ScumbleError(
            "out_of_memory",
            "The memory ran out even with small tiles: close other programs, or choose a smaller scale.",
        )
    if is_device_lost(error):
        return ScumbleError(
            "worker_died", "The graphics card stopped answering in the middle of the job: run the job again."
        )
    if isinstance(error, OSError):
        return write_failed(folder, error)
    return ScumbleError(
        "internal",
        f"The job failed in a way that Scumble did not foresee ({type(error).__name__}: {error}): report it.",
    )


def _write_json(path: Path, values: dict[str, Any]) -> None:
    side = path.with_suffix(".part")
    side.write_text(json.dumps(values, indent=1), "utf-8")
    side.replace(path)
