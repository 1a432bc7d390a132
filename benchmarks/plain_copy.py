"""The same bytes over a plain Unix socket, to and from another process: what benchmarks/wire.py compares with.

`python -m benchmarks.plain_copy SOCKET BYTES FILE-or-minus` is the other process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

PIECE = 1024 * 1024
# Not a whole number of pieces, so that no two pieces are alike, and small, so that the client's memory is the wire's.
PATTERN_BYTES = 5 * PIECE + 4096


class Source:
    """A picture's bytes without the picture: a pattern that repeats."""

    def __init__(self) -> None:
        self._pattern = memoryview(os.urandom(PATTERN_BYTES) * 2)

    def read(self, offset: int, size: int) -> memoryview:
        start = offset % PATTERN_BYTES
        return self._pattern[start : start + size]


def plain_side(path: str, total: int, file: str) -> None:
    """Take the bytes and say so; give them back; into a file and out of it when there is one."""
    buffer = memoryview(bytearray(PIECE))
    with socket.socket(socket.AF_UNIX) as line, contextlib.ExitStack() as stack:
        line.connect(path)
        kept = None if file == "-" else stack.enter_context(open(file, "w+b", buffering=0))  # noqa: PTH123
        if kept is not None:
            os.posix_fallocate(kept.fileno(), 0, total)
        received = 0
        while received < total:
            count = line.recv_into(buffer[: min(PIECE, total - received)])
            if kept is not None:
                kept.write(buffer[:count])
            received += count
        line.sendall(b"!")
        if kept is not None:
            kept.seek(0)
        for at in range(0, total, PIECE):
            size = min(PIECE, total - at)
            if kept is not None:
                kept.readinto(buffer[:size])
            line.sendall(buffer[:size])
        line.recv(1)


def plain_copy(folder: Path, total: int, source: Source, with_file: bool) -> tuple[float, float]:
    """Seconds up and down."""
    path, file = str(folder / "plain.sock"), str(folder / "plain") if with_file else "-"
    buffer = memoryview(bytearray(PIECE))
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        command = [sys.executable, "-m", "benchmarks.plain_copy", path, str(total), file]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[1])
        line, _ = door.accept()
    with line:
        start = time.perf_counter()
        for at in range(0, total, PIECE):
            line.sendall(source.read(at, min(PIECE, total - at)))
        line.recv(1)
        middle, received = time.perf_counter(), 0
        while received < total:
            received += line.recv_into(buffer[: min(PIECE, total - received)])
        end = time.perf_counter()
        line.sendall(b"!")
    process.wait()
    Path(path).unlink()
    Path(file).unlink(missing_ok=True)
    return middle - start, end - middle


if __name__ == "__main__":
    plain_side(sys.argv[1], int(sys.argv[2]), sys.argv[3])
