"""Fuzz `Connection.receive`: whatever comes, nothing is raised but ProtocolError, and what is kept stays bounded.

`python -m benchmarks.fuzz_wire [--seconds 60] [--seed N] [--role core client] [--json FILE] [--failures FOLDER]`

Inputs are sessions of one side: what it receives, and in between what it sends itself, with fixed token and nonces, so
that recorded handshakes hold. Each is a known one, mutated: bits, bytes, lengths, JSON words, whole frames with their
lengths put right, steps left out, doubled or taken from another. One that runs a line of the bridge that none
before it has run is kept, to be mutated further. Lines are watched by sys.settrace (sys.monitoring costs less, where
it is), and no longer in a function that has been run whole: the fuzz grows faster as it learns.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from benchmarks.fuzz.lines import Lines
from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.sessions import Session, opened, recorded, seeds

from scumble_bridge.handshake import Role


@dataclass
class Outcome:
    """What a run found."""

    inputs: int = 0
    seconds: float = 0.0
    lines: int = 0
    lines_in_all: int = 0
    corpus: int = 0
    memory_growth: int = 0  # bytes, of the process's resident memory, from the seeds to the end
    failures: list[tuple[Session, str]] = field(default_factory=list)


def fuzz(
    seconds: float, seed: int, most_inputs: int | None = None, roles: tuple[Role, ...] = ("core", "client")
) -> Outcome:
    """Run mutated sessions for so long, or so many."""
    rng, lines, outcome = random.Random(seed), Lines(), Outcome()
    corpus: list[Session] = []
    pending = [session for role in roles for session in seeds(role)]
    known = len(pending)
    handshakes = {role: opened(recorded(role)) for role in roles}
    process = psutil.Process()
    memory = process.memory_info().rss
    start = time.perf_counter()
    while (not seconds or time.perf_counter() - start < seconds) and outcome.inputs != most_inputs:
        session = pending.pop() if pending else mutated(rng.choice(corpus), corpus, rng)
        outcome.inputs += 1
        if outcome.inputs == known:
            memory = process.memory_info().rss
        try:
            lines.watch(lambda session=session: session.run(handshakes[session.role]))  # type: ignore[misc]
        except Exception:
            outcome.failures.append((session, traceback.format_exc()))
            if len(outcome.failures) >= 20:
                break
        if lines.new or outcome.inputs <= known:
            corpus.append(session)
    outcome.seconds = time.perf_counter() - start
    outcome.memory_growth = process.memory_info().rss - memory
    outcome.lines, outcome.lines_in_all, outcome.corpus = lines.run, lines.total, len(corpus)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="the same seed gives the same inputs")
    parser.add_argument("--role", nargs="+", choices=("core", "client"), default=("core", "client"))
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--failures", type=Path, help="a folder for what went wrong")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    outcome = fuzz(arguments.seconds, seed, roles=tuple(arguments.role))
    rate = outcome.inputs / outcome.seconds
    print(f"seed {seed}: {outcome.inputs} inputs in {outcome.seconds:.0f} s, {rate:.0f} a second")
    print(f"lines run: {outcome.lines} of {outcome.lines_in_all} in functions; {outcome.corpus} sessions kept")
    print(f"memory grew by {outcome.memory_growth / 1e6:.1f} MB")
    print(f"failures: {len(outcome.failures)}")
    for number, (session, trace) in enumerate(outcome.failures):
        print(trace)
        if arguments.failures is not None:
            arguments.failures.mkdir(parents=True, exist_ok=True)
            (arguments.failures / f"{seed}-{number}.txt").write_text(f"{session!r}\n\n{trace}", "utf-8")
    if arguments.json is not None:
        figures = {
            "seed": seed, "inputs": outcome.inputs, "seconds": outcome.seconds, "inputs_per_second": rate,
            "lines": outcome.lines, "lines_in_all": outcome.lines_in_all, "failures": len(outcome.failures),
            "memory_growth": outcome.memory_growth,
        }  # fmt: skip
        arguments.json.write_text(json.dumps(figures, indent=1), "utf-8")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
