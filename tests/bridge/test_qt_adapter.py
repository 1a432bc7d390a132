"""The Qt client against a real core in a process of its own (with a worker that copies)."""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication, QDeadlineTimer, QEventLoop

from scumble_bridge import messages as wire
from scumble_bridge import qt_adapter
from scumble_bridge.connection import Connection
from scumble_bridge.errors import MisuseError
from scumble_bridge.fields import PictureHeader
from scumble_bridge.places import create_token, socket_path
from scumble_bridge.qt_adapter import PIECE, ScumbleClient

CORE = Path(__file__).parents[1] / "core" / "jobs" / "core_process.py"


class Listener:
    """A client, and all that its signals said."""

    def __init__(self) -> None:
        self.client = ScumbleClient()
        self.said: list[tuple[str, object]] = []
        self.client.opened.connect(lambda server: self.said.append(("opened", server)))
        self.client.failed.connect(lambda sentence: self.said.append(("failed", sentence)))
        self.client.closed.connect(lambda: self.said.append(("closed", None)))
        self.client.message.connect(lambda message: self.said.append(("message", message)))
        self.client.upload_failed.connect(lambda job, sentence: self.said.append(("upload_failed", sentence)))

    def open(self, runtime: Path) -> None:
        self.client.connect_to_core(runtime)
        turn_until(lambda: bool(self.said))
        assert self.said[0][0] == "opened", self.said

    def first(self, kind: type[wire.Message]) -> wire.Message | None:
        return next((what for _, what in self.said if isinstance(what, kind)), None)

    def names(self) -> list[str]:
        return [name for name, _ in self.said if name != "message"]


def turn_until(condition: Callable[[], bool], seconds: int = 30) -> None:
    """Let Qt's loop turn until it holds."""
    end = QDeadlineTimer(seconds * 1000)
    while not condition():
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        assert not end.hasExpired(), "waited too long"


def answers(path: Path) -> bool:
    """Whether somebody listens there; the socket's file alone is there a little earlier."""
    with socket.socket(socket.AF_UNIX) as probe:
        return path.exists() and probe.connect_ex(str(path)) == 0


@pytest.fixture(autouse=True)
def qt(qapp: QCoreApplication) -> QCoreApplication:
    return qapp


@pytest.fixture
def core(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    places = {"SCUMBLE_DATA_DIR": str(tmp_path / "data"), "SCUMBLE_RUNTIME_DIR": str(tmp_path / "run")}
    environment = {**os.environ, **places}
    process = subprocess.Popen([sys.executable, str(CORE)], env=environment, stderr=subprocess.DEVNULL)
    turn_until(lambda: answers(socket_path(tmp_path / "run")))
    yield process
    process.kill()
    process.wait()


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("piece", [PIECE, 128 * 1024])
def test_a_large_picture_goes_out_lazily_and_its_results_come_back_in_pieces(tmp_path: Path, piece: int) -> None:
    width, height = 1500, 1200
    pixels = bytes(range(250)) * (width * height * 4 // 250)
    asked: list[int] = []
    pieces: list[bytes] = []

    def read(offset: int, size: int) -> bytes:
        asked.append(size)
        return pixels[offset : offset + size]

    listener, job = Listener(), str(uuid.uuid4())
    listener.open(tmp_path / "run")
    client = listener.client
    client.message.connect(lambda said: pieces.append(said.data) if isinstance(said, wire.Pixels) else None)
    client.send(wire.Submit(job, {}, PictureHeader(width, height, "u8", "bgra")))
    client.upload(job, "source", len(pixels), read, piece)
    turn_until(lambda: listener.first(wire.Finished) is not None)
    assert sum(asked) == len(pixels) and max(asked) == piece
    client.fetch(job, "refined", len(pixels))
    turn_until(lambda: sum(map(len, pieces)) == len(pixels))
    assert b"".join(pieces) == pixels and max(map(len, pieces)) <= PIECE
    client.send(wire.Release(job))
    client.close()
    turn_until(lambda: not list((tmp_path / "data" / "jobs").iterdir()))
    assert listener.names() == ["opened", "closed"]


@pytest.mark.usefixtures("core")
def test_a_picture_that_cannot_be_read_is_told_and_cancelled(tmp_path: Path) -> None:
    def read(_offset: int, _size: int) -> bytes:
        raise OSError("the document is gone")

    listener, job = Listener(), str(uuid.uuid4())
    listener.open(tmp_path / "run")
    listener.client.send(wire.Submit(job, {}, PictureHeader(5, 5, "u8", "bgra")))
    listener.client.upload(job, "source", 100, read)
    turn_until(lambda: listener.first(wire.Cancelled) is not None)
    sentences = [str(what) for name, what in listener.said if name == "upload_failed"]
    assert len(sentences) == 1 and "the document is gone" in sentences[0]


def test_a_core_that_ends_is_told_and_one_that_is_not_there_too(
    tmp_path: Path, core: "subprocess.Popen[bytes]"
) -> None:
    listener = Listener()
    listener.open(tmp_path / "run")
    core.kill()
    turn_until(lambda: ("closed", None) in listener.said)
    assert listener.names() == ["opened", "failed", "closed"] and not listener.client.is_open
    core.wait()
    again = Listener()
    again.client.connect_to_core(tmp_path / "run")  # the dead core's socket and token are still there
    turn_until(lambda: bool(again.said))
    assert again.names() == ["failed"] and "can't be reached" in str(again.said[0][1])


@pytest.mark.usefixtures("core")
def test_a_wrong_token_is_told(tmp_path: Path) -> None:
    (tmp_path / "run" / "token").write_text("00" * 32)
    listener = Listener()
    listener.client.connect_to_core(tmp_path / "run")
    turn_until(lambda: bool(listener.said))
    assert listener.names() == ["failed"]


def test_a_core_that_falls_silent_is_asked_and_then_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qt_adapter, "BEAT_MS", 20)
    core = Connection("core", create_token(tmp_path), server="silent")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "core.sock"))
        door.listen()
        listener = Listener()
        listener.client.connect_to_core(tmp_path)
        line, _ = door.accept()
        line.setblocking(False)
        said = bytearray()

        def answer_the_handshake_alone() -> bool:
            with suppress(BlockingIOError):
                said.extend(data := line.recv(4096))
                if core.phase != "open":
                    core.receive(data)
                    line.sendall(core.outgoing())
            return ("closed", None) in listener.said

        turn_until(answer_the_handshake_alone)
        line.close()
    assert listener.names() == ["opened", "failed", "closed"] and said.count(b'"ping"') >= 2
    assert "silent" in str(listener.said[1][1])


def test_without_a_core_the_sentence_comes_at_once(tmp_path: Path) -> None:
    listener = Listener()
    listener.client.connect_to_core(tmp_path)
    assert listener.names() == ["failed"]
    with pytest.raises(MisuseError, match="connect first"):
        listener.client.send(wire.Describe())
