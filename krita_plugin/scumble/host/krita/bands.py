"""Bytes that are made a band of whole rows at a time."""

from collections.abc import Callable

Make = Callable[[int], "tuple[int, bytes]"]


class Bands:
    """The band that was made last. Bytes that are asked for in order have every band made once."""

    def __init__(self, make: Make) -> None:
        """`make(offset)`: the band in which the offset lies, after where it begins; never empty."""
        self._make = make
        self._first, self._band = 0, b""

    def read(self, offset: int, size: int, total: int) -> bytes:
        """Any bytes of `total`; fewer at the end."""
        out = bytearray()
        while size > 0 and offset < total:
            if not self._first <= offset < self._first + len(self._band):
                self._first, self._band = self._make(offset)
            start = offset - self._first
            piece = self._band[start : start + size]
            out += piece
            offset += len(piece)
            size -= len(piece)
        return bytes(out)

    def forget(self) -> None:
        """Let go of the band."""
        self._band = b""
