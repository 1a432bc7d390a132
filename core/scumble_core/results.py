"""A job's two results: what both ways of running a job do at their end."""

import time
from typing import Any, Protocol

from scumble_core.events import JobResult, TileFinished
from scumble_core.job import RESULTS, Job
from scumble_core.models.memory.plan import MemoryPlan
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.stages.compose import compose
from scumble_core.stages.prepare import is_opaque, work_picture
from scumble_core.stages.selection import Edge, write_alpha


class MadePlan(Protocol):
    """What results need of a plan. `final`: the size of the whole at the results' scale; `result`: the wanted part."""

    @property
    def output(self) -> Extent: ...

    @property
    def final(self) -> Extent: ...

    @property
    def result(self) -> Bounds: ...

    def to_dict(self) -> dict[str, Any]:
        """For the metadata."""


def alpha_of(job: Job) -> Picture | None:
    """The source's alpha times the softened selection, of the source's size; None where all of it is opaque."""
    source, selection = job.inputs.source, job.inputs.selection
    if selection is None and is_opaque(source):
        return None
    alpha = work_picture(job.work, "alpha", source, 1)
    write_alpha(source, selection, alpha, Edge(job.request.grow, job.request.soft_edge))
    return alpha


def write_results(
    job: Job, plan: MadePlan, pictures: tuple[Picture, Picture], alpha: Picture | None, beyond: Picture | None
) -> None:
    """Upscaled and refined, in the document's own space and depth. `beyond`: what models could not see."""
    job.start("compose", 1)
    source = job.inputs.source
    for colour, name in zip(pictures, RESULTS, strict=True):
        job.check_cancelled()
        path = job.folder / name
        compose(colour, alpha, plan.final, plan.result, path, source.dtype, job.inputs.space, beyond, source.order)
    job.emit(TileFinished("compose", 1, 1, 0.0, Bounds.of(plan.output)))


def job_result(job: Job, plan: MadePlan, x: int, y: int, began: float, memory: MemoryPlan) -> JobResult:
    """Where the results lie, and the summary that travels with them. `began`: by time.monotonic."""
    seconds = round(time.monotonic() - began, 2)
    summary = {**plan.to_dict(), "memory_plan": memory.to_dict(), "request": job.request.to_dict(), "seconds": seconds}
    box = plan.result
    return JobResult(x, y, box.width, box.height, {**summary, "device": job.models.device.name})
