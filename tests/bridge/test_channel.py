"""Channels over real sockets: who gets in, who is heard, and what is kept when the other side misbehaves."""

import asyncio
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pairs import JOB, TOKEN

from scumble_bridge import channel as channel_module
from scumble_bridge.asyncio_adapter import MOST_STRANGERS, Channel, connect, listen
from scumble_bridge.channel import ENOUGH_UNSENT, MEBIBYTE, MOST_UNSENT, MUCH_UNSENT
from scumble_bridge.connection import Connection
from scumble_bridge.errors import ProtocolError
from scumble_bridge.messages import Accepted, Credit, Describe, Described, Failed, Fetch, Ping, Pixels, Pong, Preview
from scumble_bridge.places import TcpAddress, UnixAddress, create_token, read_token

ANSWER = Described("cpu", "1", (), (), ())
PATIENCE = 20.0
IDLE = 1_000


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, PATIENCE))


async def answering(channel: Channel) -> None:
    """A core that only describes itself."""
    async for event in channel.events():
        if isinstance(event, Describe):
            channel.post(ANSWER)


@asynccontextmanager
async def serving(
    folder: Path, welcome: Callable[[Channel], Awaitable[None]] = answering, beat: float = 1000.0
) -> AsyncIterator[Path]:
    token = create_token(folder)
    path = folder / "core.sock"
    server = await listen(UnixAddress(path), token, "test", welcome, beat=beat)
    try:
        yield path
    finally:
        server.close()


async def is_answered(folder: Path) -> bool:
    """Whether an honest client gets in and is answered."""
    channel = await connect(folder)
    try:
        channel.post(Describe())
        return [event async for event in _first(channel)] == [ANSWER]
    finally:
        await channel.close()


async def _first(channel: Channel) -> AsyncIterator[Any]:
    async for event in channel.events():
        yield event
        return


async def all_said(path: Path, *pieces: bytes) -> bytes:
    """What the core says to these bytes until it closes."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    said = b""
    with suppress(OSError):
        while data := await reader.read(65536):
            said += data
    writer.close()
    return said


# Who gets in.


def test_a_browser_on_the_loopback_port_gets_nothing_but_a_close() -> None:
    async def work() -> None:
        server = await listen(TcpAddress(0), TOKEN, "test", answering)
        port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        for request in (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"POST /submit HTTP/1.1\r\n\r\nSCMB",
            b"\x16\x03\x01",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
        server.close()

    run(work())


def test_a_recorded_session_opens_nothing_when_it_is_played_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as path:
            client = Connection("client", read_token(tmp_path))
            reader, writer = await asyncio.open_unix_connection(str(path))
            recorded = []
            while client.phase != "open":
                recorded.append(client.outgoing())
                writer.write(recorded[-1])
                client.receive(await reader.read(4096))
            client.send(Describe())
            recorded.append(client.outgoing())
            writer.close()
            assert await all_said(path, *recorded) == b""
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(recorded[0])
            assert b"challenge" in await reader.read(4096)
            writer.write(b"".join(recorded[1:]))
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
            assert await is_answered(tmp_path)

    run(work())


def test_a_wrong_token_and_no_handshake_at_all_get_nothing_but_a_close(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as path:
            token = (tmp_path / "token").read_text()
            (tmp_path / "token").write_text("00" * 32)
            with pytest.raises(ProtocolError):
                await connect(tmp_path)
            (tmp_path / "token").write_text(token)
            head = b"SCMB\1\0\0\0\0\0\0\x13\0\0\0\0"
            assert await all_said(path, head + b'{"type":"describe"}') == b""
            assert await is_answered(tmp_path)

    run(work())


def test_who_says_nothing_is_closed_when_the_time_for_the_handshake_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "HANDSHAKE_SECONDS", 0.05)

    async def work() -> None:
        async with serving(tmp_path) as path:
            assert await all_said(path) == b""
            assert await all_said(path, b"SCMB") == b""

    run(work())


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED") or os.getuid() != 0, reason="only root can be somebody else")
def test_another_users_program_is_closed_before_it_can_speak() -> None:
    async def work() -> None:
        with tempfile.TemporaryDirectory(prefix="scumble-") as folder:
            async with serving(Path(folder)) as path:
                Path(folder).chmod(0o755)
                path.chmod(0o777)
                code = (
                    "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.settimeout(9);"
                    "s.connect(sys.argv[1]); sys.exit(len(s.recv(1)))"
                )
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", code, str(path), stderr=subprocess.DEVNULL
                )
                assert await process.wait() in (0, 1)  # an empty read, or a reset
                assert await is_answered(Path(folder))

    run(work())


def test_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    create_token(tmp_path)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


# Who is heard.


def test_a_thousand_idle_connections_leave_the_core_answering_and_most_are_closed(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as path:
            idle = [socket.socket(socket.AF_UNIX) for _ in range(IDLE)]
            try:
                for each in idle:
                    each.setblocking(False)
                    await asyncio.get_running_loop().sock_connect(each, str(path))
                assert await is_answered(tmp_path)
                assert sum(_is_open(each) for each in idle) <= MOST_STRANGERS
            finally:
                for each in idle:
                    each.close()

    run(work())


def _is_open(line: socket.socket) -> bool:
    try:
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_one_who_sends_a_byte_at_a_time_is_understood_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as path:
            client = Connection("client", read_token(tmp_path))
            reader, writer = await asyncio.open_unix_connection(str(path))
            answered = 0
            while client.phase != "open":
                for byte in client.outgoing():
                    writer.write(bytes([byte]))
                    await writer.drain()
                    answered += byte == ord("}") and await is_answered(tmp_path)  # others, in the middle of it
                client.receive(await reader.read(4096))
            client.send(Ping(3))
            for byte in client.outgoing():
                writer.write(bytes([byte]))
            assert client.receive(await reader.read(4096)) == [Pong(3)] and answered == 2
            writer.close()

    run(work())


def test_the_silent_are_asked_and_closed_when_they_do_not_answer(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, beat=0.01) as path:
            client = Connection("client", read_token(tmp_path))
            reader, writer = await asyncio.open_unix_connection(str(path))
            while client.phase != "open":
                writer.write(client.outgoing())
                client.receive(await reader.read(4096))
            said = b""
            with suppress(ConnectionResetError):
                while data := await reader.read(4096):
                    said += data
            assert b"ping" in said
            writer.close()

    run(work())


def test_who_answers_when_asked_stays_however_long_it_has_nothing_to_say(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, beat=0.01):
            client = await connect(tmp_path, beat=1000)
            events = asyncio.create_task(_all(client))
            await asyncio.sleep(0.5)
            assert client.is_open and not events.done()
            await client.close()
            assert await events == []

    run(work())


async def _all(channel: Channel) -> list[Any]:
    return [event async for event in channel.events()]


# What is kept.


def test_a_client_that_never_reads_does_not_grow_the_core_and_is_closed(tmp_path: Path) -> None:
    most: list[int] = []
    ended = asyncio.Event()

    async def telling(channel: Channel) -> None:
        news = Preview(JOB, 0, 0, 256, 256, 256, 256, bytes(3 * 256 * 256))
        while channel.is_open:
            channel.post(news)
            most.append(channel.unsent)
            await asyncio.sleep(0)
        ended.set()

    async def work() -> None:
        async with serving(tmp_path, telling):
            client = await connect(tmp_path)
            client._transport.pause_reading()  # type: ignore[union-attr]
            await ended.wait()
            client.abort()

    run(work())
    assert ENOUGH_UNSENT < max(most) <= MOST_UNSENT + MEBIBYTE


def test_bulk_waits_for_a_client_that_never_reads(tmp_path: Path) -> None:
    most: list[int] = []
    full = asyncio.Event()

    async def delivering(channel: Channel) -> None:
        async for event in channel.events():
            if isinstance(event, Credit):
                await asyncio.wait([asyncio.create_task(_bulk(channel, most)) for _ in range(5)], timeout=0.3)
                full.set()

    async def work() -> None:
        async with serving(tmp_path, delivering):
            client = await connect(tmp_path)
            client.post(Fetch(JOB, "refined"))
            client.post(Credit(JOB, "refined", 2**30))
            client._transport.pause_reading()  # type: ignore[union-attr]
            await full.wait()
            client.abort()

    run(work())
    assert ENOUGH_UNSENT < max(most) <= ENOUGH_UNSENT + 2 * MEBIBYTE


async def _bulk(channel: Channel, most: list[int]) -> None:
    with suppress(OSError):
        while True:
            await channel.send(Pixels(JOB, "refined", 0, bytes(MEBIBYTE)))
            most.append(channel.unsent)


def test_one_who_asks_without_end_and_reads_no_answer_is_not_heard_any_more(tmp_path: Path) -> None:
    channels: list[Channel] = []

    async def watching(channel: Channel) -> None:
        channels.append(channel)
        await answering(channel)

    async def work() -> None:
        async with serving(tmp_path, watching) as path:
            client = Connection("client", read_token(tmp_path))
            reader, writer = await asyncio.open_unix_connection(str(path))
            while client.phase != "open":
                writer.write(client.outgoing())
                client.receive(await reader.read(4096))
            unknown = b'{"type":"polish"}'
            flood = (b"SCMB\1\0\0\0" + len(unknown).to_bytes(4, "big") + bytes(4) + unknown) * 1000
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    while True:
                        writer.write(flood)
                        await writer.drain()
            assert channels[0].unsent <= MUCH_UNSENT + MEBIBYTE
            assert await is_answered(tmp_path)
            writer.transport.abort()

    run(work())


def test_two_sides_that_send_bulk_to_each_other_never_both_wait(tmp_path: Path) -> None:
    total = 64 * MEBIBYTE
    taken = {"core": 0, "client": 0}

    async def exchange(channel: Channel, side: str, stream: Any) -> None:
        async def give() -> None:
            for _ in range(total // MEBIBYTE):
                await channel.send(Pixels(JOB, stream, 0, bytes(MEBIBYTE)))

        async for event in channel.events():
            if isinstance(event, Credit):
                giving = asyncio.create_task(give())
            if isinstance(event, Pixels):
                taken[side] += len(event.data)
            if isinstance(event, Fetch):
                channel.post(Accepted(JOB, ("source",)))
                channel.post(Credit(JOB, "source", total))
            if isinstance(event, Accepted):
                channel.post(Credit(JOB, "refined", total))
            if taken[side] == total:
                await giving
                return

    async def work() -> None:
        async with serving(tmp_path, lambda channel: exchange(channel, "core", "refined")):
            client = await connect(tmp_path)
            client.post(Fetch(JOB, "refined"))
            await exchange(client, "client", "source")
            await client.close()

    run(work())
    assert taken["client"] == total


def test_a_payload_reaches_its_taker_without_more_than_a_few_pieces_waiting(tmp_path: Path) -> None:
    waited: list[int] = []

    async def slow(channel: Channel) -> None:
        channel.post(Accepted(JOB, ("source",)))
        channel.post(Credit(JOB, "source", 32 * MEBIBYTE))
        received = 0
        async for event in channel.events():
            if isinstance(event, Pixels):
                received += len(event.data)
                await asyncio.sleep(0.002)
                waited.append(channel._waiting_bytes)
            if received == 32 * MEBIBYTE:
                channel.post(Failed(None, "x", "enough"))
                return

    async def work() -> None:
        async with serving(tmp_path, slow):
            client = await connect(tmp_path)
            async for event in client.events():
                if isinstance(event, Credit):
                    for _ in range(32):
                        await client.send(Pixels(JOB, "source", 0, bytes(MEBIBYTE)))
                if isinstance(event, Failed):
                    break
            await client.close()

    run(work())
    assert 0 < max(waited) <= 3 * MEBIBYTE
