"""`scumble plan`: what `scumble refine` would do, without loading any model."""

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from scumble_bridge.places import data_folder
from scumble_core.cli import options
from scumble_core.cli.folder import Masks, fill_folder
from scumble_core.cli.options import make_request, region_masks, takes_request
from scumble_core.cli.part import Wanted, extent_of, selected_part
from scumble_core.files.read import read_document
from scumble_core.mikey.plan import ReferencePlan
from scumble_core.models.memory.known import known_device
from scumble_core.models.memory.plan import MemoryPlan
from scumble_core.plan.inputs import plan_folder
from scumble_core.plan.job import Plan
from scumble_core.plan.memory import known_memory


@takes_request
def plan(
    picture: Annotated[Path, typer.Argument(help="The picture that would be refined.")],
    box: options.Box = None,
    mask: options.Mask = None,
    context: options.Context = None,
    reproduce: options.Reproduce = False,
    region: options.Regions = None,
    strength_map: options.StrengthMap = None,
    lora: options.Loras = None,
    as_json: options.Json = False,
    **values: Any,
) -> None:
    """Show stages, tiles, model calls, disk room and a rough time for refining PICTURE."""
    request = make_request(values, region, None, lora)
    document = read_document(picture)
    part = selected_part(extent_of(document.pixels), Wanted(box, mask, context, reproduce, request.grow))
    masks = Masks(strength_map, [path for path, _prompt in region_masks(region)])
    with tempfile.TemporaryDirectory(prefix="scumble-") as folder:
        fill_folder(Path(folder), document, part, masks)
        made = plan_folder(Path(folder), request, known_device(data_folder()).total)
    memory = known_memory(made, data_folder(), os.environ)
    if as_json:
        print(json.dumps({**made.to_dict(), "memory_plan": memory.to_dict()}))
    else:
        _show(made, memory)


def _show(made: Plan | ReferencePlan, memory: MemoryPlan) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{made.source.width} x {made.source.height} -> {made.output.width} x {made.output.height} pixels")
    for name, stage in made.stages().items():
        console.print(f"{name:<11}{_stage(stage)}")
    work = f"model calls {made.model_calls}, {made.megapixels:.2f} megapixels of tiles"
    console.print(f"{work}, disk {made.disk_bytes / 1e6:,.0f} MB, about {made.seconds:.0f} s")
    console.print(memory.problem or memory.sentence)


def _stage(stage: dict[str, object]) -> str:
    """One line for people."""
    said = [f"{stage['tiles']} {'tile' if stage['tiles'] == 1 else 'tiles'}"]
    tile = stage.get("tile")
    if isinstance(tile, list):
        said[0] += f" of {tile[0]} x {tile[1]}"
    if stage.get("flat_tiles"):
        said.append(f"{stage['flat_tiles']} flat ones left alone")
    if "steps" in stage:
        said.append(f"{stage['steps']} steps" + (f" at strength {stage['strength']:g}" if "strength" in stage else ""))
    if stage.get("merged_steps"):
        said.append(f"{stage['merged_steps']} of them over the whole")
    if "guided_steps" in stage and float(str(stage["guidance"])) > 1:
        said.append(f"guidance {stage['guidance']:g} in {stage['guided_steps']} of them")
    if stage.get("note"):
        said.append(str(stage["note"]))
    complexity = stage.get("complexity")
    if isinstance(complexity, list):
        said.append(f"complexity {min(complexity):g} to {max(complexity):g}")
    return ", ".join(said)
