"""A thread beside the one that computes: it reads what comes next, and writes what is done.

A graphics card waits for nobody then. On a processor alone nothing is won where all cores compute, and nothing is lost.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

# By its name its CPU time can be told from the models' (cli/measuring.py).
NAME = "scumble-beside"


class Beside:
    """One thread, which does one piece of work after another in the order it was given them.

    What a piece raises is raised by the next call, or at the end. Leaving the context waits for what was begun: no tile
    that was finished is lost when the job is cancelled or fails.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, NAME)
        self._last: Future[object] | None = None

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()
        if kind is None:
            self._settle()

    def ahead(self, items: Iterator[T]) -> Iterator[T]:
        """The same items; each is made while the one before is worked on."""
        following = self._pool.submit(_next, items)
        while found := following.result():
            following = self._pool.submit(_next, items)
            yield found[0]

    def do(self, work: Callable[[], object]) -> None:
        """Have this done. Waits for the piece before, so that no more than one waits with its pixels."""
        self._settle()
        self._last = self._pool.submit(work)

    def _settle(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.result()


def _next(items: Iterator[T]) -> tuple[T] | None:
    """In a tuple, since a StopIteration can't leave a thread."""
    for item in items:
        return (item,)
    return None
