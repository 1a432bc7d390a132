"""`scumble generate`: a picture from a prompt alone, then enlarged and refined like any other."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from scumble_core.cli import options
from scumble_core.cli.folder import Masks, fill_folder
from scumble_core.cli.options import make_request, takes_request
from scumble_core.cli.refine import Keep, work_folder
from scumble_core.cli.running import interruptible, report, run_folder
from scumble_core.errors import RequestError
from scumble_core.files.read import ReadPicture
from scumble_core.files.write import Layer, check_output, write_layers
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture

LARGEST_SIDE = 4096


@takes_request
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="OUT.ora holds both layers; .png and .tif one.")],
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the picture before it is enlarged.")] = "1024x1024",
    work: Keep = None,
    lora: options.Loras = None,
    as_json: options.Json = False,
    **values: Any,
) -> None:
    """Draw a picture from nothing but a prompt, enlarge it and refine it tile by tile."""
    request = make_request({**values, "start": "empty"}, None, None, lora)
    extent = parse_size(size)
    check_output(output)
    empty = np.zeros((extent.height, extent.width, 4), np.uint8)
    empty[..., 3] = 255
    with work_folder(work) as folder, interruptible() as cancelled:
        fill_folder(folder, ReadPicture(empty, None), None, Masks(None, ()))
        result = run_folder(folder, request, cancelled)
        names = {"upscaled": f"Upscaled {request.scale:g}x", "refined": f"Refined {request.scale:g}x"}
        layers = [Layer(title, Picture.open(folder / f"{name}.npy")) for name, title in names.items()]
        write_layers(output, tuple(layers), result.summary)
    report(result, output, as_json)


def parse_size(text: str) -> Extent:
    """WIDTHxHEIGHT."""
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise RequestError(f"--size is '{text}', but must be WIDTHxHEIGHT in whole pixels.") from None
    if not (8 <= width <= LARGEST_SIDE and 8 <= height <= LARGEST_SIDE):
        raise RequestError(f"--size is '{text}', but each side must lie between 8 and {LARGEST_SIDE}.")
    return Extent(width, height)
