"""`scumble refine`: the main job on a picture file."""

import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from scumble_core.cli import options
from scumble_core.cli.options import SelectedPart, extent_of, make_request, selected_part
from scumble_core.events import Event, JobResult, StageStarted, TileFinished
from scumble_core.files.read import Pixels, read_picture
from scumble_core.files.write import Layer, check_output, is_opaque, write_layers
from scumble_core.picture.geometry import Bounds
from scumble_core.picture.storage import Picture
from scumble_core.request import RefineRequest

STAGE_NAMES = {"first_pass": "First pass", "upscale": "Upscaling", "tiles": "Refining", "compose": "Composing"}
_DEFAULT = RefineRequest()


def refine(
    picture: Annotated[Path, typer.Argument(help="A PNG, JPEG, WebP, TIFF, ORA or KRA file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.ora holds both layers; .png and .tif one.")],
    scale: options.Scale = _DEFAULT.scale,
    strength: options.Strength = _DEFAULT.strength,
    seed: options.Seed = _DEFAULT.seed,
    prompt: options.Prompt = "",
    negative_prompt: options.Negative = "",
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
    """Upscale PICTURE and refine it tile by tile."""
    request = make_request(
        scale=scale, strength=strength, seed=seed, prompt=prompt, negative_prompt=negative_prompt, base=base,
        refiner=refiner, upscaler=upscaler, sampler=sampler,
        tile_size=tile_size, overlap=overlap, steps=steps, guidance=guidance,
        first_pass=first_pass, first_pass_strength=first_pass_strength, keep_size=keep_size,
    )  # fmt: skip
    check_output(output)
    pixels = read_picture(picture)
    part = selected_part(extent_of(pixels), box, mask)
    if part is not None:
        request = replace(request, origin_x=part.crop.x, origin_y=part.crop.y)
    with tempfile.TemporaryDirectory(prefix="scumble-") as folder, _interruptible() as cancelled:
        result = _run(Path(folder), request, pixels, part, cancelled)
        layers = _layers(Path(folder), request, result, pixels, part)
        write_layers(output, layers, result.summary)
    if as_json:
        print(json.dumps({"output": str(output.resolve()), **result.to_dict()}))
    else:
        seconds = result.summary["seconds"]
        Console(stderr=True, soft_wrap=True).print(
            f"{result.width} x {result.height} pixels in {seconds:.0f} s: {output.resolve()}"
        )


def _run(
    folder: Path, request: RefineRequest, pixels: Pixels, part: SelectedPart | None, cancelled: Callable[[], bool]
) -> JobResult:
    """Fill a job folder and run the job in this process."""
    crop = Bounds.of(extent_of(pixels)) if part is None else part.crop
    _put(folder / "source.npy", pixels[crop.slices])
    if part is not None:
        _put(folder / "selection.npy", part.mask)
    with _progress() as emit:
        # Here, since it takes seconds: by now all that can be wrong with the input has been said.
        from scumble_core.models.library import ModelCache
        from scumble_core.pipeline import run_job

        return run_job(folder, request, ModelCache(), emit, cancelled)


def _put(path: Path, pixels: Pixels) -> None:
    picture = Picture.create(path, extent_of(pixels), pixels.shape[2], pixels.dtype)
    picture.write_raw(picture.bounds, np.ascontiguousarray(pixels))
    picture.flush()


def _layers(
    folder: Path, request: RefineRequest, result: JobResult, pixels: Pixels, part: SelectedPart | None
) -> tuple[Layer, ...]:
    """Both results; over the original where a selection is brought back to its place."""
    upscaled, refined = (np.load(folder / f"{name}.npy") for name in ("upscaled", "refined"))
    names = (f"Upscaled {request.scale:g}x", f"Refined {request.scale:g}x, strength {request.strength:g}")
    # Two half-transparent layers over each other would make soft edges hard: then the refined one shows alone.
    visible = is_opaque(upscaled)
    if part is None or not request.keep_size:
        return Layer(names[0], upscaled, visible=visible), Layer(names[1], refined)
    x, y = part.crop.x + result.x, part.crop.y + result.y
    return Layer("Original", pixels), Layer(names[0], upscaled, x, y, visible), Layer(names[1], refined, x, y)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl+C asks the job to stop between model calls; a second one stops at once."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress() -> Iterator[Callable[[Event], None]]:
    """A bar on stderr; where that is no terminal, a line a stage."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TextColumn("tiles {task.fields[left]}")
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task: TaskID | None = None

        def show(event: Event) -> None:
            nonlocal task
            if isinstance(event, StageStarted):
                name = STAGE_NAMES[event.stage]
                if not console.is_terminal:
                    console.print(f"{name}: {event.tiles} {'tile' if event.tiles == 1 else 'tiles'}")
                task = bar.add_task(name, total=event.tiles, left="")
            elif isinstance(event, TileFinished) and task is not None:
                left = "" if event.seconds_left is None else f"- {event.seconds_left:.0f} s left"
                bar.update(task, completed=event.tile, left=left if event.tile < event.tiles else "")

        yield show
