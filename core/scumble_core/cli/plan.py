"""`scumble plan`: what `scumble refine` would do, without loading any model."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scumble_core.cli import options
from scumble_core.cli.options import extent_of, make_request, selected_part
from scumble_core.files.read import read_picture
from scumble_core.plan.job import Plan, plan_job
from scumble_core.request import RefineRequest

_DEFAULT = RefineRequest()


def plan(
    picture: Annotated[Path, typer.Argument(help="The picture that would be refined.")],
    scale: options.Scale = _DEFAULT.scale,
    strength: options.Strength = _DEFAULT.strength,
    base: options.Base = _DEFAULT.base,
    refiner: options.Refiner = _DEFAULT.refiner,
    upscaler: options.Upscaler = _DEFAULT.upscaler,
    sampler: options.Sampler = "",
    tile_size: options.TileSize = 0,
    overlap: options.Overlap = 0,
    steps: options.Steps = 0,
    guidance: options.Guidance = 0.0,
    first_pass: options.FirstPass = False,
    first_pass_strength: options.FirstStrength = _DEFAULT.first_pass_strength,
    keep_size: options.KeepSize = False,
    box: options.Box = None,
    mask: options.Mask = None,
    as_json: options.Json = False,
) -> None:
    """Show stages, tiles, model calls, disk room and a rough time for refining PICTURE."""
    request = make_request(
        scale=scale, strength=strength, base=base, refiner=refiner, upscaler=upscaler, sampler=sampler,
        tile_size=tile_size, overlap=overlap, steps=steps, guidance=guidance, first_pass=first_pass,
        first_pass_strength=first_pass_strength, keep_size=keep_size,
    )  # fmt: skip
    extent = extent_of(read_picture(picture))
    part = selected_part(extent, box, mask)
    made = plan_job(request, extent) if part is None else plan_job(request, part.crop.extent, part.selected)
    if as_json:
        print(json.dumps(made.to_dict()))
    else:
        _show(made)


def _show(made: Plan) -> None:
    console = Console()
    console.print(f"{made.source.width} x {made.source.height} -> {made.output.width} x {made.output.height} pixels")
    for name, stage in made.stages().items():
        size = f" of {stage['tile'][0]} x {stage['tile'][1]}" if "tile" in stage else ""
        steps = f", {stage['steps']} steps at strength {stage['strength']:g}" if "steps" in stage else ""
        console.print(f"{name:<11}{stage['tiles']} {'tile' if stage['tiles'] == 1 else 'tiles'}{size}{steps}")
    console.print(f"model calls {made.model_calls}, disk {made.disk_bytes / 1e6:,.0f} MB, about {made.seconds:.0f} s")
