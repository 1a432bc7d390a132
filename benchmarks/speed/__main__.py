"""How long whole jobs take, where the time goes, and how that compares: `python -m benchmarks.speed [--json]`.

Each job, from a source to both pictures on disk at scale 2, runs in a process of its own, the product's and the
reference node's ("Mikey Sampler Tiled": its boxes, steps and guidance, from the same sigma) alternately, so that their
ratio holds on a noisy machine. Models: the starters; a stub in SDXL's shapes that sleeps for a fixed time per call and
megapixel; an SDXL of full size and random weights on a crop. What can't be reached is said, and the rest goes on.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.speed import report
from benchmarks.speed.first import FirstTile, first_tile
from benchmarks.speed.jobs import Case, Run, Way, run_apart
from benchmarks.speed.models import KINDS, Cost
from benchmarks.speed.peers import PEERS

from scumble_core.picture.geometry import Extent

SIZES = ("2048x2048", "4096x4096", "3840x2160", "4000x6000")
# The starters really compute: the reference's way would take a quarter of an hour at 2048 pixels.
STARTER_SIZES, STARTER_TILE = ("1024x1024",), 512
RIVALS = ("mikey", *PEERS)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(KINDS), help=f"of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), help="the stub's output, as 2048x2048; even sides")
    parser.add_argument("--starter-sizes", nargs="*", default=list(STARTER_SIZES), help="the starters' output")
    parser.add_argument("--peer", nargs="*", default=list(RIVALS), help=f"of {', '.join(RIVALS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each, alternately (default 1)")
    parser.add_argument(
        "--tile", type=int, default=0, help="the stub's, of both ways, in pixels (default: each one's own)"
    )
    parser.add_argument("--starter-tile", type=int, default=STARTER_TILE, help="the starters' (default 512; 0: own)")
    parser.add_argument("--call-cost", type=float, default=0.005, help="of the stub: seconds a call (default 0.005)")
    parser.add_argument("--megapixel-cost", type=float, default=0.05, help="and a megapixel (default 0.05)")
    parser.add_argument("--sdxl", type=Path, help="a full-size SDXL (python -m benchmarks.sdxl_full --make --folder F)")
    parser.add_argument("--crop", type=int, default=512, help="SDXL's output, in pixels: one tile of it (default 512)")
    parser.add_argument("--no-first", action="store_true", help="leave out the wait for the first tile")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="the figures as JSON, here or in a file")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    return parser.parse_args(arguments)


def cases(options: argparse.Namespace) -> tuple[list[Case], list[str]]:
    """What can be run, and a line for each thing that can't."""
    missing: list[str] = []
    found: list[Case] = []
    cost = Cost(options.call_cost, options.megapixel_cost)
    for name in options.models:
        if name not in KINDS:
            missing.append(f"The models {name} aren't known: choose of {', '.join(KINDS)}.")
        elif name == "stub":
            found += [Case("stub", output, cost, options.tile) for output in _outputs(options.sizes, missing)]
        elif name == "starter":
            outputs = _outputs(options.starter_sizes, missing)
            found += [Case("starter", output, cost, options.starter_tile) for output in outputs]
        elif options.sdxl is None or not (options.sdxl / "model_index.json").exists():
            where = "no folder was given" if options.sdxl is None else f"it is not at {options.sdxl}"
            missing.append(
                f"The full-size SDXL can't be reached, {where}: make it with benchmarks.sdxl_full, --sdxl F."
            )
        else:
            crop = options.crop
            found.append(Case("sdxl", (crop, crop), cost, max(256, crop // 64 * 64), str(options.sdxl.resolve())))
    return found, missing


def _outputs(sizes: Sequence[str], missing: list[str]) -> list[tuple[int, int]]:
    """Those that can be made; a line is added to `missing` for each other."""
    outputs = []
    for size in sizes:
        try:
            width, height = (int(side) for side in size.lower().split("x"))
        except ValueError:
            missing.append(f"The size {size} can't be read: give it as 2048x2048.")
            continue
        if width % 2 or height % 2 or not 128 <= min(width, height) <= max(width, height) <= 32768:
            missing.append(f"The size {size} can't be made: sides are even, from 128 to 32768.")
            continue
        outputs.append((width, height))
    return outputs


def known_peers(wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that there are, and a line for each other."""
    lines = [
        f"The peer {name} can't be reached: choose of {', '.join(RIVALS)}." for name in wanted if name not in RIVALS
    ]
    return [name for name in wanted if name in RIVALS], lines


def run_all(found: Sequence[Case], ways: Sequence[Way], rounds: int) -> tuple[dict[Case, list[Run]], list[str]]:
    """Each case's ways alternately; a job that fails is told of, and the others go on."""
    results: dict[Case, list[Run]] = {}
    failed = []
    for case in found:
        for way in tuple(ways) * rounds:
            _say(f"{case.kind}, {case.output[0]} x {case.output[1]}, {way} ...")
            try:
                run = run_apart(case, way)
            except RuntimeError as error:
                failed.append(f"{case.kind}, {case.output[0]} x {case.output[1]}, {way}: failed, {error}")
                continue
            results.setdefault(case, []).append(run)
            _say(f"  {run.measured.seconds:.1f} s, {run.measured.cpu_seconds:.1f} s of CPU time")
    return results, failed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit code 1 where something that was asked for could not be measured."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parsed(given)
    if options.markdown is not None:
        report.place_in(options.markdown)  # rather now than after all the runs
    peers, told = known_peers(options.peer)
    found, missing = cases(options)
    told += missing
    ways: tuple[Way, ...] = ("scumble", "mikey") if "mikey" in peers else ("scumble",)
    results, failed = run_all(found, ways, options.rounds)
    told += failed
    first = _first(told) if not options.no_first and "starter" in options.models else None
    made = report.tables(results, [name for name in peers if name in PEERS], first)
    command = f"`{shlex.join(['python', '-m', 'benchmarks.speed', *given])}`, {report.machine()}."
    made = "\n\n".join(part for part in (command, "\n".join(told), made) if part)
    if options.markdown is not None:
        report.put_into(options.markdown, made)
    if options.json is None:
        print(made)
        return 1 if told else 0
    values = {
        "machine": report.machine(),
        "not_measured": told,
        "jobs": [{"case": asdict(case), **run.to_dict()} for case, runs in results.items() for run in runs],
        "plans": {_size(case): _plans(case, peers) for case in results},
        "first_tile": None if first is None else asdict(first),
    }  # fmt: skip
    text = json.dumps(values, indent=1)
    if options.json == "-":
        print(text)
    else:
        Path(options.json).write_text(text, "utf-8")
        print(made)
    return 1 if told else 0


def _first(told: list[str]) -> FirstTile | None:
    _say("the first tile, cold and warm ...")
    try:
        return first_tile(256)
    except RuntimeError as error:
        told.append(f"The wait for the first tile could not be measured: {error}")
        return None


def _size(case: Case) -> str:
    return f"{case.output[0]}x{case.output[1]}"


def _plans(case: Case, peers: Sequence[str]) -> dict[str, object]:
    return {name: asdict(PEERS[name](Extent(*case.output))) for name in peers if name in PEERS}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
