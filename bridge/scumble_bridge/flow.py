"""Flow control: how many bytes of which stream may still be sent.

Theory of operation: the receiver of a stream gives credit, the sender uses it up; without credit nothing is
sent, so neither side ever holds more of a picture than it asked for. Both sides keep the same books, since
both see the messages that open and close a stream. Faults are ProtocolErrors; the connection makes them
MisuseErrors where it was our own program that asked for it.

When the receiver of a stream closes it (a job is cancelled, say), the sender may have used its credit before
it hears of that. Those bytes are on their way and no fault: they are taken from the closed stream's leftover
credit and dropped. Streams, open and closed, are bounded in number.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from scumble_bridge.errors import ProtocolError

MOST_STREAMS = 4096
MOST_CREDIT = 2**53 - 1

Arrival = Literal["welcome", "stale"]


@dataclass
class CreditBook:
    """The credit of all streams that flow in one direction, by job and stream."""

    _open: "dict[tuple[str, str], int]" = field(default_factory=dict)
    _closed: "OrderedDict[tuple[str, str], int]" = field(default_factory=OrderedDict)

    def open(self, job: str, stream: str) -> None:
        """A stream starts, with no credit; one that is open keeps what it has."""
        if (job, stream) in self._open:
            return
        if len(self._open) >= MOST_STREAMS:
            raise ProtocolError(f"More than {MOST_STREAMS} streams are open at once: finish or release some jobs.")
        # What was under way on a former stream of this name came before the message that opens this one.
        self._closed.pop((job, stream), None)
        self._open[job, stream] = 0

    def restart(self, job: str, stream: str) -> None:
        """A stream starts anew. Credit must be used up first: else old bytes could not be told from new ones."""
        if self.left(job, stream):
            raise ProtocolError(f"The stream {stream} is fetched anew while credit for it is left.")
        self.open(job, stream)

    def close(self, job: str, stream: str) -> None:
        """A stream ends; what is under way on it is stale."""
        left = self._open.pop((job, stream), 0)
        if left:
            self._closed[job, stream] = self._closed.pop((job, stream), 0) + left
            if len(self._closed) > MOST_STREAMS:
                self._closed.popitem(last=False)

    def is_open(self, job: str, stream: str) -> bool:
        """Whether credit for the stream means anything."""
        return (job, stream) in self._open

    def grant(self, job: str, stream: str, amount: int) -> None:
        """Allow that many more bytes. For a stream that isn't open it comes too late, and means nothing."""
        if (job, stream) not in self._open:
            return
        if self._open[job, stream] + amount > MOST_CREDIT:
            raise ProtocolError(f"The credit for the stream {stream} exceeds {MOST_CREDIT} bytes.")
        self._open[job, stream] += amount

    def left(self, job: str, stream: str) -> int:
        """How many bytes may still flow."""
        return self._open.get((job, stream), 0)

    def spend(self, job: str, stream: str, amount: int) -> None:
        """Bytes of an open stream are sent."""
        if not 0 < amount <= self.left(job, stream):
            raise ProtocolError(f"{amount} bytes of the stream {stream} may not be sent, {self.left(job, stream)} may.")
        self._open[job, stream] -= amount

    def arrive(self, job: str, stream: str, amount: int) -> Arrival:
        """Bytes have come in: welcome, or stale and to be dropped. ProtocolError when they exceed the credit."""
        key = (job, stream)
        stale = self._closed.get(key, 0)
        if 0 < amount <= self._open.get(key, 0):
            self._open[key] -= amount
            return "welcome"
        if key not in self._open and 0 < amount <= stale:
            self._closed[key] = stale - amount
            if stale == amount:
                del self._closed[key]
            return "stale"
        raise ProtocolError(f"{amount} bytes of the stream {stream} came without credit for them.")
