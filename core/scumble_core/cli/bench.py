"""`scumble bench`: how fast this machine is, and where the time goes."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console

from scumble_core.cli.measuring import Measured, measure
from scumble_core.cli.rival import Pair, pair
from scumble_core.models.library import STARTER_BASE, base_facts
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture
from scumble_core.plan.job import plan_job
from scumble_core.request import RefineRequest

if TYPE_CHECKING:
    from scumble_core.models.cache import ModelCache

# The starters' own tiles would take a slow machine minutes: half of it serves to compare.
STARTER_TILE = 512
SCALE = 2


def bench(
    model: Annotated[str, typer.Option("--model", "-m", help="'starter', or as in `scumble refine`.")] = STARTER_BASE,
    tile: Annotated[int, typer.Option(help="Side of the tiles; 0: the model's own, or 512 for the starter.")] = 0,
    seconds: Annotated[float, typer.Option(help="What both ways together may take, models loaded.")] = 50.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Refine a small made-up picture, then the same in the reference node's way, and show what each took."""
    facts = base_facts(model)
    side = max(256, (tile or (STARTER_TILE if model == STARTER_BASE else facts.tile)) // 64 * 64)
    own = RefineRequest.from_dict({"base": model, "upscaler": "starter-x2", "scale": SCALE, "tile_size": side})
    both = pair(own, facts, side)
    # Here, since it takes seconds: by now all that can be wrong with the input has been said.
    from scumble_core.models.cache import ModelCache

    models = ModelCache()
    _warm(models, own)
    with _job(side) as folder:
        ours = measure(folder, both.own, models, seconds)
    with _job(side) as folder:
        theirs = measure(folder, both.reference, models, max(0.0, seconds - ours.seconds))
    shown = _figures(models, both, side, ours, theirs)
    if as_json:
        print(json.dumps(shown))
    else:
        _show(shown)


def _warm(models: "ModelCache", request: RefineRequest) -> None:
    """Loads the models, and has each work once: what libraries set up at the first call is no part of a job's pace."""
    with _job(64) as folder:
        measure(folder, request, models)


@contextmanager
def _job(side: int) -> Iterator[Path]:
    """A job's folder with a source of waves and grain, nowhere flat: no tile is left out."""
    with tempfile.TemporaryDirectory(prefix="scumble-bench-") as name:
        source = Picture.create(Path(name) / "source.npy", Extent(side, side), 4, np.uint8)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)[..., None]
        waves = np.array([17, 29, 53], np.float32)
        grain = np.random.default_rng(0).integers(-12, 13, (side, side, 3))
        pixels = np.full((side, side, 4), 255, np.uint8)
        pixels[..., :3] = 128 + 50 * np.sin(x / waves) + 50 * np.sin(y / waves[::-1]) + grain
        source.write_raw(source.bounds, pixels)
        yield Path(name)


def _figures(models: "ModelCache", both: Pair, side: int, ours: Measured, theirs: Measured) -> dict[str, Any]:
    """All measured just now, but for what plans say: how many tiles a whole job has."""
    tiles = plan_job(both.own, Extent(side, side), memory=models.device.memory).tile_pass
    assert tiles is not None  # at strength 0 alone
    ways = {"scumble": _way(ours, len(tiles.boxes)), "mikey": _way(theirs, _reference_tiles(both, side))}
    whole = ours.whole and theirs.whole
    return {
        "device": models.device.title, "precision": str(models.device.dtype).removeprefix("torch."),
        "load": [round(each, 1) for each in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        "model": both.own.base, "output": [SCALE * side, SCALE * side], "tile": side, "sigma": both.sigma, **ways,
        "times_faster": theirs.seconds / ours.seconds if whole else None,
        "times_less_work": theirs.worked / ours.worked if whole else None,
    }  # fmt: skip


def _reference_tiles(both: Pair, side: int) -> int:
    from scumble_core.mikey.plan import plan_reference

    return len(plan_reference(both.reference, Extent(side, side)).boxes)


def _way(found: Measured, planned: int) -> dict[str, Any]:
    return {
        "whole": found.whole, "seconds": found.seconds, "cpu_seconds": found.cpu_seconds,
        "tiles": found.tiles, "tiles_planned": planned, "tiles_per_second": found.tiles / found.seconds,
        "model_calls": found.calls, "megapixels_seen_by_calls": found.worked,
        "seconds_per_megapixel_of_calls": found.model_seconds / found.worked if found.worked else None,
        "share_in_models": found.model_seconds / found.seconds, "first_tile_seconds": found.first_tile,
        "outside_by_stage": found.outside,
    }  # fmt: skip


def _show(shown: dict[str, Any]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    load = f", load {shown['load'][0]}" if shown["load"] else ""
    console.print(f"{shown['device']} in {shown['precision']}{load}; model {shown['model']}, tiles of {shown['tile']}")
    console.print(f"{shown['output'][0]} x {shown['output'][1]} pixels, from sigma {shown['sigma']:.2f}:")
    for name in ("scumble", "mikey"):
        way = shown[name]
        stopped = "" if way["whole"] else ", stopped there for want of time"
        console.print(
            f"{name:<8}{way['tiles']} of {way['tiles_planned']} tiles in {way['seconds']:.1f} s{stopped}: "
            f"{way['tiles_per_second']:.2f} tiles a second, {way['model_calls']} model calls, "
            f"{way['share_in_models']:.0%} of the time in the models"
        )
    if shown["times_faster"] is None:
        console.print("Not compared, since one was not finished: give it more --seconds, or smaller tiles (--tile).")
    else:
        faster, less = shown["times_faster"], shown["times_less_work"]
        console.print(f"scumble takes {faster:.1f} times less time, and its models see {less:.1f} times less.")
