"""Long calls of libkis beside the event loop.

Some calls of libkis start work on Krita's image threads and then wait for its end: scaling 4096 x 4096 pixels takes 11
seconds, adding a full layer of 8192 x 8192 pixels 1.4, and the program stands still for as long (Krita 5.1.5). libkis
lets go of Python's lock in each call, so a thread of our own can do that waiting: it starts the same work on the same
image threads, and changes nothing by itself. This is for such calls alone; all else of libkis belongs to the GUI
thread.

Objects of libkis must not die in that thread, since Krita's own objects would with them. So whatever a call holds is
kept until its thread is over, then let go of in the GUI thread, also when nobody waits any more; and Python collects
no garbage meanwhile, for it does so in whichever thread makes the next object.
"""

import gc
import threading
import time
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from krita import Document

from scumble.host.contract import HostError, Steps
from scumble.qt import QtCore

T = TypeVar("T")
# A driver that looks again and again would take the time of the threads it waits for.
LOOK_SECONDS = 0.004
FINISH_MILLISECONDS = 10


class _Call(Generic[T]):
    """One call in a thread of its own. Begun, asked and ended in the GUI thread."""

    _under_way: ClassVar[int] = 0
    _collects: ClassVar[bool] = True

    def __init__(self, call: "Callable[[], T]") -> None:
        self._call = call
        self._answers: list[T] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="scumble-aside", daemon=True)
        if _Call._under_way == 0:
            _Call._collects = gc.isenabled()
            gc.disable()
        _Call._under_way += 1
        try:
            self._thread.start()
        except BaseException:
            self._over()
            raise

    def _run(self) -> None:
        try:
            self._answers.append(self._call())
        except BaseException as error:
            self._errors.append(error)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def outcome(self) -> T:
        """What it returned; raises what it raised."""
        if self._errors:
            raise self._errors.pop()
        return self._answers.pop()

    def end(self) -> None:
        """Hold everything until the thread is over."""
        if self.is_over:
            self._over()
        else:
            # Qt would hold a mere method weakly.
            QtCore.QTimer.singleShot(FINISH_MILLISECONDS, lambda: self.end())  # noqa: PLW0108

    def _over(self) -> None:
        _Call._under_way -= 1
        if _Call._under_way == 0 and _Call._collects:
            gc.enable()


def aside(call: "Callable[[], T]") -> "Steps[T]":
    """What the call returns, or its exception, once it is over. Dropping these steps doesn't end the call."""
    under_way = _Call(call)
    try:
        while not under_way.is_over:
            time.sleep(LOOK_SECONDS)
            yield
    finally:
        under_way.end()
    return under_way.outcome()


def until_idle(document: Document, seconds: float = 20.0) -> "Steps[None]":
    """Until no stroke and no saving is under way in the document, or it was closed, or so many seconds are over."""
    until = time.monotonic() + seconds
    while document.width() > 0 and time.monotonic() < until:
        if document.tryBarrierLock():
            document.unlock()
            return
        time.sleep(LOOK_SECONDS)
        yield


def unbroken(steps: "Steps[T]", finish: "Callable[[Steps[T]], None]") -> "Steps[T]":
    """The same steps; when they are dropped half-way, `finish` gets what is left of them, to see it through."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        try:
            yield
        except GeneratorExit:
            finish(steps)
            raise


def see_through(steps: "Steps[T]") -> None:
    """Run what is left of these steps from a timer. Nobody is there any more to hear what they return or raise."""
    try:
        next(steps)
    except (StopIteration, HostError):
        return
    QtCore.QTimer.singleShot(FINISH_MILLISECONDS, lambda: see_through(steps))
