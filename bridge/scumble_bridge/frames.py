"""Frames: the fixed head that says how long the two parts behind it are.

Theory of operation: the reader says where the next bytes shall go (`room`), and is told how many came
(`filled`). Heads and headers go through a small buffer; a payload has its own, of just its length, so that most of it
comes straight from the socket to where it is used, and is copied nowhere. Whoever is done with a payload may give its
buffer back (`reuse`): new memory costs the system more than the copy from the socket. The head is checked byte by byte
as it arrives, so that a stranger (a browser, say) is turned away at its first byte; lengths are checked before anything
is kept for them. What is kept is never more than the small buffer, one payload within the limits, and a few spare ones.
"""

import struct
from dataclasses import dataclass
from typing import Union

from scumble_bridge.errors import MisuseError, ProtocolError

Buffer = Union[bytes, bytearray, memoryview]  # noqa: UP007 - Python 3.10 has no other way that runs

MAGIC = b"SCMB"
FRAME_VERSION = 1
HEAD = struct.Struct(">4sB3sII")
RESERVED = bytes(3)
_START = MAGIC + bytes([FRAME_VERSION]) + RESERVED


@dataclass(frozen=True)
class FrameLimits:
    """The longest parts that a reader takes."""

    header: int
    payload: int


# Before the handshake is done nobody needs more, and a stranger shall not make us keep more.
STRANGER_LIMITS = FrameLimits(header=1024, payload=0)
FULL_LIMITS = FrameLimits(header=64 * 1024, payload=1024 * 1024)


# Payloads given back that are kept for the next ones.
MOST_SPARE = 4
# As much of a payload is copied once more, when it comes with its head.
BUFFER_BYTES = 16 * 1024


@dataclass(frozen=True)
class Frame:
    """One header (JSON text) and one payload (raw bytes, which belong to whoever takes the frame)."""

    header: bytes
    payload: Buffer


def encode_head(header: bytes, payload_length: int) -> bytes:
    """The head for parts of these lengths."""
    if not 0 < len(header) <= FULL_LIMITS.header:
        raise MisuseError(
            f"A message's header is {len(header)} bytes long, at most {FULL_LIMITS.header} go into a frame: "
            "shorten its text."
        )
    if payload_length > FULL_LIMITS.payload:
        raise MisuseError(
            f"A message's payload is {payload_length} bytes long, at most {FULL_LIMITS.payload} go into a "
            "frame: send it in several pieces."
        )
    return HEAD.pack(MAGIC, FRAME_VERSION, RESERVED, len(header), payload_length)


class FrameReader:
    """Turns a stream of bytes into frames: read into `room`, say how many came, take frames while there are any.

    `room` may be asked for only when `next_frame` has given None.
    """

    def __init__(self) -> None:
        self._limits = STRANGER_LIMITS
        self._buffer = bytearray(HEAD.size + STRANGER_LIMITS.header)
        self._start = self._end = 0  # of the bytes in the buffer that no frame has taken
        self._header = b""  # of the frame whose payload is under way
        self._payload: bytearray | None = None
        self._come = 0  # bytes of that payload
        self._spare: list[bytearray] = []

    @property
    def kept(self) -> int:
        """How many bytes wait for the rest of their frame."""
        waiting = self._end - self._start
        return waiting if self._payload is None else waiting + HEAD.size + len(self._header) + self._come

    def trust(self) -> None:
        """The other side is no stranger any more."""
        self._limits = FULL_LIMITS
        self._make_room(BUFFER_BYTES)

    def room(self) -> memoryview:
        """Where the next bytes go; never empty."""
        if self._payload is not None:
            return memoryview(self._payload)[self._come :]
        if self._start == self._end:
            self._start = self._end = 0
        return memoryview(self._buffer)[self._end :]

    def filled(self, count: int) -> None:
        """So many bytes have been put into `room`."""
        if self._payload is not None:
            self._come += count
        else:
            self._end += count

    def next_frame(self) -> "Frame | None":
        """The next whole frame, or None when more bytes are needed."""
        if self._payload is None and not self._next_header():
            return None
        payload = self._payload
        assert payload is not None
        if self._come < len(payload):
            return None
        self._payload = None
        return Frame(self._header, payload)

    def _next_header(self) -> bool:
        """Whether head and header are there; they leave the buffer then, with what it holds of the payload."""
        waiting = self._end - self._start
        known = min(waiting, len(_START))
        if self._buffer[self._start : self._start + known] != _START[:known]:
            raise ProtocolError("The other side doesn't speak Scumble's protocol, or not this version of its frames.")
        if waiting < HEAD.size:
            self._make_room(HEAD.size)
            return False
        _, _, _, header_length, payload_length = HEAD.unpack_from(self._buffer, self._start)
        self._check_lengths(header_length, payload_length)
        if waiting < HEAD.size + header_length:
            self._make_room(HEAD.size + header_length)
            return False
        at = self._start + HEAD.size
        self._start = at + header_length
        self._header = bytes(self._buffer[at : self._start])
        self._come = min(payload_length, self._end - self._start)
        self._payload = self._buffer_of(payload_length)
        self._payload[: self._come] = memoryview(self._buffer)[self._start : self._start + self._come]
        self._start += self._come
        return True

    def reuse(self, payload: bytearray) -> None:
        """Nobody looks at this payload any more: one of the next, as long as it, may come into it."""
        if len(self._spare) < MOST_SPARE:
            self._spare.append(payload)

    def _buffer_of(self, size: int) -> bytearray:
        """Pieces of a picture are all of one length, but for the last: a spare of another is of no more use."""
        while self._spare:
            if len(spare := self._spare.pop()) == size:
                return spare
        return bytearray(size)

    def _make_room(self, size: int) -> None:
        """Let a head and header of this size fit behind what has been taken."""
        if len(self._buffer) - self._start >= size:
            return
        waiting = self._buffer[self._start : self._end]
        if size > len(self._buffer):
            self._buffer = bytearray(size)
        self._buffer[: len(waiting)] = waiting
        self._start, self._end = 0, len(waiting)

    def _check_lengths(self, header: int, payload: int) -> None:
        if not 0 < header <= self._limits.header:
            raise ProtocolError(f"A frame's header is {header} bytes long, allowed are 1 to {self._limits.header}.")
        if payload > self._limits.payload:
            raise ProtocolError(f"A frame's payload is {payload} bytes long, allowed are {self._limits.payload}.")
