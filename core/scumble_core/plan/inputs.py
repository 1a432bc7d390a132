"""Plan what lies in a job's folder: by its sizes alone, or with a look at its pixels."""

from pathlib import Path

from scumble_core.inputs import Inputs
from scumble_core.mikey.plan import ReferencePlan, plan_reference
from scumble_core.models.library import upscaler_facts
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.survey import Survey, survey
from scumble_core.plan.job import FactsOf, Plan, informed, plan_job
from scumble_core.plan.seen import Seen, cover
from scumble_core.presets import SCUMBLE
from scumble_core.request import RefineRequest
from scumble_core.stages.prepare import work_picture, write_colour
from scumble_core.stages.selection import selected_bounds


def plan_folder(folder: Path, request: RefineRequest, memory: int | None) -> Plan | ReferencePlan:
    """The plan of the job in this folder, with all that its pixels tell; the folder takes working files."""
    inputs = Inputs.load(folder, request)
    if request.preset != SCUMBLE:
        return plan_reference(request, inputs.source.extent, wanted_of(request, inputs))
    plan = plan_inputs(request, inputs, memory)
    colour = work_picture(folder, "colour", inputs.source, 3)
    write_colour(inputs.source, colour, inputs.space)
    return informed(plan, look(inputs, survey(colour, inputs.source)))


def plan_inputs(request: RefineRequest, inputs: Inputs, memory: int | None, facts_of: FactsOf = upscaler_facts) -> Plan:
    """The plan as far as it is known from sizes alone. `memory`: the device's, in bytes; `facts_of`: see plan_job."""
    return plan_job(request, inputs.source.extent, wanted_of(request, inputs), memory, facts_of)


def wanted_of(request: RefineRequest, inputs: Inputs) -> Bounds | None:
    """What is selected, grown; None for the whole picture."""
    return None if inputs.selection is None else selected_bounds(inputs.selection, request.grow)


def look(inputs: Inputs, surveyed: Survey) -> Seen:
    """What a plan may know of the pixels."""
    lively = None if inputs.strength is None else cover(inputs.strength)
    return Seen(surveyed, lively, tuple(cover(mask) for mask in inputs.regions))
