"""What a comparison found, and how it is told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

# input: recorded so that others can be computed from it, there is nothing to compare.
Status = Literal["ok", "FAIL", "missing", "not compared", "input"]


@dataclass(frozen=True)
class Result:
    """One key of one file. `error` and `tolerance` are the largest absolute difference found and allowed."""

    file: str
    key: str
    status: Status
    error: float | None = None
    tolerance: float | None = None
    note: str = ""


def compared(
    file: str,
    key: str,
    expected: ArrayLike,
    compute: Callable[[], ArrayLike],
    tolerance: float = 0.0,
    relative: bool = False,
) -> Result:
    """Compute and compare. A `relative` tolerance is a share of the largest expected number.

    Whatever goes wrong in `compute` is a FAIL of this key alone.
    """
    expected = np.asarray(expected)
    if relative:
        tolerance = tolerance * float(np.abs(expected).max(initial=0))
    try:
        found = np.asarray(compute())
    except Exception as fault:  # whatever it is, it belongs to this key, and the others go on
        return Result(file, key, "FAIL", None, tolerance, f"{type(fault).__name__}: {fault}")
    if found.shape != expected.shape:
        return Result(file, key, "FAIL", None, tolerance, f"shape {found.shape}, but {expected.shape} is recorded")
    # Unsigned and 64-bit integers have no safe difference in float64; equality decides where they are equal.
    error = (
        0.0 if np.array_equal(found, expected) else float(np.abs(found.astype(float) - expected.astype(float)).max())
    )
    is_ok = math.isfinite(error) and error <= tolerance and (tolerance > 0 or np.array_equal(found, expected))
    return Result(file, key, "ok" if is_ok else "FAIL", error, tolerance)


def same_text(file: str, key: str, expected: object, compute: Callable[[], object]) -> Result:
    """For what is equal or not, and has no distance."""
    try:
        found = compute()
    except Exception as fault:  # as above
        return Result(file, key, "FAIL", None, 0.0, f"{type(fault).__name__}: {fault}")
    if found == expected:
        return Result(file, key, "ok", 0.0, 0.0)
    return Result(file, key, "FAIL", None, 0.0, f"{found}, but {expected} is recorded")


def is_good(results: list[Result]) -> bool:
    """Nothing failed, and something was compared at all."""
    return any(result.status == "ok" for result in results) and all(result.status != "FAIL" for result in results)


def as_table(results: list[Result]) -> str:
    """For people: a line a key, then how many came out how."""
    rows = [("file", "key", "largest error", "tolerance", "")]
    for result in results:
        if result.status == "input":
            continue
        verdict = f"{result.status}  {result.note}" if result.note else result.status
        rows.append((result.file, result.key, _number(result.error), _number(result.tolerance), verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    counts = Counter(result.status for result in results)
    return "\n".join([*lines, ", ".join(f"{count} {status}" for status, count in counts.items())])


def as_json(folder: Path, results: list[Result]) -> dict[str, Any]:
    """For programs. Errors that are no finite number are null, and `note` says why."""
    return {
        "folder": str(folder),
        "ok": is_good(results),
        "counts": Counter(result.status for result in results),
        "results": [
            {
                "file": result.file,
                "key": result.key,
                "status": result.status,
                "error": result.error if result.error is not None and math.isfinite(result.error) else None,
                "tolerance": result.tolerance,
                "note": result.note,
            }
            for result in results
        ],
    }


def _number(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.2e}"
