"""A stall meter: how long Krita's event loop stood still while steps were driven as the panel drives them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.krita.session import KritaSession

BEAT_MS = 4
# In Krita: `drive(steps)` runs them from a timer, some milliseconds a turn; `meter` has a heartbeat all the while.
METER = f"""
import time
from PyQt5.QtCore import QTimer, Qt

class Meter:
    def __init__(self):
        self.gaps, self.done, self.value, self.error, self.seconds = [], True, None, None, 0.0
        self.timer = QTimer()
        self.timer.setTimerType(Qt.PreciseTimer)
        self.timer.timeout.connect(self.beat)

    def drive(self, steps, budget=0.008):
        self.gaps, self.done, self.value, self.error = [], False, None, None
        self.steps, self.budget, self.longest_step = steps, budget, 0.0
        self.start = self.last = time.perf_counter()
        self.timer.start({BEAT_MS})
        QTimer.singleShot(0, self.turn)

    def beat(self):
        now = time.perf_counter()
        self.gaps.append(max(0.0, now - self.last - {BEAT_MS} / 1000))
        self.last = now

    def turn(self):
        until = time.perf_counter() + self.budget
        try:
            while True:
                begin = time.perf_counter()
                next(self.steps)
                now = time.perf_counter()
                self.longest_step = max(self.longest_step, now - begin)
                if now > until:
                    break
        except StopIteration as end:
            self.value = end.value
            QTimer.singleShot(0, self.end)
        except BaseException as error:
            self.error = error
            QTimer.singleShot(0, self.end)
        else:
            QTimer.singleShot(0, self.turn)

    def end(self):
        self.beat()
        self.timer.stop()
        self.seconds = time.perf_counter() - self.start
        self.done = True

meter = Meter()
drive = meter.drive
"""


@dataclass(frozen=True)
class Stalls:
    """How late each heartbeat came, in milliseconds, the least late first; and how long the longest step took."""

    late: tuple[float, ...]
    longest_step: float
    seconds: float

    @property
    def longest(self) -> float:
        return self.late[-1]

    @property
    def p99(self) -> float:
        return self.late[max(0, math.ceil(0.99 * len(self.late)) - 1)]

    def __str__(self) -> str:
        return (
            f"longest {self.longest:.1f} ms, p99 {self.p99:.1f} ms of {len(self.late)} beats, "
            f"longest step {self.longest_step:.1f} ms, {self.seconds:.2f} s"
        )


def together(runs: list[Stalls]) -> Stalls:
    """All their beats: a percentile needs many."""
    late = sorted(beat for run in runs for beat in run.late)
    return Stalls(tuple(late), max(run.longest_step for run in runs), sum(run.seconds for run in runs))


def install(krita: KritaSession) -> None:
    """Make `meter` and `drive` known to the orders of this session."""
    krita.run(METER)


def finish(krita: KritaSession, steps: str, seconds: float = 120, budget: float = 0.008) -> Stalls:
    """Drive the steps that this code makes to their end; then `meter.value` or `meter.error` has the outcome.

    The code may be several lines that leave the generator in `steps`. `budget`: seconds of steps in one turn.
    """
    krita.run(steps if "\n" in steps else f"steps = {steps}")
    krita.run(f"drive(steps, {budget})")
    krita.wait("meter.done", seconds)
    late = krita.run("sorted(meter.gaps)")
    longest_step, took = krita.run("[meter.longest_step, meter.seconds]")
    return Stalls(tuple(gap * 1000 for gap in late), longest_step * 1000, took)
