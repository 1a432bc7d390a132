"""One contestant on one input: every metric, and what is asked of the product."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from benchmarks.quality.contestants import Outcome
from benchmarks.quality.determinism import Same
from benchmarks.quality.inputs import Input
from benchmarks.quality.metrics import (
    ColourShift,
    DetailDip,
    Fidelity,
    LineRatio,
    Periodicity,
    colour_shift,
    detail_dip,
    fidelity,
    grid_periodicity,
    seam_ratio,
    tone_ratio,
)
from benchmarks.quality.stitching import Stitching
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PRODUCT, BLANK = "scumble", "untiled"
HIGHEST_SEAM = 1.02
DIP = (0.98, 1.02)
HIGHEST_Z = 3.0
HIGHEST_COLOUR = ColourShift(0.5, 1.5)
HIGHEST_WEIGHT_ERROR = 1e-6
HIGHEST_STITCH_ERROR = 1.0


@dataclass(frozen=True)
class Row:
    """What was measured. Seam, tone and dip: of the output, and of the change (output minus input)."""

    input: str
    kind: str
    contestant: str
    seam: LineRatio
    seam_change: LineRatio
    tone_change: LineRatio
    dip: DetailDip
    dip_change: DetailDip
    periodicity: Periodicity
    colour: ColourShift
    fidelity: Fidelity | None
    seconds: float
    megapixels: float


def measure(given: Input, contestant: str, outcome: Outcome, blank: Floats) -> Row:
    """`blank`: what the product makes of the input in a single tile."""
    change, blank_change = outcome.pixels - given.pixels, blank - given.pixels
    layout = outcome.layout
    return Row(
        input=given.name,
        kind=given.kind,
        contestant=contestant,
        seam=seam_ratio(outcome.pixels, layout, blank),
        seam_change=seam_ratio(change, layout, blank_change),
        tone_change=tone_ratio(change, layout, blank_change),
        dip=detail_dip(outcome.pixels, layout, blank),
        dip_change=detail_dip(change, layout, blank_change),
        periodicity=grid_periodicity(change, layout),
        colour=colour_shift(given.pixels, outcome.pixels),
        fidelity=None if given.source is None else fidelity(outcome.pixels, given.source),
        seconds=outcome.seconds,
        megapixels=outcome.megapixels,
    )


@dataclass(frozen=True)
class Verdict:
    """Whether a target is met: the figure furthest from it, and where that was found."""

    target: str
    worst: str
    where: str
    passed: bool


def verdicts(rows: Iterable[Row], stitching: Stitching, same: Iterable[Same]) -> list[Verdict]:
    """The issue's targets, for the product."""
    ours = [row for row in rows if row.contestant == PRODUCT]
    # The dip is made for what is alike everywhere. In a photo the blank, too, sees other surroundings than a tile does.
    alike = [row for row in ours if row.kind != "photo"]
    photos = [row for row in ours if row.kind == "photo"]
    low, high = DIP

    def most(target: str, value: Callable[[Row], float], limit: float, digits: int = 3) -> Verdict:
        row = max(ours, key=value)
        return Verdict(target, f"{value(row):.{digits}f}", row.input, value(row) <= limit)

    def within(target: str, some: list[Row], value: Callable[[Row], float]) -> Verdict:
        row = max(some, key=lambda row: abs(value(row) - 1))
        return Verdict(target, f"{value(row):.3f}", row.input, low <= value(row) <= high)

    found = []
    if ours:
        found += [
            most(f"seam ratio of the output at most {HIGHEST_SEAM}", lambda row: row.seam.relative, HIGHEST_SEAM),
            most(
                f"seam ratio of the change at most {HIGHEST_SEAM}", lambda row: row.seam_change.relative, HIGHEST_SEAM
            ),
            most(
                f"periodicity within noise, z within {HIGHEST_Z:g} of 0",
                lambda row: abs(row.periodicity.z),
                HIGHEST_Z,
                1,
            ),
            most(f"mean Delta-E at most {HIGHEST_COLOUR.mean}", lambda row: row.colour.mean, HIGHEST_COLOUR.mean, 2),
            most(f"p95 Delta-E at most {HIGHEST_COLOUR.p95}", lambda row: row.colour.p95, HIGHEST_COLOUR.p95, 2),
        ]
    for where, some in (("", alike), (", photos", photos)):
        if some:
            found += [
                within(f"detail dip of the output {low} to {high}{where}", some, lambda row: row.dip.relative),
                within(f"detail dip of the change {low} to {high}{where}", some, lambda row: row.dip_change.relative),
            ]
    sizes = f"{stitching.sizes} random sizes"
    found += [
        Verdict("weights sum to 1 within 1e-6", f"{stitching.weights:.1e}", sizes,
                stitching.weights <= HIGHEST_WEIGHT_ERROR),
        Verdict("constants and ramps come back within 1 level of 8 bits", f"{stitching.levels:.1e}", sizes,
                stitching.levels <= HIGHEST_STITCH_ERROR),
        Verdict("every pixel is covered", f"{stitching.uncovered} not", sizes, stitching.uncovered == 0),
    ]  # fmt: skip
    for one in same:
        limit = "same bits" if one.allowed == 0 else f"at most {one.allowed:g} level of 8 bits apart"
        worst = "equal" if one.difference == 0 else f"{one.difference:.2g} levels"
        found.append(Verdict(f"{one.name}: {limit}", worst, "a small job", one.passed))
    return found
