"""The options that stand for a request's fields, said once for all commands that take them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from scumble_core.errors import RequestError
from scumble_core.presets import PRESETS
from scumble_core.request import RefineRequest
from scumble_core.sampling.names import SAMPLER_NAMES, SCHEDULE_NAMES

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RequestOption:
    """An option for one field of the request. What is not given is left to the preset."""

    field: str
    kind: type
    names: tuple[str, ...]
    help: str
    panel: str

    @property
    def parameter(self) -> inspect.Parameter:
        """As typer reads it from a function's signature."""
        option = typer.Option(None, *self.names, help=self.help, rich_help_panel=self.panel)
        return inspect.Parameter(
            self.field, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=self.kind | None
        )


_MAIN, _MODELS, _SAMPLING, _TILES, _SELECTION = "The picture", "Models", "Sampling", "Tiles", "Selection"
OPTIONS = (
    RequestOption("preset", str, ("--preset",), f"One of {', '.join(PRESETS)}.", _MAIN),
    RequestOption("scale", float, ("--scale", "-s", "--upscale-by"), "How much larger: 0.1 to 10.", _MAIN),
    RequestOption(
        "strength", float, ("--strength", "-d", "--denoise", "--tiler-denoise"), "How far to refine: 0 to 1.", _MAIN
    ),
    RequestOption("seed", int, ("--seed",), "The same seed gives the same picture.", _MAIN),
    RequestOption("prompt", str, ("--prompt", "-p"), "For models that read text; the starter models don't.", _MAIN),
    RequestOption("negative_prompt", str, ("--negative-prompt", "-n"), "What should not be in the picture.", _MAIN),
    RequestOption("keep_size", bool, ("--keep-size/--no-keep-size",), "Bring it back to the picture's size.", _MAIN),
    RequestOption("base", str, ("--model", "-m"), "'starter' or a folder in diffusers' layout.", _MODELS),
    RequestOption("refiner", str, ("--refiner",), "'starter-refiner', a folder, or 'none'.", _MODELS),
    RequestOption(
        "upscaler", str, ("--upscaler",),
        "'auto', 'none', 'starter-x2', 'starter-x4', a file that spandrel knows, or several: A+B.", _MODELS,
    ),
    RequestOption("restore", str, ("--restore",), "A 1x network that cleans the picture first, or 'none'.", _MODELS),
    RequestOption("controlnet", str, ("--controlnet",), "A tile ControlNet that keeps to the picture.", _MODELS),
    RequestOption(
        "controlnet_strength", float, ("--controlnet-strength",), "How strongly it keeps to it: 0 to 2.", _MODELS
    ),
    RequestOption(
        "controlnet_end", float, ("--controlnet-end",), "For how much of the walk: 1 is to its end.", _MODELS
    ),
    RequestOption("vae", str, ("--vae",), "Another autoencoder for the base model, or 'none'.", _MODELS),
    RequestOption("tiler_model", str, ("--tiler-model",), "'base' or 'refiner' alone for the tiles.", _MODELS),
    RequestOption("sampler", str, ("--sampler",), f"One of {', '.join(SAMPLER_NAMES)}.", _SAMPLING),
    RequestOption(
        "schedule", str, ("--schedule", "--scheduler"), f"How sigmas fall: {', '.join(SCHEDULE_NAMES)}.", _SAMPLING
    ),
    RequestOption("steps", int, ("--steps",), "Sampling steps.", _SAMPLING),
    RequestOption("smooth_step", int, ("--smooth-step",), "mikey-advanced: steps more for the refiner.", _SAMPLING),
    RequestOption("guidance", float, ("--guidance", "--cfg"), "How strongly the prompt counts.", _SAMPLING),
    RequestOption(
        "guidance_interval", bool, ("--guidance-interval/--guidance-everywhere",),
        "Ask the negative prompt only at the sigmas where it helps.", _SAMPLING,
    ),
    RequestOption("first_pass", bool, ("--first-pass/--no-first-pass",), "Refine before enlarging, too.", _SAMPLING),
    RequestOption(
        "first_pass_strength", float, ("--first-pass-strength", "--denoise-image"), "Strength of that: 0 to 1.",
        _SAMPLING,
    ),
    RequestOption("tile_size", int, ("--tile-size",), "Side of a tile in pixels.", _TILES),
    RequestOption("overlap", int, ("--overlap",), "How far tiles overlap, in pixels.", _TILES),
    RequestOption("batch", int, ("--batch",), "Tiles that are refined at once.", _TILES),
    RequestOption(
        "complexity", bool, ("--complexity/--no-complexity",), "Refine smooth places less than busy ones.", _TILES
    ),
    RequestOption("skip_flat", bool, ("--skip-flat/--refine-flat",), "Leave tiles of one colour alone.", _TILES),
    RequestOption("colour_lock", float, ("--colour-lock",), "Keep the upscale's tone and colour: 0 to 1.", _TILES),
    RequestOption("grow", int, ("--grow",), "Grow the selection by so many pixels.", _SELECTION),
    RequestOption("soft_edge", int, ("--soft-edge",), "Soften its edge inward over so many pixels.", _SELECTION),
    RequestOption(
        "smallest_side", int, ("--smallest-side",), "Refine small parts at a scale that makes them this large.",
        _SELECTION,
    ),
)  # fmt: skip

Regions = Annotated[
    list[str] | None,
    typer.Option("--region", help="MASK.png=PROMPT: where the mask is bright, this prompt counts.", show_default=False),
]
Loras = Annotated[
    list[str] | None,
    typer.Option("--lora", help="NAME or NAME=WEIGHT, once for each LoRA; a name or a path.", rich_help_panel="Models"),
]
StrengthMap = Annotated[
    Path | None, typer.Option("--strength-map", help="A grey picture: the brighter, the more is refined.")
]
Redo = Annotated[
    list[str] | None,
    typer.Option("--redo-tile", help="X,Y=SEED: draw the tile that begins there from another seed."),
]
Box = Annotated[str | None, typer.Option("--box", help="Refine only this part: X,Y,WIDTH,HEIGHT in pixels.")]
Mask = Annotated[Path | None, typer.Option("--mask", help="Refine only where this picture is bright.")]
Context = Annotated[int | None, typer.Option("--context", help="What models see around a selection, in pixels.")]
Reproduce = Annotated[
    bool, typer.Option("--reproduce", help="A selection gets the very pixels of a run over the whole picture.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout at the end.")]


def takes_request(command: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Give a command that ends in `**values` an option for each of the request's fields.

    typer reads a function's signature and annotations, so these get what Python's own syntax would have us repeat.
    """
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    added = [option.parameter for option in OPTIONS]
    keyworded = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    command.__signature__ = inspect.Signature([*keyworded, *added])  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *added]}
    return command


def make_request(
    values: dict[str, Any], regions: list[str] | None, redo: list[str] | None, loras: list[str] | None = None
) -> RefineRequest:
    """The request, validated; options that were not given are the preset's."""
    given = {name: value for name, value in values.items() if value is not None}
    if regions:
        given["regions"] = [{"prompt": prompt} for _mask, prompt in region_masks(regions)]
    if loras:
        given["loras"] = [_lora(text) for text in loras]
    if redo:
        given["reseeded"] = [_reseeded(text) for text in redo]
    return RefineRequest.from_dict(given)


def _lora(text: str) -> dict[str, object]:
    """A path may have "=" in it; only a number after the last one is a weight."""
    model, equals, weight = text.rpartition("=")
    try:
        return {"id": model, "weight": float(weight)} if equals else {"id": text, "weight": 1.0}
    except ValueError:
        return {"id": text, "weight": 1.0}


def region_masks(regions: list[str] | None) -> list[tuple[Path, str]]:
    """Each region's mask and prompt."""
    found = []
    for text in regions or []:
        mask, equals, prompt = text.partition("=")
        if not equals or not mask:
            raise RequestError(f"--region is '{text}', but must be MASK.png=PROMPT.")
        found.append((Path(mask), prompt))
    return found


def _reseeded(text: str) -> dict[str, int]:
    try:
        place, seed = text.split("=")
        x, y = (int(part) for part in place.split(","))
        return {"x": x, "y": y, "seed": int(seed)}
    except ValueError:
        raise RequestError(f"--redo-tile is '{text}', but must be X,Y=SEED in whole numbers.") from None
