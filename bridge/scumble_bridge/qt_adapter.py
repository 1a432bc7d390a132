"""The client's side under Qt, for Krita: never blocks the thread that draws the windows.

Works under PyQt5 (Krita 5) and PyQt6 alike: the one that is already loaded is the one that Krita runs on. Everything is
done in small steps from Qt's event loop: at most a piece is read from the artist's picture, written to the socket
or handed on at a time, and no more is taken in while a slot still works on what came before.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from scumble_bridge.connection import Authenticated, Connection, Event
from scumble_bridge.errors import MisuseError, PlaceError, ProtocolError
from scumble_bridge.fields import Stream
from scumble_bridge.messages import Cancel, Cancelled, Credit, Failed, Fetch, Finished, Message, Ping, Pixels
from scumble_bridge.places import Address, TcpAddress, UnixAddress, core_address, read_token, runtime_folder

if TYPE_CHECKING:
    from PyQt6.QtCore import QObject, QTimer, pyqtSignal
    from PyQt6.QtNetwork import QLocalSocket, QTcpSocket
elif "PyQt5.QtCore" in sys.modules and "PyQt6.QtCore" not in sys.modules:
    from PyQt5.QtCore import QObject, QTimer, pyqtSignal
    from PyQt5.QtNetwork import QLocalSocket, QTcpSocket
else:
    try:
        from PyQt6.QtCore import QObject, QTimer, pyqtSignal
        from PyQt6.QtNetwork import QLocalSocket, QTcpSocket
    except ImportError:
        from PyQt5.QtCore import QObject, QTimer, pyqtSignal
        from PyQt5.QtNetwork import QLocalSocket, QTcpSocket

Socket = Union["QLocalSocket", "QTcpSocket"]
Read = Callable[[int, int], bytes]

PIECE = 1024 * 1024
READ_BYTES = 512 * 1024
MOST_UNSENT = 2 * PIECE
WINDOW = 4 * PIECE  # credit under way for a result
HANDSHAKE_MS = 10_000
BEAT_MS, MOST_SILENT_BEATS = 15_000, 4  # the core is asked after two, and is gone after so many
# The same numbers for both kinds of socket, and under PyQt5, where they are plain ints.
UNCONNECTED, CONNECTED = 0, 3


@dataclass
class _Upload:
    """A picture that goes out, as far as it has got."""

    total: int
    read: Read
    piece: int
    sent: int = 0


@dataclass
class _Download:
    """A result that comes in: how many bytes are still to be allowed, and to come."""

    unallowed: int
    missing: int


class ScumbleClient(QObject):
    """A connection to the core that runs on this machine. One object serves one connection after the other.

    `failed` says in a sentence why there is no connection (any more), or never was; `closed` comes when one that was
    `opened` has ended, for whatever reason. `message` carries each message of the core, in order.
    """

    opened = pyqtSignal(str)  # what the core calls itself
    message = pyqtSignal(object)  # of scumble_bridge.messages; not named `event`, which QObject needs itself
    failed = pyqtSignal(str)
    closed = pyqtSignal()
    uploaded = pyqtSignal(str, str, object, object)  # job, stream, bytes sent, bytes in all
    upload_failed = pyqtSignal(str, str)  # job, sentence; the core has been told to cancel it

    def __init__(self, parent: "QObject | None" = None) -> None:
        super().__init__(parent)
        self._socket: Socket | None = None
        self._was_opened = False
        self._connection: Connection | None = None
        self._uploads: dict[tuple[str, Stream], _Upload] = {}
        self._downloads: dict[tuple[str, Stream], _Download] = {}
        self._patience = self._timer(HANDSHAKE_MS, self._lose_patience)
        self._step = self._timer(0, self._work)
        self._pulse = self._timer(BEAT_MS, self._beat)
        self._silent_beats = 0

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent."""
        return self._connection is not None and self._connection.phase == "open"

    def connect_to_core(self, runtime: "Path | None" = None) -> None:
        """Start to connect to the core of this runtime folder; `opened` or `failed` follows, perhaps at once."""
        self.close()
        folder = runtime or runtime_folder()
        try:
            token, address = read_token(folder), core_address(folder)
        except PlaceError as error:
            self.failed.emit(str(error))
            return
        self._connection = Connection("client", token)
        self._socket = socket = self._make_socket(address)
        self._patience.start()
        if isinstance(address, UnixAddress):
            assert isinstance(socket, QLocalSocket)
            socket.connectToServer(str(address.path))
        else:
            assert isinstance(socket, QTcpSocket)
            socket.connectToHost(address.host, address.port)

    def close(self) -> None:
        """End the connection, if there is one."""
        self._end("")

    def send(self, message: Message) -> None:
        """Send a small message. Raises MisuseError when there is no connection, or it may not be sent now."""
        if self._connection is None:
            raise MisuseError("There is no connection to the core: connect first.")
        self._connection.send(message)
        self._flush()

    def upload(self, job: str, stream: Stream, total: int, read: Read, piece: int = PIECE) -> None:
        """Send a picture of `total` bytes as the core asks for it. `read(offset, size)` gives its bytes, lazily.

        May be called right after Submit. What `read` raises becomes `upload_failed`. `piece`: the most bytes that are
        read in one turn of the event loop.
        """
        self._uploads[job, stream] = _Upload(total, read, piece)
        self._step.start()

    def fetch(self, job: str, stream: Stream, total: int) -> None:
        """Ask for a result of `total` bytes; its pieces come as messages, in order, no faster than slots take them."""
        self.send(Fetch(job, stream))
        first = min(WINDOW, total)
        self._downloads[job, stream] = _Download(total - first, total)
        if first:
            self.send(Credit(job, stream, first))

    def _make_socket(self, address: Address) -> Socket:
        socket: Socket = QTcpSocket(self) if isinstance(address, TcpAddress) else QLocalSocket(self)
        socket.setReadBufferSize(2 * READ_BYTES)
        # Methods, no lambdas: Qt forgets the methods of an object that is gone.
        socket.connected.connect(self._flush)
        socket.readyRead.connect(self._step.start)
        socket.bytesWritten.connect(self._written)
        # Not errorOccurred, which Krita's older Qt doesn't have: this one comes for every kind of end.
        socket.stateChanged.connect(self._look_for_end)
        return socket

    def _written(self, _count: int) -> None:
        self._step.start()

    def _look_for_end(self, _state_now: object) -> None:
        socket = self._socket
        if socket is None or _state(socket) != UNCONNECTED:
            return
        while self._take_in():
            pass
        if self._was_opened:
            self._end("The core has closed the connection.")
        else:
            self._end(f"The core can't be reached ({socket.errorString()}): start it, or restart both programs.")

    def _lose_patience(self) -> None:
        self._end("The core has not answered in time: restart it.")

    def _beat(self) -> None:
        """Ask, or give up. Beats are counted, not seconds: when Krita stands still, nobody is silent."""
        self._pulse.start()
        self._silent_beats += 1
        if self._silent_beats > MOST_SILENT_BEATS:
            self._end("The core has been silent for too long: restart it.")
        elif self._silent_beats > 1 and self.is_open:
            self.send(Ping(self._silent_beats))

    def _work(self) -> None:
        """One small step of everything; comes again while there is more to do."""
        self._take_in()
        if self._socket is not None and self._socket.bytesAvailable():
            self._step.start()
        if self.is_open and self._socket is not None and self._socket.bytesToWrite() < MOST_UNSENT:
            self._send_piece()

    def _take_in(self) -> bool:
        """Whether there was anything."""
        if self._socket is None or self._connection is None or not self._socket.isReadable():
            return False
        data = self._socket.read(READ_BYTES)
        if not data:
            return False
        connection = self._connection
        self._silent_beats = 0
        try:
            events = connection.receive(data)
        except ProtocolError as error:
            self._end(str(error))
            return False
        self._flush()
        for event in events:
            if self._connection is not connection:  # a slot has closed it
                return False
            self._hand_on(event)
        return True

    def _hand_on(self, event: Event) -> None:
        if isinstance(event, Authenticated):
            self._patience.stop()
            self._silent_beats = 0
            self._pulse.start()
            self._was_opened = True
            self.opened.emit(event.server)
            return
        if isinstance(event, Credit):
            self._step.start()
        elif isinstance(event, (Failed, Cancelled, Finished)) and event.job is not None:
            self._drop(event.job, and_downloads=not isinstance(event, Finished))
        self.message.emit(event)
        if isinstance(event, Pixels):
            self._allow_more(event)

    def _allow_more(self, pixels: Pixels) -> None:
        download = self._downloads.get((pixels.job, pixels.stream))
        if download is None or not self.is_open:
            return
        download.missing -= len(pixels.data)
        more = min(len(pixels.data), download.unallowed)
        download.unallowed -= more
        if not download.missing:
            del self._downloads[pixels.job, pixels.stream]
        if more:
            self.send(Credit(pixels.job, pixels.stream, more))

    def _send_piece(self) -> None:
        """One piece of the first picture for which there is credit."""
        assert self._connection is not None
        for (job, stream), upload in self._uploads.items():
            size = min(upload.piece, upload.total - upload.sent, self._connection.sendable(job, stream))
            if size > 0:
                self._send_from(job, stream, upload, size)
                self._step.start()
                return

    def _send_from(self, job: str, stream: Stream, upload: _Upload, size: int) -> None:
        try:
            data = upload.read(upload.sent, size)
            if len(data) != size:
                raise ValueError(f"{len(data)} bytes came instead of {size}")
        except Exception as error:
            self._drop(job)
            self.send(Cancel(job))
            self.upload_failed.emit(job, f"The picture could not be read ({error}): try again.")
            return
        self.send(Pixels(job, stream, upload.sent, data))
        upload.sent += size
        if upload.sent == upload.total:
            del self._uploads[job, stream]
        self.uploaded.emit(job, stream, upload.sent, upload.total)

    def _drop(self, job: str, and_downloads: bool = True) -> None:
        self._uploads = {key: upload for key, upload in self._uploads.items() if key[0] != job}
        if and_downloads:
            self._downloads = {key: download for key, download in self._downloads.items() if key[0] != job}

    def _flush(self) -> None:
        if self._socket is not None and self._connection is not None and _state(self._socket) == CONNECTED:
            for piece in self._connection.outgoing_pieces():
                self._socket.write(bytes(piece))

    def _end(self, sentence: str) -> None:
        socket, self._socket = self._socket, None
        if socket is None:
            return
        was_opened, self._was_opened = self._was_opened, False
        self._connection = None
        for timer in (self._patience, self._step, self._pulse):
            timer.stop()
        self._uploads.clear()
        self._downloads.clear()
        socket.flush()  # a last Cancel or Release still goes out
        socket.close()
        socket.deleteLater()
        if sentence:
            self.failed.emit(sentence)
        if was_opened:
            self.closed.emit()

    def _timer(self, milliseconds: int, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(call)
        return timer


def _state(socket: Socket) -> int:
    state: Any = socket.state()
    return int(getattr(state, "value", state))
