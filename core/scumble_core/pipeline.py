"""A job from its folder to its two pictures, in the way of its preset."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.events import Finished, JobResult
from scumble_core.inputs import Inputs
from scumble_core.job import RESULTS, Emit, Job
from scumble_core.mikey.run import run_reference
from scumble_core.models.cache import ModelCache
from scumble_core.models.device import is_device_lost, is_out_of_memory
from scumble_core.picture.storage import write_failed
from scumble_core.presets import SCUMBLE
from scumble_core.refinement import run_refinement
from scumble_core.request import RefineRequest
from scumble_core.stages.store import TileStore


def run_job(
    folder: Path, request: RefineRequest, models: ModelCache, emit: Emit, cancelled: Callable[[], bool]
) -> JobResult:
    """Run the job kept in `folder` (see docs/architecture.md); the results are whole, or they are not there.

    Finished tiles stay in the folder's `tiles`, whatever becomes of the job: run again, it does the others only.
    Raises Cancelled, or ScumbleError with one sentence for people.
    """
    work = folder / "work"
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        tiles, inputs = TileStore(folder / "tiles"), Inputs.load(folder, request)
        job = Job(folder, work, tiles, request, inputs, models, emit, cancelled)
        result = run_refinement(job) if request.preset == SCUMBLE else run_reference(job)
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
