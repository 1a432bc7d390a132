"""A short run of the fuzz, and that it would notice."""

import pytest
from benchmarks.fuzz.sessions import SCRIPT, Session, new_side, recorded
from benchmarks.fuzz_wire import fuzz

from scumble_bridge.connection import Connection, Event
from scumble_bridge.messages import Unknown

INPUTS = 3_000


def heard(session: Session, split: tuple[int, int] | None = None) -> list[Event]:
    """What a side hears; `split`: which step comes in two parts, and where it is cut."""
    side, events = new_side(session.role), []
    for number, step in enumerate(session.steps):
        if not isinstance(step, bytes):
            side.send(step)
        elif split is not None and split[0] == number:
            events += side.receive(step[: split[1]])
            events += side.receive(step[split[1] :])
        else:
            events += side.receive(step)
        side.outgoing()
    return events


@pytest.mark.parametrize("role", ["client", "core"])
def test_every_frame_of_a_session_may_be_split_at_every_byte(role: str) -> None:
    session = recorded(role)  # type: ignore[arg-type]
    whole = heard(session)
    assert len(whole) > len(SCRIPT) // 3
    for number, step in enumerate(session.steps):
        if isinstance(step, bytes):
            for at in range(1, len(step)):
                assert heard(session, (number, at)) == whole


@pytest.mark.parametrize("role", ["client", "core"])
def test_a_session_that_comes_byte_by_byte_is_the_same_session(role: str) -> None:
    session = recorded(role)  # type: ignore[arg-type]
    steps = [bytes([byte]) for step in session.steps if isinstance(step, bytes) for byte in step]
    side, events = new_side(session.role), []
    for step in session.steps:
        if isinstance(step, bytes):
            for byte in step:
                events += side.receive(bytes([byte]))
        else:
            side.send(step)
        side.outgoing()
    assert events == heard(session) and len(steps) > 1000


def test_mutated_sessions_raise_nothing_but_protocol_errors_and_keep_memory_bounded() -> None:
    outcome = fuzz(seconds=0, seed=4, most_inputs=INPUTS)
    assert outcome.inputs == INPUTS and outcome.failures == []
    assert outcome.lines > 0.75 * outcome.lines_in_all


def test_the_fuzz_finds_what_raises_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(self: Connection, message: Unknown) -> None:
        raise KeyError(message.type)

    monkeypatch.setattr(Connection, "_refuse", stumble)
    failures = fuzz(seconds=0, seed=4, most_inputs=INPUTS).failures
    assert failures and all("KeyError" in trace for _, trace in failures)
