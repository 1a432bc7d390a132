"""Compare Scumble with a folder of recorded reference numbers, and print the largest error of each key.

`python -m benchmarks.parity DIR [--json [FILE]]`; exits with 1 where a key is beyond its tolerance. Files that
are missing and keys that aren't known are listed as such. The folder's format is that of tests/data/golden.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.parity import networks, pictures, sampling, sigmas
from benchmarks.parity.recorded import Golden
from benchmarks.parity.result import Result, as_json, as_table, is_good

_CHECKS = (sigmas.check, sampling.check, networks.check, pictures.check)


def compare(folder: Path) -> list[Result]:
    """Every key of every file in the folder."""
    golden = Golden(folder)
    return [*_all(golden), *golden.unknown_files()]


def _all(golden: Golden) -> Iterator[Result]:
    for check in _CHECKS:
        try:
            yield from check(golden)
        except Exception as error:  # a file of another form than we know: the other checks go on
            note = f"in another form than is known ({type(error).__name__}: {error})"
            yield Result(check.__module__.rpartition(".")[2], "*", "FAIL", note=note)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="write JSON, to stdout if no FILE is named"
    )
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"There is no folder {options.folder}: name one with recorded numbers.", file=sys.stderr)
        return 2
    results = compare(options.folder)
    if options.json != "-":
        print(as_table(results))
    if options.json is not None:
        text = json.dumps(as_json(options.folder, results), indent=1)
        if options.json == "-":
            print(text)
        else:
            Path(options.json).write_text(text + "\n")
    return 0 if is_good(results) else 1


if __name__ == "__main__":
    sys.exit(main())
