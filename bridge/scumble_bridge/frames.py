"""Frames: the fixed head that says how long the two parts behind it are.

Theory of operation: the reader is fed bytes as they come, in pieces of any size, and is asked for one frame
at a time. The head is checked byte by byte as it arrives, so that a stranger (a browser, say) is turned away
at its first byte; lengths are checked before anything is kept for them. What is kept is never more than one
frame within the limits and the piece that was fed last.
"""

import struct
from dataclasses import dataclass

from scumble_bridge.errors import MisuseError, ProtocolError

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


@dataclass(frozen=True)
class Frame:
    """One header (JSON text) and one payload (raw bytes)."""

    header: bytes
    payload: bytes


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
    """Turns a stream of bytes into frames."""

    def __init__(self) -> None:
        self.limits = STRANGER_LIMITS
        self._kept = bytearray()

    @property
    def kept(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._kept)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._kept += data

    def next_frame(self) -> "Frame | None":
        """The next whole frame, or None when more bytes are needed."""
        kept = self._kept
        if kept[: len(_START)] != _START[: len(kept)]:
            raise ProtocolError("The other side doesn't speak Scumble's protocol, or not this version of its frames.")
        if len(kept) < HEAD.size:
            return None
        _, _, _, header_length, payload_length = HEAD.unpack_from(kept)
        self._check_lengths(header_length, payload_length)
        payload_start = HEAD.size + header_length
        end = payload_start + payload_length
        if len(kept) < end:
            return None
        with memoryview(kept) as view:
            frame = Frame(bytes(view[HEAD.size : payload_start]), bytes(view[payload_start:end]))
        del kept[:end]
        return frame

    def _check_lengths(self, header: int, payload: int) -> None:
        if not 0 < header <= self.limits.header:
            raise ProtocolError(f"A frame's header is {header} bytes long, allowed are 1 to {self.limits.header}.")
        if payload > self.limits.payload:
            raise ProtocolError(f"A frame's payload is {payload} bytes long, allowed are {self.limits.payload}.")
