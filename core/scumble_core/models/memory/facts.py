"""What a memory plan is made from. No torch here, so that tests can speak of devices that aren't there."""

from dataclasses import dataclass
from typing import Literal

DeviceKind = Literal["cuda", "rocm", "mps", "xpu", "cpu"]
Precision = Literal["float32", "float16", "bfloat16"]
BYTES_OF: dict[Precision, int] = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class DeviceFacts:
    """A device. `total` and `free` in bytes, None where it doesn't say; `precision`: what it is fast in.

    `host`: what the computer itself has free, which takes what does not stay on the device; `swap`: what it has free
    on the disk beside that.
    """

    kind: DeviceKind
    title: str
    total: int | None
    free: int | None
    precision: Precision
    host: int | None = None
    swap: int = 0

    @property
    def is_shared(self) -> bool:
        """Whether its memory is the computer's own: nothing is won by moving models out of it."""
        return self.kind in ("cpu", "mps")

    @property
    def name(self) -> str:
        """What step-downs are remembered under: cards of one model and size are alike."""
        return f"{self.title} {round((self.total or 0) / 2**30)} GB"


@dataclass(frozen=True)
class ModelNeeds:
    """A model, as it will lie in memory. Bytes of all weights, and of its largest part (the network that denoises)."""

    model: str
    weights: int
    largest: int
    on_disk: Precision = "float16"


@dataclass(frozen=True)
class TileNeeds:
    """Working memory for one tile of this side, in bytes, above the weights."""

    side: int
    working: int
