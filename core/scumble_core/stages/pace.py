"""How long a job will still take, learnt from what is done."""

import time
from collections.abc import Callable


class Pace:
    """`total` is the work in estimated seconds; the estimate is scaled by how fast the work done so far really was."""

    def __init__(self, total: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._total = max(total, 1e-9)
        self._done = 0.0

    def advance(self, estimated: float) -> None:
        """That much of the work is done."""
        self._done = min(self._total, self._done + estimated)

    @property
    def seconds_left(self) -> float | None:
        """None while next to nothing is done."""
        if self._done < self._total * 0.02:
            return None
        spent = self._clock() - self._began
        return spent / self._done * (self._total - self._done)
