"""Cores that answer at a real socket, and clients of them: for the tests of channels."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from scumble_bridge.asyncio_adapter import Channel, connect, listen
from scumble_bridge.messages import Describe, Described
from scumble_bridge.places import UnixAddress, create_token

ANSWER = Described("cpu", "1", (), (), ())
PATIENCE = 20.0


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


async def everything(channel: Channel) -> list[Any]:
    return [event async for event in channel.events()]
