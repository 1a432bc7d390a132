"""Long calls of libkis beside the event loop.

Some calls of libkis start work on Krita's image threads and then wait for its end: scaling 4096 x 4096 pixels takes 11
seconds, adding a full layer of 8192 x 8192 pixels 1.4, and the program stands still for as long (Krita 5.1.5). libkis
lets go of Python's lock in each call, so a thread of our own can do that waiting: it starts the same work on the same
image threads, and changes nothing by itself. This is for such calls alone; all else of libkis belongs to the GUI
thread.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from krita import Document

from scumble.host.contract import HostError, Steps
from scumble.qt import QtCore

T = TypeVar("T")
# A driver that looks again and again would take the time of the threads it waits for.
LOOK_SECONDS = 0.004
FINISH_MILLISECONDS = 10


def aside(call: "Callable[[], T]") -> "Steps[T]":
    """What the call returns, or its exception, once it is over. Dropping these steps doesn't end the call."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="scumble-aside", daemon=True)
    thread.start()
    while thread.is_alive():
        time.sleep(LOOK_SECONDS)
        yield
    if errors:
        raise errors[0]
    return answers[0]


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
