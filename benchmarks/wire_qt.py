"""The plugin's own client, as benchmarks/wire.py drives it: Qt's event loop, and the picture read lazily."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QCoreApplication, QEventLoop

from scumble_bridge import messages as wire
from scumble_bridge.fields import PictureHeader
from scumble_bridge.qt_adapter import ScumbleClient

PATIENCE = 120.0


class QtClient:
    """A connection, and the last message of each kind."""

    def __init__(self, runtime: Path) -> None:
        self._application = QCoreApplication.instance() or QCoreApplication([])
        self._client = ScumbleClient()
        self._heard: dict[type[Any], Any] = {}
        self._received = 0
        self._troubles: list[str] = []
        self._client.message.connect(self._hear)
        self._client.failed.connect(self._troubles.append)
        self._client.connect_to_core(runtime)
        self._turn_until(lambda: self._client.is_open)

    def upload(self, header: PictureHeader, read: Callable[[int, int], Any]) -> tuple[str, float]:
        """The job, and the seconds from the first credit until the core has it all."""
        job = str(uuid.uuid4())
        self._ask()
        self._client.send(wire.Submit(job, {}, header))
        self._turn_until(lambda: wire.Credit in self._heard)
        start = time.perf_counter()
        ends: list[int] = []
        self._client.uploaded.connect(
            lambda _job, _stream, count, total: ends.append(count) if count == total else None
        )
        self._client.upload(job, "source", header.total_bytes, read)
        self._turn_until(lambda: bool(ends))
        self._ask()
        return job, time.perf_counter() - start

    def download(self, job: str, total: int) -> float:
        """Seconds until the last byte of a result is here."""
        self._turn_until(lambda: wire.Finished in self._heard)
        start, self._received = time.perf_counter(), 0
        self._client.fetch(job, "refined", total)
        self._turn_until(lambda: self._received == total)
        return time.perf_counter() - start

    def close(self, job: str) -> None:
        self._client.send(wire.Release(job))
        self._client.close()

    def _ask(self) -> None:
        self._heard.pop(wire.Described, None)
        self._client.send(wire.Describe())
        self._turn_until(lambda: wire.Described in self._heard)

    def _hear(self, message: Any) -> None:
        if isinstance(message, wire.Failed):
            self._troubles.append(message.message)
        if isinstance(message, wire.Pixels):
            self._received += len(message.data)
        else:
            self._heard[type(message)] = message

    def _turn_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            if self._troubles or time.monotonic() > end:
                raise RuntimeError(", ".join(self._troubles) or "waited too long")
