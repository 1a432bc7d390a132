"""The figures as tables for people. Only what was measured in this run is printed."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.speed.first import FirstTile
from benchmarks.speed.jobs import Case, Run
from benchmarks.speed.peers import PEERS

from scumble_core.picture.geometry import Extent

Results = Mapping[Case, Sequence[Run]]

BEGIN, END = "<!-- made by benchmarks.speed -->", "<!-- end -->"


def machine() -> str:
    """What it was measured on."""
    name = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        names = [
            line.partition(":")[2].strip() for line in cpus.read_text("utf-8").splitlines() if "model name" in line
        ]
        name = names[0] if names else name
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    threads = os.environ.get("OMP_NUM_THREADS")
    limited = f", OMP_NUM_THREADS={threads}" if threads else ""
    return f"{name}, {os.cpu_count()} CPUs{limited}; load averages {load} at the end (1, 5, 15 minutes)"


def tables(results: Results, peers: Sequence[str], first: FirstTile | None) -> str:
    """All of them, in Markdown."""
    runs = [(case, run) for case, found in results.items() for run in found]
    parts = []
    if runs:
        parts += [_jobs(runs), _ratios(results), _pace(results), _stages(runs), _peers(results, peers), _again(runs)]
    if first is not None:
        parts.append(_first(first))
    return "\n\n".join(part for part in parts if part)


def _jobs(runs: Iterable[tuple[Case, Run]]) -> str:
    head = (
        "models", "output", "way", "sigma", "wall, s", "CPU, s", "in the models, s", "outside, s", "outside, share",
        "CPU outside, s/Mpx", "calls", "tiles, Mpx", "seen by calls, Mpx", "peak, MB", "load",
    )  # fmt: skip
    rows = []
    for case, run in runs:
        found = run.measured
        rows.append((
            case.kind, _size(case), run.way, f"{run.sigma:.3f}", f"{found.seconds:.1f}", f"{found.cpu_seconds:.1f}",
            f"{found.model_seconds:.1f}", f"{found.outside_seconds:.1f}", f"{found.outside_share:.0%}",
            f"{sum(found.outside_cpu.values()) / _megapixels(case):.2f}", str(found.calls),
            f"{found.summary['megapixels']:.2f}", f"{found.worked:.1f}", f"{run.peak / 1e6:.0f}", f"{run.load:.1f}",
        ))  # fmt: skip
    return _table("Whole jobs, from source to both pictures on disk", head, rows)


def _ratios(results: Results) -> str:
    """Of medians, both ways having been run alternately."""
    rows = []
    for case, runs in results.items():
        ways = {way: [run for run in runs if run.way == way] for way in ("scumble", "mikey")}
        if not all(ways.values()):
            continue
        rows.append((
            case.kind, _size(case), *(f"{_ratio(ways, name):.2f}" for name in ("seconds", "cpu_seconds")),
            f"{_ratio(ways, 'worked'):.2f}", f"{_ratio(ways, 'calls'):.2f}", str(min(map(len, ways.values()))),
        ))  # fmt: skip
    head = ("models", "output", "wall", "CPU", "megapixels seen by calls", "calls", "runs of each")
    return _table("`mikey` over `scumble`: how many times as much", head, rows) if rows else ""


def _pace(results: Results) -> str:
    """Whether large pictures cost more for each pixel than small ones."""
    rows = []
    for case, runs in results.items():
        own = [run.measured for run in runs if run.way == "scumble"]
        if not own:
            continue
        paces = [(found.seconds, found.model_seconds, found.cpu_seconds, found.worked) for found in own]
        size = _megapixels(case)
        rows.append((case.kind, _size(case), *(f"{median(each) / size:.2f}" for each in zip(*paces, strict=True))))
    head = ("models", "output", "wall, s", "in the models, s", "CPU, s", "Mpx seen by calls")
    return _table("`scumble`, for each megapixel of the output (medians)", head, rows) if len(rows) > 1 else ""


def _ratio(ways: Mapping[str, Sequence[Run]], name: str) -> float:
    own, other = (median(getattr(run.measured, name) for run in ways[way]) for way in ("scumble", "mikey"))
    return float(other / own)


def _stages(runs: Iterable[tuple[Case, Run]]) -> str:
    names = ("prepare", "first_pass", "upscale", "tiles", "compose")
    rows = []
    for case, run in runs:
        wall, cpu = run.measured.outside, run.measured.outside_cpu
        shown = [f"{wall[name]:.2f} / {cpu[name]:.2f}" if name in wall else "-" for name in names]
        rows.append((case.kind, _size(case), run.way, *shown))
    return _table(
        "Outside the models by stage, seconds by the clock / of CPU time", ("models", "output", "way", *names), rows
    )


def _peers(results: Results, peers: Sequence[str]) -> str:
    """Plans; a peer's calls are its tiles' with the product's steps and guidance."""
    rows = []
    for case, runs in results.items():
        own = next((run.measured for run in runs if run.way == "scumble"), None)
        if own is None or not own.tiles or case.tile:
            continue
        calls = own.calls / own.tiles
        cells = [f"{own.tiles}, {own.summary['megapixels']:.2f}, {own.calls}"]
        for name in peers:
            plan = PEERS[name](Extent(*case.output))
            cells.append(f"{plan.tiles}, {plan.megapixels:.2f}, {plan.tiles * calls:.0f}")
        rows.append((case.kind, _size(case), *cells))
    head = ("models", "output", "scumble", *peers)
    return _table("Plans: tiles, their megapixels, calls at the product's steps", head, rows) if rows and peers else ""


def _again(runs: Iterable[tuple[Case, Run]]) -> str:
    rows = []
    for case, run in runs:
        if run.again is None:
            continue
        tasks = [
            f"{sum(each['done'] for each in found.tasks.values())} of "
            f"{sum(sum(each.values()) for each in found.tasks.values())}"
            for found in (run.measured, run.again)
        ]
        cpu = (run.measured.cpu_seconds, run.again.cpu_seconds)
        rows.append((
            case.kind, _size(case), *tasks, f"{run.measured.calls}", f"{run.again.calls}",
            f"{run.measured.seconds:.1f} / {cpu[0]:.1f}", f"{run.again.seconds:.1f} / {cpu[1]:.1f}",
        ))  # fmt: skip
    head = (
        "models", "output", "tasks done", "again", "calls", "again", "wall / CPU, s", "again",
    )  # fmt: skip
    return _table("Run again after 48 x 48 pixels of one tile were painted over", head, rows) if rows else ""


def _first(first: FirstTile) -> str:
    rows = [(name, f"{getattr(first, name):.2f}") for name in ("answering", "estimated", "cold", "warm")]
    what = {
        "answering": "core started to connection",
        "estimated": "estimate asked to plan (nothing loaded)",
        "cold": "submit to first finished tile, cold (the worker imports torch and loads the models)",
        "warm": "the same, warm",
    }
    load = f"load {first.load:.1f}"
    rows = [(what[name], seconds) for name, seconds in rows]
    return _table(f"First result, {first.side} to {2 * first.side} pixels on the starters, {load}", ("", "s"), rows)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"**{title}**", "", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _size(case: Case) -> str:
    tile = f", tile {case.tile}" if case.tile else ""
    return f"{case.output[0]} x {case.output[1]}{tile}"


def _megapixels(case: Case) -> float:
    return case.output[0] * case.output[1] / 1e6


def put_into(page: Path, made: str) -> None:
    """Replace what lies between the marks of a page. Raises ValueError where it has none."""
    before, after = place_in(page)
    page.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", "utf-8")


def place_in(page: Path) -> tuple[str, str]:
    """What lies before and behind the marks of a page. Raises ValueError where it has none."""
    before, found, rest = page.read_text("utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{page} has no place for tables: put the lines {BEGIN} and {END} there.")
    return before, after
