"""How much faster or slower than planned this machine is, by the last jobs that it finished. Pure."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

# So many runs count for a model on a device, and so many are remembered in all.
LAST, MOST = 5, 100
# A plan is wrong by orders of magnitude only where it knows nothing: further off is some mistake.
FASTEST, SLOWEST = 1 / 100, 100.0
# Of shorter runs the loading of models is most.
LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Run:
    """A finished job: how many times the planned seconds it took. `device`: torch's name without a number."""

    base: str
    device: str
    ratio: float


def run_of(summary: Mapping[str, Any]) -> Run | None:
    """From a result's summary; None where it tells nothing, as where other jobs had done some of the tiles."""
    try:
        planned, took = float(summary["seconds_estimate"]), float(summary["seconds"])
        base, device = str(summary["models"]["base"]), _kind(str(summary["device"]))
    except (KeyError, TypeError, ValueError):
        return None
    if planned <= 0 or not LEAST_SECONDS <= took < math.inf or summary.get("tiles_taken_over"):
        return None
    return Run(base, device, took / planned)


def noted(runs: tuple[Run, ...], run: Run) -> tuple[Run, ...]:
    """With one run more, the latest last."""
    return (*runs, run)[-MOST:]


def pace_of(runs: tuple[Run, ...], base: str, devices: Collection[str]) -> float | None:
    """By what to multiply a plan's seconds on one of these devices; None where no run tells."""
    kinds = {_kind(name) for name in devices}
    last = [run.ratio for run in runs if run.base == base and run.device in kinds][-LAST:]
    return min(max(median(last), FASTEST), SLOWEST) if last else None


def to_list(runs: tuple[Run, ...]) -> list[dict[str, Any]]:
    """Fit for JSON."""
    return [asdict(run) for run in runs]


def from_list(values: object) -> tuple[Run, ...]:
    """The opposite of `to_list`; what makes no sense is left out."""
    found = []
    for value in values if isinstance(values, list) else ():
        try:
            run = Run(str(value["base"]), str(value["device"]), float(value["ratio"]))
        except (KeyError, TypeError, ValueError):
            continue
        if 0 < run.ratio < math.inf:
            found.append(run)
    return tuple(found[-MOST:])


def _kind(device: str) -> str:
    return device.split(":", maxsplit=1)[0]
