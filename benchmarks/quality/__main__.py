"""Measure the tile pass against its rivals and print the tables; exit code 1 when the product misses a target.

`python -m benchmarks.quality [--quick] [--json FILE] [--markdown FILE] [--pictures DIR]`
"""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from benchmarks.quality import determinism, pictures, report
from benchmarks.quality.contestants import Contestant, Outcome, Settings, scumble, untiled
from benchmarks.quality.inputs import Input, made, photos
from benchmarks.quality.measure import BLANK, PRODUCT, Row, measure, verdicts
from benchmarks.quality.mikey import mikey, mikey_20
from benchmarks.quality.padded import padded
from benchmarks.quality.stitching import stitch_identity
from rich.console import Console

from scumble_core.models.cache import ModelCache
from scumble_core.request import RefineRequest

CONTESTANTS: Mapping[str, Contestant] = MappingProxyType(
    {PRODUCT: scumble, "mikey": mikey, "mikey-20": mikey_20, "padded": padded}
)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The options; `--quick` changes the defaults, not what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller pictures, fewer of them: under two minutes")
    parser.add_argument("--side", type=int, help="of the pictures, in pixels (default 1024, quick 576)")
    parser.add_argument("--tile", type=int, help="of all contestants, in pixels (default 384, quick 256)")
    parser.add_argument("--photos", type=int, help="crops of held-out wallpapers (default 3, quick 0)")
    parser.add_argument("--inputs", nargs="*", help="only the inputs of these names")
    parser.add_argument("--contestants", nargs="*", choices=list(CONTESTANTS), help="default all, quick no mikey-20")
    parser.add_argument("--strength", type=float, default=RefineRequest().strength)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", type=int, help="random sizes to stitch (default 60, quick 20)")
    parser.add_argument("--ask", nargs="*", default=[], metavar="FIELD=VALUE", help="of the product: steps=5")
    # Threads that wait for each other on a busy machine cost far more than a second core gains.
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    parser.add_argument("--no-determinism", action="store_true", help="leave out the jobs run twice")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page docs/quality.md")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="write pictures side by side there")
    options = parser.parse_args(arguments)
    quick: dict[str, object] = {"side": 576, "tile": 256, "photos": 0, "sizes": 20}
    quick["inputs"] = ["flat", "gradient", "grain", "sample"]
    quick["contestants"] = [name for name in CONTESTANTS if name != "mikey-20"]
    usual: dict[str, object] = {
        "side": 1024,
        "tile": 384,
        "photos": 3,
        "sizes": 60,
        "inputs": [],
        "contestants": list(CONTESTANTS),
    }
    for name, value in (quick if options.quick else usual).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def asked(fields: list[str]) -> dict[str, object]:
    """Numbers are told from names by how they look."""
    pairs = (field.partition("=")[::2] for field in fields)
    return {name: int(value) if value.isdigit() else value for name, value in pairs}


def compare(
    given: Input, names: list[str], settings: Settings, console: Console
) -> tuple[list[Row], dict[str, Outcome]]:
    """All contestants on one input, the blank last."""
    outcomes: dict[str, Outcome] = {}
    blank = untiled(given.pixels, settings)
    rows = []
    for name in names:
        outcomes[name] = CONTESTANTS[name](given.pixels, settings)
        rows.append(measure(given, name, outcomes[name], blank.pixels))
        console.print(f"[dim]{' | '.join(report.cells(rows[-1]))}")
    rows.append(measure(given, BLANK, blank, blank.pixels))
    return rows, {**outcomes, BLANK: blank}


def _shown(arguments: list[str]) -> list[str]:
    """The arguments without --json FILE, which changes no figure and lies wherever it pleased."""
    if "--json" not in arguments:
        return arguments
    place = arguments.index("--json")
    return arguments[:place] + arguments[place + 2 :]


def main() -> int:
    """Run everything that was asked for."""
    options = parsed(sys.argv[1:])
    console = Console(width=None if sys.stdout.isatty() else 200)
    torch.set_num_threads(options.threads)
    models = ModelCache()
    settings = Settings(models, options.tile, options.strength, options.seed, asked(options.ask))
    inputs = made(options.side, options.seed) + photos(options.side, options.photos, console.print)
    if options.inputs:
        inputs = [given for given in inputs if given.name in options.inputs]
    if not inputs:
        console.print(f"There is no input of the name {' or '.join(options.inputs)}.")
        return 2
    rows: list[Row] = []
    written: list[Path] = []
    for given in inputs:
        found, outcomes = compare(given, options.contestants, settings, console)
        rows += found
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            written.append(options.pictures / f"{given.name}.jpg")
            pictures.save(pictures.side_by_side(given, outcomes), written[-1])
    console.print("[dim]stitching and determinism")
    same = [] if options.no_determinism else determinism.checks(models, inputs[-1].pixels)
    results = verdicts(rows, stitch_identity(options.sizes, options.seed), same)
    report.show(console, rows, results)
    if options.json:
        shown = {name: value for name, value in vars(options).items() if not isinstance(value, Path)}
        options.json.write_text(report.as_json(rows, results, shown), "utf-8")
    if options.markdown:
        folder = options.markdown.parent.resolve()
        links = [Path(os.path.relpath(path.resolve(), folder)).as_posix() for path in written]
        command = shlex.join(["python", "-m", "benchmarks.quality", *_shown(sys.argv[1:])])
        sizes = f"Pictures of {options.side} pixels, tiles of {options.tile}"
        note = f"{sizes}, strength {options.strength:g}, seed {options.seed}, on {models.device.name}."
        options.markdown.write_text(report.markdown(rows, results, command, links, note), "utf-8")
    return 0 if all(one.passed for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
