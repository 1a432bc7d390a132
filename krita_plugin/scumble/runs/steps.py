"""Drives work that comes in short steps, from the top of the event loop, a few milliseconds a turn."""

import logging
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from scumble.guard import surprise
from scumble.host.contract import HostError, Steps
from scumble.qt import QtCore

# A turn begins no further step after so long: with a last step of as much again it stays below 20 ms.
TURN_SECONDS = 0.008

T = TypeVar("T")
_log = logging.getLogger("scumble.panel")


class Drive(Generic[T]):
    """Calls `done` with what the steps return, or `failed` with a sentence; neither once it was closed.

    Keep it: Qt holds it weakly, and what nobody holds is dropped half-way.
    """

    def __init__(self, steps: "Steps[T]", done: "Callable[[T], None]", failed: "Callable[[str], None]") -> None:
        self._steps: Steps[T] | None = steps
        self._done = done
        self._failed = failed
        QtCore.QTimer.singleShot(0, self._turn)

    def close(self) -> None:
        """Drop the work half-way."""
        steps, self._steps = self._steps, None
        if steps is not None:
            try:
                steps.close()
            except Exception:
                _log.exception("A step's cleaning up failed")

    def _turn(self) -> None:
        steps = self._steps
        if steps is None:
            return
        until = time.monotonic() + TURN_SECONDS
        try:
            next(steps)
            while time.monotonic() < until and self._steps is steps:
                next(steps)
        except StopIteration as end:
            self._finish(end.value)
        except HostError as error:
            self._fail(str(error))
        except Exception as error:
            _log.exception("A step failed")
            self._fail(surprise(error))
        else:
            QtCore.QTimer.singleShot(0, self._turn)

    def _finish(self, value: T) -> None:
        if self._steps is None:
            return
        self._steps = None
        try:
            self._done(value)
        except Exception as error:
            _log.exception("What follows the steps failed")
            self._tell(surprise(error))

    def _fail(self, sentence: str) -> None:
        if self._steps is not None:
            self._steps = None
            self._tell(sentence)

    def _tell(self, sentence: str) -> None:
        try:
            self._failed(sentence)
        except Exception:
            _log.exception("Telling of a failure failed")
