"""Drives work that comes in short steps, from the top of the event loop, a few milliseconds a turn."""

import logging
import time
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from scumble.guard import surprise
from scumble.host.contract import HostError, Steps
from scumble.qt import QtCore

# A turn begins no further step after so long: with a last step of as much again it stays below 20 ms.
TURN_SECONDS = 0.008
AGAIN_MS = 10

T = TypeVar("T")
_log = logging.getLogger("scumble.panel")


class Drive(Generic[T]):
    """Calls `done` with what the steps return, or `failed` with a sentence; neither once it was closed.

    Keep it: Qt holds it weakly, and what nobody holds is dropped half-way.

    Krita runs an event loop of its own within some of its calls (converting a layer's colours is one): turns that come
    up in there wait until the step that is at work has returned.
    """

    _is_stepping: ClassVar[bool] = False

    def __init__(self, steps: "Steps[T]", done: "Callable[[T], None]", failed: "Callable[[str], None]") -> None:
        self._steps: Steps[T] | None = steps
        self._done = done
        self._failed = failed
        self._is_within = False
        QtCore.QTimer.singleShot(0, self._turn)

    def close(self) -> None:
        """Drop the work half-way."""
        steps, self._steps = self._steps, None
        if steps is not None and not self._is_within:
            _close(steps)

    def _turn(self) -> None:
        steps = self._steps
        if steps is None:
            return
        if Drive._is_stepping:
            QtCore.QTimer.singleShot(AGAIN_MS, self._turn)
            return
        Drive._is_stepping = self._is_within = True
        try:
            self._take_turn(steps)
        finally:
            Drive._is_stepping = self._is_within = False
            if self._steps is not steps:
                _close(steps)

    def _take_turn(self, steps: "Steps[T]") -> None:
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


def _close(steps: "Steps[T]") -> None:
    """Have them clean up; nothing, where they are at their end."""
    try:
        steps.close()
    except Exception:
        _log.exception("A step's cleaning up failed")
