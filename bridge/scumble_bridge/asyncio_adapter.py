"""The protocol over asyncio: the core's side, and a client for the command line and tests."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from scumble_bridge.channel import BEAT_SECONDS, Channel
from scumble_bridge.connection import Connection
from scumble_bridge.errors import PlaceError, ProtocolError
from scumble_bridge.peers import is_ours
from scumble_bridge.places import Address, UnixAddress, core_address, read_token

__all__ = ["Channel", "connect", "listen"]

# Beyond so many that haven't shown who they are, the one that came first has to go: no stranger keeps a client out.
MOST_STRANGERS = 64
# More clients at once than any machine has artists.
MOST_CLIENTS = 128

_log = logging.getLogger("scumble.channel")


async def connect(runtime: Path, *, beat: float = BEAT_SECONDS) -> Channel:
    """A client's channel to the core that runs in this runtime folder. Raises PlaceError or ProtocolError."""
    token = read_token(runtime)
    address = core_address(runtime)
    loop = asyncio.get_running_loop()
    channel = Channel(Connection("client", token), beat)
    try:
        if isinstance(address, UnixAddress):
            await loop.create_unix_connection(lambda: channel, str(address.path))
        else:
            await loop.create_connection(lambda: channel, address.host, address.port)
    except OSError as error:
        raise PlaceError(f"Nobody answers at {address} ({error.strerror or error}): start Scumble's core.") from error
    try:
        if not is_ours(channel.socket):
            raise PlaceError(f"Somebody else's program listens at {address}: remove it, or set SCUMBLE_RUNTIME_DIR.")
        await channel.shake_hands()
    except BaseException:
        await channel.close()
        raise
    return channel


async def listen(
    address: Address,
    token: bytes,
    server: str,
    welcome: Callable[[Channel], Awaitable[None]],
    *,
    beat: float = BEAT_SECONDS,
) -> asyncio.AbstractServer:
    """A server that hands each channel, once the other side has shown that it knows the token, to `welcome`."""
    reception = _Reception(token, server, welcome, beat)
    loop = asyncio.get_running_loop()
    if isinstance(address, UnixAddress):
        return await loop.create_unix_server(reception.answer, str(address.path), backlog=1024)
    return await loop.create_server(reception.answer, address.host, address.port, backlog=1024)


class _Reception:
    """Those who have knocked, until they are known; and how many are known."""

    def __init__(self, token: bytes, server: str, welcome: Callable[[Channel], Awaitable[None]], beat: float) -> None:
        self._token = token
        self._server = server
        self._welcome = welcome
        self._beat = beat
        self._strangers: dict[Channel, None] = {}
        self._clients = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self) -> Channel:
        """A channel for a connection that is about to be made."""
        return Channel(Connection("core", self._token, server=self._server), self._beat, self._receive)

    def _receive(self, channel: Channel) -> None:
        self._strangers[channel] = None
        if len(self._strangers) > MOST_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.abort()
        task = asyncio.get_running_loop().create_task(self._converse(channel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, channel: Channel) -> None:
        try:
            await self._check(channel)
            self._clients += 1
            try:
                await self._welcome(channel)
            finally:
                self._clients -= 1
        except (ProtocolError, OSError, EOFError) as error:
            _log.warning("A connection was closed: %s", error)
        except Exception:
            _log.exception("A conversation failed: its connection is closed")
        finally:
            await channel.close()

    async def _check(self, channel: Channel) -> None:
        try:
            if not is_ours(channel.socket):
                raise ProtocolError("It came from another user's program.")
            await channel.shake_hands()
        finally:
            self._strangers.pop(channel, None)
        if self._clients >= MOST_CLIENTS:
            raise ProtocolError(f"{MOST_CLIENTS} clients are connected already.")
