"""What a run would take, asked of the core while the artist still chooses."""

import random
from dataclasses import dataclass

from scumble import amounts
from scumble.core.link import Core
from scumble.geometry import Box
from scumble.guard import guarded
from scumble.host.contract import Offer
from scumble.qt import QtCore
from scumble.runs.grid import Grid
from scumble.runs.order import Asked
from scumble.settings import Settings
from scumble.words import ntr, tr
from scumble_bridge import messages as wire
from scumble_bridge.fields import Depth, PictureHeader

WAIT_MS = 300


@dataclass(frozen=True)
class Estimate:
    """`size`: of the results; `working`: the size that is refined at; `sent`: what is sent of the canvas. With `error`,
    a sentence that says why it can't be run, the numbers mean nothing."""

    sent: Box
    size: "tuple[int, int]" = (0, 0)
    working: "tuple[int, int]" = (0, 0)
    tiles: int = 0
    flat: int = 0
    memory: int = 0
    seconds: float = 0.0
    grid: "Grid | None" = None
    error: str = ""

    @classmethod
    def of(cls, message: wire.Estimated, sent: Box) -> "Estimate":
        """As the core's plan tells it; what can't be read is left at 0."""
        plan = message.plan
        if message.error or not plan:
            return cls(sent, error=message.error or tr("The core could not plan this."))
        result, output, stages = plan.get("result"), plan.get("output"), plan.get("stages")
        passes = stages.get("tiles") if isinstance(stages, dict) else None
        passes = passes if isinstance(passes, dict) else {}
        tiles = plan.get("tiles", passes.get("tiles"))
        return cls(
            sent,
            _pair(result[2:] if isinstance(result, list) else None),
            _pair(output),
            int(_number(tiles)),
            int(_number(passes.get("flat_tiles"))),
            int(_number(plan.get("memory_bytes"))),
            _number(plan.get("seconds_estimate")),
            Grid.of(plan),
        )

    @property
    def sentence(self) -> str:
        """Size, work, memory and time, for people."""
        if self.error:
            return self.error
        parts = [f"{amounts.size(*self.size)} ({amounts.megapixels(*self.size)})"]
        if self.tiles:
            parts.append(ntr("{count} tile", "{count} tiles", self.tiles).format(count=amounts.number(self.tiles)))
        if self.memory:
            parts.append(tr("{size} of memory").format(size=amounts.bytes_of(self.memory)))
        if self.seconds:
            parts.append(tr("about {time}").format(time=amounts.duration(self.seconds)))
        return ", ".join(parts)


class Estimator(QtCore.QObject):
    """`ask` as often as you like: the core is asked when it has been quiet for a moment, and the latest answer wins.

    `estimate` is None while none is known: there is no line, or nothing can be sent.
    """

    changed = QtCore.pyqtSignal(object)  # Estimate | None

    def __init__(self, core: Core, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.estimate: Estimate | None = None
        self._core = core
        self._wanted: tuple[Settings, Offer] | None = None
        self._number = random.SystemRandom().randrange(2**31)
        self._asked: tuple[int, Box] | None = None
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._send)
        core.ready.connect(self._timer.start)
        core.lost.connect(self._forget)
        core.message.connect(self._hear)

    def ask(self, settings: Settings, offer: "Offer | None") -> None:
        """For these settings now; `offer` None: nothing can be sent."""
        wanted = None if offer is None else (settings, offer)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if wanted is None:
            self._timer.stop()
            self._forget()
        else:
            self._timer.start()

    def surprised(self, _sentence: str) -> None:
        """An estimate is a courtesy: without one the run itself will tell."""
        self._set(None)

    @guarded
    def _send(self) -> None:
        if self._wanted is None or not self._core.is_open:
            return
        settings, offer = self._wanted
        target = offer.target
        box, selected = target.box, target.selected if settings.source == "selection" else None
        self._number = (self._number + 1) % 2**31
        self._asked = self._number, box
        inner = None if selected is None else selected.moved(-box.x, -box.y)
        self._core.send(
            wire.Estimate(
                self._number,
                Asked(settings).request(box),
                PictureHeader(box.width, box.height, _depth(offer.depth), "bgra"),
                None if inner is None else (inner.x, inner.y, inner.width, inner.height),
            )
        )

    @guarded
    def _hear(self, message: wire.Message) -> None:
        if isinstance(message, wire.Estimated) and self._asked is not None and message.ask == self._asked[0]:
            self._set(Estimate.of(message, self._asked[1]))

    @guarded
    def _forget(self) -> None:
        self._asked = None
        self._set(None)

    def _set(self, estimate: "Estimate | None") -> None:
        if estimate != self.estimate:
            self.estimate = estimate
            self.changed.emit(estimate)


def _depth(name: str) -> Depth:
    known: dict[str, Depth] = {"u8": "u8", "u16": "u16", "f16": "f16", "f32": "f32"}
    return known.get(name, "u8")


def _pair(value: object) -> "tuple[int, int]":
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(type(each) is int for each in value):
        return value[0], value[1]
    return 0, 0


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else 0.0
