"""The protocol over asyncio streams: the core's side, and a client for the command line and tests."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from scumble_bridge.connection import Authenticated, Connection, Event
from scumble_bridge.errors import PlaceError, ProtocolError
from scumble_bridge.messages import Message
from scumble_bridge.places import Address, UnixAddress, core_address, read_token

READ_BYTES = 256 * 1024
HANDSHAKE_SECONDS = 10.0
# More strangers and clients at once than any machine has artists.
MOST_CHANNELS = 32

_log = logging.getLogger("scumble.channel")


class Channel:
    """One conversation over one socket, after the handshake."""

    def __init__(self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._early: list[Event] = []
        self.server = ""

    @property
    def is_open(self) -> bool:
        """Whether anything may still be sent."""
        return self._connection.phase == "open" and not self._writer.is_closing()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the other side to read."""
        return self._writer.transport.get_write_buffer_size()

    def sendable(self, job: str, stream: str) -> int:
        """How many bytes of a stream the other side waits for."""
        return self._connection.sendable(job, stream)

    def post(self, message: Message) -> None:
        """Send without waiting. For small messages: what isn't read piles up."""
        self._connection.send(message)
        self._flush()

    async def send(self, message: Message) -> None:
        """Send, and wait while too much is unread."""
        self.post(message)
        await self._writer.drain()

    async def shake_hands(self) -> None:
        """Until both sides know each other; ProtocolError when they don't."""
        try:
            await asyncio.wait_for(self._until_known(), HANDSHAKE_SECONDS)
        except asyncio.TimeoutError:  # not yet the builtin one in Python 3.10
            raise ProtocolError("The other side didn't finish the handshake in time.") from None
        first = self._early.pop(0)
        assert isinstance(first, Authenticated)  # a connection gives nothing before it
        self.server = first.server

    async def events(self) -> AsyncIterator[Event]:
        """What the other side says, until it closes. ProtocolError when it breaks the protocol."""
        while True:
            for event in self._early:
                yield event
            try:
                self._early = await self._receive()
            except EOFError:
                return

    async def close(self) -> None:
        """Close the socket; what was sent still goes out."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _until_known(self) -> None:
        self._flush()
        while not self._early:
            self._early = await self._receive()

    async def _receive(self) -> "list[Event]":
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._connection.ended()
            raise EOFError
        events = self._connection.receive(data)
        self._flush()
        await self._writer.drain()  # replies go out before more is taken in: a flood is not answered from memory
        return events

    def _flush(self) -> None:
        data = self._connection.outgoing()
        if data and not self._writer.is_closing():
            self._writer.write(data)


async def connect(runtime: Path) -> Channel:
    """A client's channel to the core that runs in this runtime folder. Raises PlaceError or ProtocolError."""
    token = read_token(runtime)
    address = core_address(runtime)
    try:
        if isinstance(address, UnixAddress):
            reader, writer = await asyncio.open_unix_connection(str(address.path))
        else:
            reader, writer = await asyncio.open_connection(address.host, address.port)
    except OSError as error:
        raise PlaceError(f"Nobody answers at {address} ({error.strerror or error}): start Scumble's core.") from error
    channel = Channel(Connection("client", token), reader, writer)
    try:
        await channel.shake_hands()
    except BaseException:
        await channel.close()
        raise
    return channel


async def listen(
    address: Address, token: bytes, server: str, welcome: Callable[[Channel], Awaitable[None]]
) -> asyncio.Server:
    """A server that hands each channel, once the other side has shown that it knows the token, to `welcome`."""
    count = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        channel = Channel(Connection("core", token, server=server), reader, writer)
        count += 1
        try:
            if count <= MOST_CHANNELS:
                await channel.shake_hands()
                await welcome(channel)
        except (ProtocolError, OSError, EOFError) as error:
            _log.warning("A connection was closed: %s", error)
        finally:
            count -= 1
            await channel.close()

    if isinstance(address, UnixAddress):
        return await asyncio.start_unix_server(converse, str(address.path))
    return await asyncio.start_server(converse, address.host, address.port)
