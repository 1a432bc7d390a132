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
import dis
import json
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import psutil  # type: ignore[import-untyped]

from scumble_bridge import codec, connection, fields, flow, frames, handshake, messages
from scumble_bridge.connection import Connection
from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.fields import ModelChoice, PictureHeader
from scumble_bridge.frames import FULL_LIMITS, HEAD
from scumble_bridge.handshake import Role
from scumble_bridge.messages import Message

TOKEN = bytes(range(32))
NONCES: dict[Role, bytes] = {"client": b"\x11" * 32, "core": b"\x22" * 32}
JOB, OTHER = "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"
PICTURE = PictureHeader(2, 1, "u8", "bgra")
MOST_KEPT = HEAD.size + FULL_LIMITS.header + FULL_LIMITS.payload
MOST_BYTES = 20_000
WATCHED = (codec, connection, fields, flow, frames, handshake, messages)
WORDS = (
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9007199254740992", b"2147483648", b'""', b"[]",
    b"{}", b'"\\ud800"', b'"source"', b'"refined"', b'"type"', b"[[[[", b"SCMB\x01\0\0\0",
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\x10\0\0",
)  # fmt: skip
VALUES: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    2**31,
    2**53,
    "",
    "source",
    JOB,
    OTHER,
    "\ud800",
    [],
    {},
    [1, 300],
)
SCRIPT: tuple[tuple[Role, Message], ...] = (
    ("client", messages.Describe()),
    ("core", messages.Described("cpu", "1", (ModelChoice("a", "A"),), (), ())),
    ("client", messages.Submit(JOB, {"scale": 2.0, "prompt": "später"}, PICTURE, PictureHeader(2, 1, "u8", "mask"))),
    ("core", messages.Accepted(JOB)),
    ("core", messages.Credit(JOB, "source", 8)),
    ("client", messages.Pixels(JOB, "source", 0, bytes(5))),
    ("core", messages.Progress(JOB, "tiles", 1, 2, 0.5)),
    ("client", messages.Pixels(JOB, "source", 5, bytes(1))),
    ("core", messages.Preview(JOB, 0, 0, 1, 1, 1, 1, bytes(3))),
    ("core", messages.Finished(JOB, 0, 0, PICTURE, PICTURE, {})),
    ("client", messages.Fetch(JOB, "refined")),
    ("client", messages.Credit(JOB, "refined", 8)),
    ("core", messages.Pixels(JOB, "refined", 0, bytes(4))),
    ("core", messages.Ping(1)),
    ("client", messages.Ping(2)),
    ("client", messages.Attach(OTHER)),
    ("core", messages.Failed(OTHER, "unknown_job", "no")),
    ("client", messages.Cancel(OTHER)),
    ("core", messages.Cancelled(JOB)),
    ("client", messages.Release(JOB)),
)

Step = bytes | Message  # what is received, or what is sent


@dataclass(frozen=True)
class Session:
    """One side's session."""

    role: Role
    steps: tuple[Step, ...]

    def run(self) -> None:
        """Raises what must not be raised."""
        side = new_side(self.role)
        for step in self.steps:
            try:
                if isinstance(step, bytes):
                    side.receive(step)
                else:
                    side.send(step)
            except MisuseError:
                pass
            except ProtocolError:
                assert side.phase == "closed" and side.outgoing() == b"", "a closed connection has something to say"
                return
            side.outgoing()
            assert side._frames.kept <= MOST_KEPT, f"{side._frames.kept} bytes are kept"
            assert len(side._theirs._open) + len(side._theirs._closed) <= 2 * flow.MOST_STREAMS, "the books grow"


def new_side(role: Role) -> Connection:
    return Connection(role, TOKEN, server="fuzz", nonce=NONCES[role])


def recorded(role: Role) -> Session:
    """The script, as this side lives it."""
    sides: dict[Role, Connection] = {name: new_side(name) for name in ("client", "core")}
    other = sides["core" if role == "client" else "client"]
    steps: list[Step] = []

    def carry() -> None:
        while True:
            theirs, ours = other.outgoing(), sides[role].outgoing()
            if not theirs and not ours:
                return
            if theirs:
                steps.append(theirs)
                sides[role].receive(theirs)
            other.receive(ours)

    carry()
    for sender, message in SCRIPT:
        sides[sender].send(message)
        if sender == role:
            steps.append(message)
        carry()
    return Session(role, tuple(steps))


def seeds(role: Role) -> list[Session]:
    """The whole script, and the handshake with one step after it: short sessions are many a second."""
    whole = recorded(role)
    hands = 1 + next(at for at, step in enumerate(whole.steps) if _opens(Session(role, whole.steps[: at + 1])))
    return [whole, *(Session(role, (*whole.steps[:hands], step)) for step in whole.steps[hands:])]


def _opens(session: Session) -> bool:
    side = new_side(session.role)
    for step in session.steps:
        if isinstance(step, bytes):
            side.receive(step)
    return side.phase == "open"


# Which lines have been run.


class Lines:
    """Lines of the watched modules that have been run, over all inputs."""

    def __init__(self) -> None:
        self._missing: dict[CodeType, set[int]] = {}
        for module in WATCHED:
            for code in _functions(module):
                self._missing[code] = {line for _, line in dis.findlinestarts(code) if line > code.co_firstlineno}
        self.total = sum(map(len, self._missing.values()))
        self.new = False

    @property
    def run(self) -> int:
        return self.total - sum(map(len, self._missing.values()))

    def watch(self, call: Callable[[], None]) -> None:
        """Call it; `new` says whether it ran a line that none before it has."""
        self.new = False
        if hasattr(sys, "monitoring"):
            self._monitor(call)
            return
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            call()
        finally:
            sys.settrace(before)

    def _hit(self, code: CodeType, line: int) -> None:
        missing = self._missing.get(code)
        if missing and line in missing:
            missing.discard(line)
            self.new = True

    def _trace(self, frame: FrameType, _event: str, _value: object) -> Callable[..., Any] | None:
        if not self._missing.get(frame.f_code):
            return None

        def local(frame: FrameType, event: str, _value: object) -> Callable[..., Any] | None:
            if event == "line":
                self._hit(frame.f_code, frame.f_lineno)
            return local

        return local

    def _monitor(self, call: Callable[[], None]) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - Python 3.11, which mypy checks for, has none
        tool = monitoring.COVERAGE_ID

        def line_run(code: CodeType, line: int) -> object:
            self._hit(code, line)
            return monitoring.DISABLE

        monitoring.use_tool_id(tool, "fuzz")
        monitoring.register_callback(tool, monitoring.events.LINE, line_run)
        monitoring.set_events(tool, monitoring.events.LINE)
        try:
            call()
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)


def _functions(module: Any) -> Iterator[CodeType]:
    """All functions' code in a module's file, inner ones too."""
    path = Path(module.__file__)
    waiting = [compile(path.read_text("utf-8"), str(path), "exec")]
    names = {code.co_qualname for each in waiting for code in _inner(each)}
    for owner in [module, *(each for each in vars(module).values() if isinstance(each, type))]:
        if getattr(owner, "__module__", module.__name__) != module.__name__:
            continue
        for each in vars(owner).values():
            function = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
            code = getattr(function, "__code__", None)
            if code is not None and code.co_filename == str(path) and code.co_qualname in names:
                yield from (code, *_inner(code))


def _inner(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _inner(each)


# Mutations.


def mutated(session: Session, corpus: list[Session], rng: random.Random) -> Session:
    """The session with a few things changed."""
    steps = list(session.steps)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        at = rng.randrange(len(steps)) if steps else 0
        choice = rng.random()
        if not steps or choice < 0.1:
            steps.insert(at, rng.choice(rng.choice(corpus).steps or (b"",)))
        elif choice < 0.15:
            del steps[at]
        elif choice < 0.2:
            steps.insert(at, steps[at])
        elif isinstance(step := steps[at], bytes):
            if choice < 0.3:
                cut = rng.randrange(len(step) + 1)
                steps[at : at + 1] = [step[:cut], step[cut:]]
            elif choice < 0.7:
                steps[at] = _reframed(step, rng)
            else:
                steps[at] = _scratched(step, rng)
        else:
            steps[at] = rng.choice([message for _, message in SCRIPT])
    return Session(session.role, tuple(step if not isinstance(step, bytes) else step[:MOST_BYTES] for step in steps))


def _scratched(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed anywhere."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 2, 4, 16, 64)))
    choice = rng.randrange(6)
    if choice == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if choice == 1:
        return data[:at] + rng.randbytes(end - at) + data[end:]
    if choice == 2:
        return data[:at] + rng.choice(WORDS) + data[end:]
    if choice == 3:
        return data[:at] + data[end:]
    if choice == 4:
        return data[:at] + data[at:end] * rng.choice((2, 3, 50)) + data[end:]
    return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]


def _reframed(data: bytes, rng: random.Random) -> bytes:
    """The first frame changed inside, its lengths put right: it gets past the head."""
    if len(data) < HEAD.size:
        return _scratched(data, rng)
    magic, version, zeros, header_length, payload_length = HEAD.unpack_from(data)
    end = HEAD.size + header_length
    header, payload, rest = data[HEAD.size : end], data[end : end + payload_length], data[end + payload_length :]
    choice = rng.random()
    if choice < 0.2:
        payload = rng.choice((b"", payload + b"x", payload[:1], payload * 2, bytes(9)))
    elif choice < 0.8:
        header = _reworded(header, rng)
    else:
        header = _scratched(header, rng)
    lengths = min(len(header), 2**32 - 1), min(len(payload), 2**32 - 1)
    return HEAD.pack(magic, version, zeros, *lengths) + header + payload + rest


def _reworded(header: bytes, rng: random.Random) -> bytes:
    """Another value, or another field, in the JSON object."""
    try:
        values = json.loads(header)
    except ValueError:
        return _scratched(header, rng)
    if not isinstance(values, dict) or not values:
        return _scratched(header, rng)
    name = rng.choice(list(values))
    choice = rng.randrange(5)
    if choice == 0:
        del values[name]
    elif choice == 1:
        values["type"] = rng.choice([cls.__name__.lower() for cls in messages.MESSAGE_TYPES])
    elif choice == 2:
        _, other = rng.choice(SCRIPT)
        values |= json.loads(bytes(codec.encode(other)[0])[HEAD.size :])
    elif choice == 3:
        values[name] = rng.choice(
            (None, True, -1, 0, 1.5, 2**31, 2**53, "", "source", JOB, OTHER, "\ud800", [], {}, [300])
        )
    else:
        return header.replace(json.dumps(values[name]).encode(), rng.choice(WORDS), 1)
    return json.dumps(values, separators=(",", ":")).encode()


# The fuzz.


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
    process = psutil.Process()
    memory = process.memory_info().rss
    start = time.perf_counter()
    while (not seconds or time.perf_counter() - start < seconds) and outcome.inputs != most_inputs:
        session = pending.pop() if pending else mutated(rng.choice(corpus), corpus, rng)
        outcome.inputs += 1
        if outcome.inputs == known:
            memory = process.memory_info().rss
        try:
            lines.watch(session.run)
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
