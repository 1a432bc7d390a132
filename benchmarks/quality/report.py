"""The measured figures as tables: on the terminal, as Markdown, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.quality.measure import BLANK, Row, Verdict
from rich.console import Console
from rich.table import Table

HEAD = (
    "input", "contestant", "seam, output", "seam, change", "tone, change", "dip, output", "dip, change",
    "period, z", "ΔE mean", "ΔE p95", "PSNR, dB", "SSIM", "MP", "s",
)  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table. The blank's own seams and dips are shown as they are, the others' over the blank's."""
    plain = row.contestant == BLANK
    seams = (row.seam, row.seam_change, row.tone_change)
    dips = (row.dip, row.dip_change)
    faithful = ("-", "-") if row.fidelity is None else (f"{row.fidelity.psnr:.2f}", f"{row.fidelity.ssim:.4f}")
    return (
        row.input,
        row.contestant,
        *(f"({one.plain:.3f})" if plain else f"{one.relative:.3f} ± {one.spread:.3f}" for one in seams),
        *(f"({one.plain:.3f})" if plain else f"{one.relative:.3f}" for one in dips),
        f"{row.periodicity.z:+.1f}",
        f"{row.colour.mean:.2f}",
        f"{row.colour.p95:.2f}",
        *faithful,
        f"{row.megapixels:.2f}",
        f"{row.seconds:.1f}",
    )


def show(console: Console, rows: Sequence[Row], found: Sequence[Verdict]) -> None:
    """Both tables, for reading."""
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*cells(row), style="dim" if row.contestant == BLANK else None)
    console.print(table)
    targets = Table("target", "furthest from it", "on", "")
    for one in found:
        targets.add_row(one.target, one.worst, one.where, "[green]met" if one.passed else "[bold red]missed")
    console.print(targets)


def markdown(rows: Sequence[Row], found: Sequence[Verdict], command: str, pictures: Sequence[str], note: str) -> str:
    """The page docs/quality.md."""
    lines = [
        "# How good the tile pass is",
        "",
        f"Written by `{command}`; every figure was measured in that run. {note}",
        "",
        _EXPLAINED,
        "",
        "## Targets, for `scumble`",
        "",
        *_table(
            ("target", "furthest from it", "on", ""),
            [(one.target, one.worst, one.where, "met" if one.passed else "**missed**") for one in found],
        ),
        "",
        "## All figures",
        "",
        *_table(HEAD, [cells(row) for row in rows]),
    ]
    if pictures:
        lines += ["", "## To look at", "", _PICTURES, ""]
        lines += [f"![{Path(picture).stem}]({picture})" for picture in pictures]
    return "\n".join(lines) + "\n"


def as_json(rows: Sequence[Row], found: Sequence[Verdict], settings: dict[str, object]) -> str:
    """All that was measured, plain ratios too."""
    values = {
        "settings": settings,
        "passed": all(one.passed for one in found),
        "targets": [asdict(one) for one in found],
        "rows": [asdict(row) for row in rows],
    }
    return json.dumps(values, indent=1) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


_EXPLAINED = """\
Each contestant gets the same picture, already of the output's size, and runs on the starter models:
- `scumble`: the product.
- `mikey`: the reference node's boxes, noise and stitching, with `scumble`'s start, steps and sampler.
- `mikey-20`: the same with the reference's own start and the last of its 20 steps.
- `padded`: plain padded tiles in the manner of Ultimate SD Upscale's defaults, else as `scumble`.
- `untiled`: the product in a single tile, which has no seams. It is the blank: seams and dips of the others are given
  as a ratio to the blank's at the same lines, since the picture's own edges on those lines, and chance, are in both.
  Its own, in brackets, show what a metric says where there is nothing to find.

What is measured (`benchmarks/quality/metrics.py` has the definitions); *change* is output minus input:
- **seam**: mean |step| across tile and feather edges over the median at nearby lines. 1 is none; above 1 a line;
  below 1 a line of blur. ± is what chance gives. **tone**: the same for steps between the means of 16 x 64 pixel boxes.
- **dip**: detail in the middle of blends over that inside tiles. 1 is none; below 1, blends are softer.
- **period**: the change's correlation with itself one tile further on, in standard deviations of what it is at other
  distances. Within ±3 is chance.
- **ΔE**: CIEDE2000 between input and output, both low-passed by a Gaussian of 8 pixels.
- **PSNR, SSIM**: the output made small again, against the picture from which the input was enlarged.
- **MP**: megapixels that the model worked on; **s**: seconds, on whatever else the machine was doing."""

_PICTURES = """\
For each contestant a place where four of its tiles meet (marks in the margin: where a tile or feather begins or ends).
Above as it is; below its change, amplified."""
