"""One conversation over one asyncio transport: reads straight into the connection's buffers, and keeps within bounds.

Theory of operation: the transport calls us with what came; events wait in a queue until `events` gives them out, and
while the queue is full nothing is read. Bulk (`send`) goes out one message after the other, and only while little
is unsent; small messages (`post`) go out at once. When the other side doesn't read, then first bulk waits, then
nothing more is read from it (so that it can't ask for answers), and at last, since news may still pile up, the
channel is closed. The three bounds lie apart, so that two sides that send bulk to each other never both wait for the
other to read.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable

from scumble_bridge.connection import Authenticated, Connection, Event
from scumble_bridge.errors import ProtocolError
from scumble_bridge.frames import Buffer
from scumble_bridge.messages import Message, Ping, Pixels

MEBIBYTE = 1024 * 1024
HANDSHAKE_SECONDS = 10.0
# After a beat of silence we ask; after so many the other side is gone. Krita may well stand still for minutes.
BEAT_SECONDS = 30.0
MOST_SILENT_BEATS = 10
# Bytes that the other side has not read yet: no more bulk, nothing more read, closed.
ENOUGH_UNSENT = 1 * MEBIBYTE
MUCH_UNSENT = 6 * MEBIBYTE
MOST_UNSENT = 16 * MEBIBYTE
# Events that nobody has taken yet.
MOST_WAITING = 256
MOST_WAITING_BYTES = 2 * MEBIBYTE
SOCKET_BYTES = 1 * MEBIBYTE
CLOSE_SECONDS = 2.0


class Channel(asyncio.BufferedProtocol):
    """One conversation over one socket. `shake_hands` first; then `events`, and whatever there is to send."""

    def __init__(
        self, connection: Connection, beat: float = BEAT_SECONDS, made: "Callable[[Channel], None] | None" = None
    ) -> None:
        """`beat`: seconds of silence before we ask; `made` is called when the transport is there."""
        self._connection = connection
        self._beat = beat
        self._made = made
        self._transport: asyncio.Transport | None = None
        self._events: deque[Event] = deque()
        self._waiting_bytes = 0
        self._reads = True
        self._fault: ProtocolError | None = None
        self._over = False
        self._changed = asyncio.Event()  # something for `events` to look at
        self._writable = asyncio.Event()
        self._writable.set()
        self._bulk = asyncio.Lock()
        self._gone = asyncio.Event()
        self._silent_beats = 0
        self._timer: asyncio.TimerHandle | None = None
        self.server = ""

    # For whoever talks.

    @property
    def is_open(self) -> bool:
        """Whether anything may still be sent."""
        return self._connection.phase == "open" and self._transport is not None and not self._transport.is_closing()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the other side to read."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def socket(self) -> "socket.socket | None":
        """The socket below, to ask who is at its other end."""
        line: socket.socket | None = None if self._transport is None else self._transport.get_extra_info("socket")
        return line

    def sendable(self, job: str, stream: str) -> int:
        """How many bytes of a stream the other side waits for."""
        return self._connection.sendable(job, stream)

    def reuse(self, data: Buffer) -> None:
        """Nobody looks at the data of an event any more: what comes next may take its place, which is faster."""
        self._connection.reuse(data)

    def post(self, message: Message) -> None:
        """Send without waiting. For small messages: what isn't read piles up, and in the end the channel is closed."""
        self._connection.send(message)
        self._flush()

    async def send(self, message: Message) -> None:
        """Send when what went before has been read, but for little. Raises OSError when the other side is gone."""
        async with self._bulk:
            await self._writable.wait()
            if self._over:
                raise ConnectionResetError("The other side is gone.")
            self.post(message)

    async def shake_hands(self) -> None:
        """Until both sides know each other; ProtocolError when they don't."""
        try:
            first = await asyncio.wait_for(self._next(), HANDSHAKE_SECONDS)
        except asyncio.TimeoutError:  # not yet the builtin one in Python 3.10
            raise ProtocolError("The other side didn't finish the handshake in time.") from None
        if first is None:
            raise ProtocolError("The connection ended during the handshake.")
        assert isinstance(first, Authenticated)  # a connection gives nothing before it
        self.server = first.server

    async def events(self) -> AsyncIterator[Event]:
        """What the other side says, until it closes. ProtocolError when it breaks the protocol."""
        while (event := await self._next()) is not None:
            yield event

    async def close(self) -> None:
        """Close the socket; what was sent still goes out, if the other side reads it soon."""
        if self._transport is None:
            return
        self._transport.close()
        try:
            await asyncio.wait_for(self._gone.wait(), CLOSE_SECONDS)
        except asyncio.TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Close the socket at once."""
        if self._transport is not None:
            self._transport.abort()

    # For the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=ENOUGH_UNSENT, low=ENOUGH_UNSENT // 4)
        line = self.socket
        if line is not None:
            with contextlib.suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        self._timer = asyncio.get_running_loop().call_later(self._beat, self._on_beat)
        self._flush()
        if self._made is not None:
            self._made(self)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return memoryview(bytearray(1)) if self._connection.phase == "closed" else self._connection.room()

    def buffer_updated(self, nbytes: int) -> None:
        self._silent_beats = 0
        try:
            events = self._connection.received(nbytes)
        except ProtocolError as error:
            self._fail(error)
            return
        self._flush()
        if events:
            self._events += events
            self._waiting_bytes += sum(len(event.data) for event in events if isinstance(event, Pixels))
            self._changed.set()
        self._read_or_not()

    def eof_received(self) -> bool:
        try:
            self._connection.ended()
        except ProtocolError as error:
            self._fail(error)
        return False

    def connection_lost(self, _reason: "Exception | None") -> None:
        if self._connection.phase != "closed":
            with contextlib.suppress(ProtocolError):  # the system has said already what went wrong
                self._connection.ended()
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        for each in (self._changed, self._writable, self._gone):
            each.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
        self._read_or_not()

    # Inside.

    async def _next(self) -> "Event | None":
        while not self._events:
            self._read_or_not()
            if self._fault is not None:
                raise self._fault
            if self._over:
                return None
            self._changed.clear()
            await self._changed.wait()
        event = self._events.popleft()
        if isinstance(event, Pixels):
            self._waiting_bytes -= len(event.data)
        return event

    def _read_or_not(self) -> None:
        """Read on, unless too much waits here or there."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        full = len(self._events) >= MOST_WAITING or self._waiting_bytes >= MOST_WAITING_BYTES
        wanted = self.unsent <= MUCH_UNSENT and not full and (self._reads or not self._events)
        if wanted != self._reads:
            self._reads = wanted
            (transport.resume_reading if wanted else transport.pause_reading)()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for piece in self._connection.outgoing_pieces():
            transport.write(piece)
        if self.unsent > MOST_UNSENT:
            self._fail(ProtocolError(f"The other side has not read the last {MOST_UNSENT // MEBIBYTE} MiB."))

    def _fail(self, error: ProtocolError) -> None:
        self._fault = error
        self._changed.set()
        if self._transport is not None:
            self._transport.abort()

    def _on_beat(self) -> None:
        """After silence: ask, or give up. Beats are counted, not seconds: a machine that slept has beaten once."""
        if self._over or self._transport is None:
            return
        self._timer = asyncio.get_running_loop().call_later(self._beat, self._on_beat)
        if not self._reads or self._connection.phase != "open":
            return  # that it is not heard is our own doing, or the handshake's time limit sees to it
        self._silent_beats += 1
        if self._silent_beats > MOST_SILENT_BEATS:
            self._fail(ProtocolError("The other side has been silent for too long."))
        elif self._silent_beats > 1:
            self.post(Ping(self._silent_beats))
