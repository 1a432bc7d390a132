"""Channels over real sockets: who gets in, who is heard, and who is closed."""

import asyncio
import os
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from channels import all_said, answering, everything, is_answered, run, serving
from pairs import TOKEN

from scumble_bridge import channel as channel_module
from scumble_bridge.asyncio_adapter import MOST_STRANGERS, connect, listen
from scumble_bridge.connection import Connection
from scumble_bridge.errors import ProtocolError
from scumble_bridge.messages import Describe, Ping, Pong
from scumble_bridge.places import TcpAddress, create_token, read_token

IDLE = 1_000


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
            events = asyncio.create_task(everything(client))
            await asyncio.sleep(0.5)
            assert client.is_open and not events.done()
            await client.close()
            assert await events == []

    run(work())
