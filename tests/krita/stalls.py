"""A stall meter: how long Krita's event loop stood still while steps were driven as the panel drives them."""

from __future__ import annotations

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
    """In milliseconds. A heartbeat every few milliseconds notes how late it comes; `p99`: of all heartbeats."""

    longest: float
    p99: float
    longest_step: float
    seconds: float
    beats: int

    def __str__(self) -> str:
        return (
            f"longest {self.longest:.1f} ms, p99 {self.p99:.1f} ms of {self.beats} beats, "
            f"longest step {self.longest_step:.1f} ms, {self.seconds:.2f} s"
        )


def install(krita: KritaSession) -> None:
    """Make `meter` and `drive` known to the orders of this session."""
    krita.run(METER)


def finish(krita: KritaSession, steps: str, seconds: float = 120) -> Stalls:
    """Drive the steps that this code makes to their end; then `meter.value` or `meter.error` has the outcome.

    The code may be several lines that leave the generator in `steps`.
    """
    krita.run(steps if "\n" in steps else f"steps = {steps}")
    krita.run("drive(steps)")
    krita.wait("meter.done", seconds)
    gaps = krita.run("sorted(meter.gaps)")
    p99 = gaps[min(len(gaps) - 1, int(0.99 * len(gaps)))]
    longest_step, took = krita.run("[meter.longest_step, meter.seconds]")
    return Stalls(gaps[-1] * 1000, p99 * 1000, longest_step * 1000, took, len(gaps))
