"""`scumble refine`: the main job on a picture file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from scumble_core.cli import options
from scumble_core.cli.folder import Masks, fill_folder
from scumble_core.cli.options import make_request, region_masks, takes_request
from scumble_core.cli.part import SelectedPart, Wanted, extent_of, selected_part
from scumble_core.cli.running import interruptible, report, run_folder
from scumble_core.events import JobResult
from scumble_core.files.read import ReadPicture, read_document
from scumble_core.files.write import Layer, check_output, is_opaque, write_layers
from scumble_core.picture.storage import Picture
from scumble_core.request import RefineRequest

Keep = Annotated[
    Path | None,
    typer.Option("--work", help="A folder for finished tiles: run again with it, and only the others are done."),
]


@takes_request
def refine(
    picture: Annotated[Path, typer.Argument(help="A PNG, JPEG, WebP, TIFF, ORA or KRA file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.ora holds both layers; .png and .tif one.")],
    box: options.Box = None,
    mask: options.Mask = None,
    context: options.Context = None,
    reproduce: options.Reproduce = False,
    region: options.Regions = None,
    strength_map: options.StrengthMap = None,
    redo_tile: options.Redo = None,
    lora: options.Loras = None,
    work: Keep = None,
    as_json: options.Json = False,
    **values: Any,
) -> None:
    """Upscale PICTURE and refine it tile by tile."""
    request = make_request(values, region, redo_tile, lora)
    check_output(output)
    document = read_document(picture)
    part = selected_part(extent_of(document.pixels), Wanted(box, mask, context, reproduce, request.grow))
    if part is not None:
        request = replace(request, origin_x=part.crop.x, origin_y=part.crop.y)
    masks = Masks(strength_map, [path for path, _prompt in region_masks(region)])
    with work_folder(work) as folder, interruptible() as cancelled:
        fill_folder(folder, document, part, masks)
        result = run_folder(folder, request, cancelled)
        write_layers(output, _layers(folder, request, result, document, part), result.summary, document.profile)
    report(result, output, as_json)


@contextmanager
def work_folder(kept: Path | None) -> Iterator[Path]:
    """The folder to keep, made when it isn't there, or one that goes when the job is done."""
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="scumble-") as folder:
            yield Path(folder)
        return
    kept.mkdir(parents=True, exist_ok=True)
    for stale in (*kept.glob("region-*.npy"), kept / "selection.npy", kept / "strength.npy", kept / "profile.icc"):
        stale.unlink(missing_ok=True)
    yield kept


def _layers(
    folder: Path, request: RefineRequest, result: JobResult, document: ReadPicture, part: SelectedPart | None
) -> tuple[Layer, ...]:
    """Both results; over the original where a selection is brought back to its place."""
    upscaled, refined = (Picture.open(folder / f"{name}.npy") for name in ("upscaled", "refined"))
    names = (f"Upscaled {request.scale:g}x", f"Refined {request.scale:g}x, strength {request.strength:g}")
    # Two half-transparent layers over each other would make soft edges hard: then the refined one shows alone.
    visible = is_opaque(upscaled)
    if part is None or not request.keep_size:
        return Layer(names[0], upscaled, visible=visible), Layer(names[1], refined)
    x, y = part.crop.x + result.x, part.crop.y + result.y
    over = Layer(names[0], upscaled, x, y, visible), Layer(names[1], refined, x, y)
    return Layer("Original", document.pixels), *over
