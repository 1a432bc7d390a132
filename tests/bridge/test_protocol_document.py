"""docs/protocol.md says what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import example_session
import pytest

from scumble_bridge import asyncio_adapter, channel, flow, frames
from scumble_bridge.connection import MOST_REPLIES, Connection
from scumble_bridge.messages import MESSAGE_TYPES, Message
from scumble_bridge.phases import MAY_SEND

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")


def row(table: str, first: str) -> list[str]:
    """The cells of a table's row, by its first cell."""
    section = DOCUMENT[DOCUMENT.index(f"## {table}\n") :].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    return next(cells for cells in rows if cells[0] == first)


def names(types: frozenset[type[Message]]) -> set[str]:
    return {cls.__name__ for cls in types} or {"-"}


def test_the_example_session_is_what_both_sides_say_byte_for_byte() -> None:
    assert f"```\n{example_session.as_text()}\n```" in DOCUMENT


def test_the_example_session_is_understood_when_read_from_the_document() -> None:
    sides = {
        "client": Connection("client", example_session.TOKEN, nonce=example_session.NONCES["client"]),
        "core": Connection("core", example_session.TOKEN, server="scumble 1", nonce=example_session.NONCES["core"]),
    }
    text = DOCUMENT[DOCUMENT.index("## An example session") :]
    said = {"client": b"", "core": b""}
    for name, digits in re.findall(r"^(client|core):\n((?:  [0-9a-f]+\n)+)", text, re.MULTILINE):
        said[name] += bytes.fromhex("".join(digits.split()))
    hello = sides["client"].outgoing()
    assert said["client"].startswith(hello)
    sides["core"].receive(hello)
    sides["client"].receive(sides["core"].outgoing())
    assert said["client"][len(hello) :].startswith(sides["client"].outgoing())


@pytest.mark.parametrize("phase", MAY_SEND)
def test_the_table_of_states_is_the_one_that_connections_go_by(phase: str) -> None:
    _, client, core, _ = row("States", f"`{phase}`")
    assert set(client.split(", ")) == names(MAY_SEND[phase]["client"])  # type: ignore[index]
    assert set(core.split(", ")) == names(MAY_SEND[phase]["core"])  # type: ignore[index]


@pytest.mark.parametrize("cls", MESSAGE_TYPES)
def test_each_message_stands_there_with_all_its_fields_and_who_sends_it(cls: type[Message]) -> None:
    _, sender, described = row("Messages", cls.__name__)
    assert [name for name in re.findall(r"`(\w+)`", described) if name[0] != "{"] == [each.name for each in fields(cls)]
    senders = {role for states in MAY_SEND.values() for role, types in states.items() if cls in types}
    assert senders == ({"client", "core"} if sender == "both" else {sender})


def test_the_limits_are_those_of_the_code() -> None:
    assert row("Limits", "open streams in each direction")[1] == str(flow.MOST_STREAMS)
    assert row("Limits", "Pings and unknown messages in one read")[1] == str(MOST_REPLIES)
    assert row("Limits", "strangers, who haven't finished the handshake")[1] == str(asyncio_adapter.MOST_STRANGERS)
    assert row("Limits", "clients")[1] == str(asyncio_adapter.MOST_CLIENTS)
    for limit, mebibytes in ((channel.ENOUGH_UNSENT, 1), (channel.MUCH_UNSENT, 6), (channel.MOST_UNSENT, 16)):
        assert limit == mebibytes * 1024 * 1024 and f"| {mebibytes} MiB |" in DOCUMENT
    assert (channel.MOST_WAITING_BYTES, channel.MOST_WAITING) == (2 * 1024 * 1024, 256)
    assert str(frames.FULL_LIMITS.header) in row("Frames", "8 to 11")[1]
    assert str(frames.FULL_LIMITS.payload) in row("Frames", "12 to 15")[1]
    assert str(frames.STRANGER_LIMITS.header) in row("Frames", "8 to 11")[1]
    assert (channel.BEAT_SECONDS, channel.MOST_SILENT_BEATS, channel.HANDSHAKE_SECONDS) == (30, 10, 10)
