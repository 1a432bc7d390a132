"""Sessions of one side, as recorded, and what must hold while they run."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass

from scumble_bridge import flow, frames, messages
from scumble_bridge.connection import Connection
from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.fields import JobRow, ModelChoice, PictureHeader
from scumble_bridge.frames import FULL_LIMITS, HEAD
from scumble_bridge.handshake import Role
from scumble_bridge.messages import Message

TOKEN = bytes(range(32))
NONCES: dict[Role, bytes] = {"client": b"\x11" * 32, "core": b"\x22" * 32}
JOB, OTHER = "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"
PICTURE = PictureHeader(2, 1, "u8", "bgra")
MASK = PictureHeader(2, 1, "u8", "mask")
MOST_KEPT = HEAD.size + FULL_LIMITS.header + FULL_LIMITS.payload
SCRIPT: tuple[tuple[Role, Message], ...] = (
    ("client", messages.Describe()),
    ("core", messages.Described("cpu", "1", (ModelChoice("a", "A"),), (), (), 9, 5, "ready", ("A",))),
    ("client", messages.Estimate(3, {"scale": 2.0}, PICTURE, (0, -1, 2, 1))),
    ("core", messages.Estimated(3, {"tiles": 1, "grid": {"columns": [0]}})),
    ("client", messages.Watch()),
    ("core", messages.Queue((JobRow(OTHER, "later", "me", "queued", "queued", 1, 0, None, -3),))),
    ("client", messages.Prioritise(OTHER, 5)),
    (
        "client",
        messages.Submit(JOB, {"prompt": "später"}, PICTURE, MASK, 1, "me", "title", 3, strength=MASK, regions=(MASK,)),
    ),
    ("core", messages.Accepted(JOB, ("source", "selection", "profile", "strength", "region-1"))),
    ("core", messages.Credit(JOB, "profile", 3)),
    ("core", messages.Credit(JOB, "region-1", 2)),
    ("client", messages.Pixels(JOB, "profile", 0, bytes(3))),
    ("client", messages.Pixels(JOB, "region-1", 0, bytes(2))),
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
    ("client", messages.Quit()),
)

Step = bytes | Message  # what is received, or what is sent


@dataclass(frozen=True)
class Session:
    """One side's session."""

    role: Role
    steps: tuple[Step, ...]

    def run(self, known: Opened | None = None) -> None:
        """Raises what must not be raised. `known` saves the handshake, where the session has it unchanged."""
        skipped = 0 if known is None else known.covers(self)
        side = known.side() if known is not None and skipped else new_side(self.role)
        for step in self.steps[skipped:]:
            try:
                if isinstance(step, bytes):
                    for event in side.receive(step):
                        if isinstance(event, messages.Pixels):
                            side.reuse(event.data)  # as the front door does with what it has written
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
        with contextlib.suppress(ProtocolError):
            side.ended()


@dataclass(frozen=True)
class Opened:
    """A session's first steps, which are a whole handshake, and the side that has done them."""

    steps: tuple[Step, ...]
    done: Connection

    def covers(self, session: Session) -> int:
        """How many steps of the session need not be taken."""
        count = len(self.steps)
        return count if session.role == self.done.role and session.steps[:count] == self.steps else 0

    def side(self) -> Connection:
        """A side as if it had just done them."""
        side = copy.copy(self.done)
        side._out = []
        side._ours, side._theirs = flow.CreditBook(), flow.CreditBook()
        side._frames = frames.FrameReader()
        side._frames.trust()
        return side


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


def opened(whole: Session) -> Opened:
    """The handshake that a session begins with."""
    side = new_side(whole.role)
    for count, step in enumerate(whole.steps, 1):
        assert isinstance(step, bytes), "a handshake is answered, not begun"
        side.receive(step)
        side.outgoing()
        if side.phase == "open":
            return Opened(whole.steps[:count], side)
    raise ValueError("The session has no handshake.")


def seeds(role: Role) -> list[Session]:
    """The whole script, and the handshake with one step after it: short sessions are many a second."""
    whole = recorded(role)
    hands = opened(whole).steps
    return [whole, *(Session(role, (*hands, step)) for step in whole.steps[len(hands) :])]
