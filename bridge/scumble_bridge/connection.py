"""One conversation, as a pure state machine: bytes in, messages out, and the other way round.

Theory of operation: a conversation has one phase at a time, the same on both sides; the phase names the
message that is awaited, until "open". `MAY_SEND` says who may send what in which phase, and is looked at first,
for both directions alike: what passes it is then handled by one small function per message type that has a
side effect here (the handshake, ping, and the credit books). A message that the table forbids is the other
side's fault when it comes in (ProtocolError, and the conversation is over) and ours when it goes out
(MisuseError, and nothing was sent).

A connection knows no sockets, threads or clocks. The adapter moves bytes: feed `receive` with what came, then
write what `outgoing` gives; after ProtocolError write nothing and close.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from scumble_bridge.codec import encode, parse
from scumble_bridge.errors import MisuseError, ProtocolError
from scumble_bridge.fields import CLIENT_STREAMS, CORE_STREAMS
from scumble_bridge.flow import Arrival, CreditBook
from scumble_bridge.frames import Buffer, FrameReader
from scumble_bridge.handshake import NONCE_BYTES, TOKEN_BYTES, VERSIONS, Role, Transcript, choose_version
from scumble_bridge.messages import (
    Accepted,
    Cancelled,
    Challenge,
    Credit,
    Failed,
    Fetch,
    Finished,
    Hello,
    Message,
    Ping,
    Pixels,
    Pong,
    Prove,
    Release,
    Unknown,
    Welcome,
)
from scumble_bridge.phases import MAY_SEND, Phase

STREAMS_OF: "Mapping[Role, frozenset[str]]" = {"client": CLIENT_STREAMS, "core": CORE_STREAMS}
# Replies that we make by ourselves; more of them unread is a flood, not a conversation.
MOST_REPLIES = 10_000


@dataclass(frozen=True)
class Authenticated:
    """The handshake is done. `server` is the core's name for itself ("" on the core's side)."""

    version: int
    server: str


Event = Union[Message, Authenticated]  # noqa: UP007


class Connection:
    """One side of one conversation."""

    def __init__(self, role: Role, token: bytes, *, server: str = "scumble", nonce: "bytes | None" = None) -> None:
        """`server` is what a core calls itself. `nonce` is for tests: never use one twice."""
        if len(token) != TOKEN_BYTES:
            raise MisuseError(f"The token is {len(token)} bytes long, it must be {TOKEN_BYTES}.")
        self.role: Role = role
        self.peer: Role = "core" if role == "client" else "client"
        self._token = token
        self._server = server
        self._nonce = secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce
        self._phase: Phase = "hello"
        self._transcript: Transcript | None = None
        self._frames = FrameReader()
        self._out: list[Buffer] = []
        self._replies = 0
        self._ours = CreditBook()  # streams that we send
        self._theirs = CreditBook()  # streams that we receive
        if role == "client":
            self._post(Hello(VERSIONS, self._nonce))
            self._phase = "challenge"

    @property
    def phase(self) -> Phase:
        """Which message is awaited next; "open" when the handshake is done."""
        return self._phase

    def receive(self, data: Buffer) -> "list[Event]":
        """Take bytes from the other side; give what they say. Raises ProtocolError, and nothing else."""
        events: list[Event] = []
        rest = memoryview(data)
        while rest:
            room = self.room()
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            events += self.received(count)
            rest = rest[count:]
        if self._phase == "closed":
            raise ProtocolError("The connection is closed.")
        return events

    def room(self) -> memoryview:
        """Where the adapter may put the next bytes, to spare `receive` the copy; never empty. Then call `received`."""
        if self._phase == "closed":
            raise ProtocolError("The connection is closed.")
        return self._frames.room()

    def received(self, count: int) -> "list[Event]":
        """So many bytes are in `room` now: what they say. Raises ProtocolError, and nothing else."""
        if self._phase == "closed":
            raise ProtocolError("The connection is closed.")
        events: list[Event] = []
        try:
            self._frames.filled(count)
            while (frame := self._frames.next_frame()) is not None:
                event = self._take(parse(frame))
                if event is not None:
                    events.append(event)
        except ProtocolError:
            self._drop()
            raise
        return events

    def reuse(self, data: Buffer) -> None:
        """Nobody looks at the data of a message that came in any more: later data may take its place."""
        if isinstance(data, bytearray):
            self._frames.reuse(data)

    def ended(self) -> None:
        """The other side has closed. ProtocolError when that was too early: in the handshake or in a frame."""
        phase, kept = self._phase, self._frames.kept
        self._drop()
        if phase not in ("open", "closed"):
            raise ProtocolError(
                "The other side closed the connection during the handshake: its token or its version differs, "
                "or it was busy. Restart both programs."
            )
        if kept:
            raise ProtocolError("The other side closed the connection in the middle of a message.")

    def send(self, message: Message) -> None:
        """Put a message into `outgoing`. Raises MisuseError when it may not be sent now."""
        if self._phase != "open":
            raise MisuseError(f"{type(message).__name__} can't be sent: the connection is not open.")
        if type(message) not in MAY_SEND["open"][self.role]:
            raise MisuseError(f"{type(message).__name__} is not for the {self.role} to send.")
        pieces = encode(message)
        try:
            self._book_ours(message)
        except ProtocolError as error:
            raise MisuseError(f"{type(message).__name__} can't be sent: {error}") from None
        self._out += pieces

    def sendable(self, job: str, stream: str) -> int:
        """How many bytes of a stream of ours the other side waits for."""
        return self._ours.left(job, stream)

    def outgoing(self) -> bytes:
        """The bytes to write now. Call it after every `receive` and `send`."""
        pieces = self.outgoing_pieces()
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def outgoing_pieces(self) -> "list[Buffer]":
        """The same, in pieces: large payloads as they were given to `send`, not copied."""
        self._replies = 0
        pieces, self._out = self._out, []
        return pieces

    def _drop(self) -> None:
        self._phase = "closed"
        self._out.clear()
        self._frames = FrameReader()

    def _post(self, message: Message) -> None:
        self._out += encode(message)

    def _reply(self, message: Message) -> None:
        self._replies += 1
        if self._replies > MOST_REPLIES:
            raise ProtocolError("The other side floods us with messages that need a reply.")
        self._post(message)

    def _refuse(self, message: Unknown) -> None:
        """What a newer peer may say, and we don't know: not a fault."""
        if self._phase != "open":
            raise ProtocolError("The other side doesn't follow the handshake.")
        if self.role == "core":  # a client has nothing to refuse with: news that it can't read, it leaves out
            self._reply(Failed(None, "unsupported", f"This core doesn't know the message {message.type!r}: update it."))

    def _take(self, message: "Message | Unknown") -> "Event | None":
        if isinstance(message, Unknown):
            self._refuse(message)
            return None
        if type(message) not in MAY_SEND[self._phase][self.peer]:
            name = type(message).__name__
            raise ProtocolError(f"The {self.peer} sent {name}, which it may not send in the phase {self._phase!r}.")
        if self._phase != "open":
            return self._shake_hands(message)
        if isinstance(message, Ping):
            self._reply(Pong(message.nonce))
            return None
        return message if self._book_theirs(message) == "welcome" else None

    def _book_theirs(self, message: Message) -> Arrival:
        """What a message that came in does to the streams."""
        if isinstance(message, Pixels):
            if message.stream not in STREAMS_OF[self.peer]:
                raise ProtocolError(f"The {self.peer} may not send the stream {message.stream}.")
            return self._theirs.arrive(message.job, message.stream, len(message.data))
        if isinstance(message, Credit):
            if message.stream not in STREAMS_OF[self.role]:
                raise ProtocolError(f"The {self.peer} gave credit for its own stream {message.stream}.")
            self._ours.grant(message.job, message.stream, message.bytes)
        else:
            self._open_and_close(message)
        return "welcome"

    def _book_ours(self, message: Message) -> None:
        """What a message that goes out does to the streams."""
        if isinstance(message, Pixels):
            self._ours.spend(message.job, message.stream, len(message.data))
        elif isinstance(message, Credit):
            if not self._theirs.is_open(message.job, message.stream):
                raise ProtocolError(f"there is no open stream {message.stream} of this job to give credit for.")
            self._theirs.grant(message.job, message.stream, message.bytes)
        else:
            self._open_and_close(message)

    def _open_and_close(self, message: Message) -> None:
        """Which streams a message starts and ends: the same on both sides."""
        client_book, core_book = (self._ours, self._theirs) if self.role == "client" else (self._theirs, self._ours)
        if isinstance(message, Accepted):
            for upload in message.streams:
                client_book.open(message.job, upload)
        elif isinstance(message, Fetch):
            if message.stream not in CORE_STREAMS:
                raise ProtocolError(f"{message.stream} is not a result, and can't be fetched.")
            core_book.restart(message.job, message.stream)
        elif isinstance(message, Finished | Failed | Cancelled | Release) and message.job is not None:
            for upload in CLIENT_STREAMS:
                client_book.close(message.job, upload)
            if not isinstance(message, Finished):
                for result in CORE_STREAMS:
                    core_book.close(message.job, result)

    def _shake_hands(self, message: Message) -> "Event | None":
        if isinstance(message, Hello):
            chosen = choose_version(message.versions)
            self._transcript = Transcript(message.versions, chosen, message.nonce, self._nonce)
            self._post(Challenge(chosen, self._nonce))
            self._phase = "prove"
            return None
        if isinstance(message, Challenge):
            if message.version not in VERSIONS:
                raise ProtocolError(f"The core chose protocol version {message.version}, which was not offered.")
            self._transcript = Transcript(VERSIONS, message.version, self._nonce, message.nonce)
            self._post(Prove(self._transcript.proof(self._token, "client")))
            self._phase = "welcome"
            return None
        assert self._transcript is not None  # the table lets the proofs in after the nonces only
        if isinstance(message, Prove):
            self._transcript.check(self._token, "client", message.mac)
            self._post(Welcome(self._transcript.proof(self._token, "core"), self._server))
            return self._open("")
        assert isinstance(message, Welcome)
        self._transcript.check(self._token, "core", message.mac)
        return self._open(message.server)

    def _open(self, server: str) -> Authenticated:
        assert self._transcript is not None
        self._phase = "open"
        self._frames.trust()
        return Authenticated(self._transcript.chosen, server)
