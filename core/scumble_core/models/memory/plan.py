"""The plan for the memory of the device at hand. Pure: the same facts give the same plan. No torch here.

What changes pixels (the autoencoder's windows) follows from how much memory the device has in all: the same job must
find its finished tiles again. What doesn't (how many tiles at once, where weights lie) follows from what is free.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scumble_core.models.memory.facts import BYTES_OF, DeviceFacts, ModelNeeds, Precision, TileNeeds
from scumble_core.models.memory.learnt import Learnt
from scumble_core.models.memory.wishes import Offload, Wishes

__all__ = ["MemoryPlan", "Offload", "plan_memory"]

# From the fastest to the one that takes the least.
OFFLOADS: tuple[Offload, ...] = ("none", "model", "group", "sequential")
# What of a device's memory a plan may count with: drivers, the desktop and fragments take the rest.
USABLE = 0.9
# Decoding takes the most; in windows of half the side, tiles take so much of what they would.
_IN_WINDOWS = 0.4
# What of the largest network must be on the device, when it comes block by block, or layer by layer.
_SHARE: dict[Offload, float] = {"none": 1.0, "model": 1.0, "group": 0.2, "sequential": 0.05}
SMALLEST_WINDOW = 256


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes, and sides in pixels. `needed`: on the device at the most; `free`: measured, None where it isn't known.

    `offload`: what leaves the device while it isn't used: nothing; whole networks, so that base and refiner are never
    there together; blocks of the largest network; its layers. `batch`: how many tiles go at once, whatever the request
    says; `vae_window`: 0 where whole tiles are encoded and decoded. `problem`: why no plan can do, or "".
    """

    device: str
    kind: str
    precision: Precision
    offload: Offload
    batch: int
    tile: int
    vae_window: int
    weights: int
    working: int
    needed: int
    free: int | None
    note: str = ""
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For `scumble plan --json`, Estimated and the results' summary."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}

    @property
    def sentence(self) -> str:
        """For people."""
        where = {
            "none": "all models stay there", "model": "models come when they are used, one by one",
            "group": "the largest network comes block by block", "sequential": "networks come layer by layer",
        }[self.offload]  # fmt: skip
        if self.kind in ("cpu", "mps"):
            where = "models share the computer's memory"
        parts = [f"{self.precision}", where, f"tiles of {self.tile}" + (f", {self.batch} at once" * (self.batch > 1))]
        if self.vae_window:
            parts.append(f"the autoencoder in windows of {self.vae_window}")
        free = "" if self.free is None else f" of {self.free / 1e9:.1f} GB that are free"
        told = f"{self.device}: {'; '.join(parts)}; about {self.needed / 1e9:.1f} GB{free}."
        return f"{told} {self.note}" if self.note else told


def plan_memory(
    device: DeviceFacts,
    models: Sequence[ModelNeeds],
    tile: TileNeeds,
    batch: int = 1,
    wishes: Wishes | None = None,
    learnt: Learnt | None = None,
    beside: ModelNeeds | None = None,
) -> MemoryPlan:
    """The fastest way that fits. `models`: base and refiner; `batch`: what was asked for; `learnt`: of failures;
    `beside`: a ControlNet, which is there whenever the largest network is.
    """
    wishes, learnt = wishes or Wishes(), learnt or Learnt()
    precision = wishes.precision or device.precision
    sizes = [in_precision(model, precision) for model in models]
    along = 0 if beside is None else in_precision(beside, precision).weights
    largest = max((each.largest for each in sizes), default=0) + along
    weights = sum(each.weights for each in sizes) + along
    window = wishes.vae_window or learnt.vae_window or _vae_window(device, largest, tile)
    single = int(tile.working * (_IN_WINDOWS if window else 1))
    free = _usable(device) if wishes.free == 0 else int(wishes.free * 1e9)
    rungs = [
        (offload, count, _needed(offload, weights, largest, single * count))
        for offload, count in _ladder(device, batch, wishes, learnt)
    ]
    offload, count, needed = next((rung for rung in rungs if free is None or rung[2] <= free), rungs[-1])
    note = ""
    if free is not None and needed > free:
        note = "That is more than is free: close other programs, or choose smaller tiles."
    return MemoryPlan(
        device=device.title,
        kind=device.kind,
        precision=precision,
        offload=offload,
        batch=count,
        tile=tile.side,
        vae_window=window,
        weights=weights,
        working=single * count,
        needed=needed,
        free=device.free,
        note=note,
        problem=_problem(device, weights, largest, tile) or _too_little_free(device, weights, tile, wishes),
    )


def _ladder(device: DeviceFacts, batch: int, wishes: Wishes, learnt: Learnt) -> Iterator[tuple[Offload, int]]:
    """Ways to run, from the fastest on; those that failed before are left out, and what is wished is not given up."""
    lowest = OFFLOADS.index(learnt.offload)
    offloads: tuple[Offload, ...] = (wishes.offload,) if wishes.offload else OFFLOADS[lowest:]
    if device.is_shared and not wishes.offload:
        offloads = ("none",)
    most = min(batch, learnt.batch) if learnt.batch else batch
    if most > 1:
        yield offloads[0], most
    for offload in offloads:
        yield offload, 1


def _needed(offload: Offload, weights: int, largest: int, working: int) -> int:
    return working + (weights if offload == "none" else int(largest * _SHARE[offload]))


def _vae_window(device: DeviceFacts, largest: int, tile: TileNeeds) -> int:
    """From the memory in all: windows leave traces in pixels."""
    fits = device.total is None or tile.working + largest <= device.total * USABLE
    return 0 if fits or tile.side <= SMALLEST_WINDOW else max(SMALLEST_WINDOW, tile.side // 2)


def _usable(device: DeviceFacts) -> int | None:
    return None if device.free is None else int(device.free * USABLE)


def _too_little_free(device: DeviceFacts, weights: int, tile: TileNeeds, wishes: Wishes) -> str:
    """What the computer itself can't hold now, on whichever device its models run: there they are loaded first."""
    if device.host is None or (wishes.free and device.is_shared):
        return ""
    least = weights + (_least(tile) if device.is_shared else 0)
    if least <= device.host + device.swap:
        return ""
    return (
        f"The models take {weights / 1e9:.1f} GB of the computer's memory, and {device.host / 1e9:.1f} GB are free: "
        "close other programs, or choose smaller models."
    )


def _least(tile: TileNeeds) -> int:
    """Tiles are worked on in windows before a job fails (stages/guard.py)."""
    return int(tile.working * min(1.0, (SMALLEST_WINDOW / max(1, tile.side)) ** 2))


def _problem(device: DeviceFacts, weights: int, largest: int, tile: TileNeeds) -> str:
    """What no plan can help, whatever is free."""
    least = _least(tile)
    if device.is_shared:
        if device.total is None or weights + least <= device.total:
            return ""
        return (
            f"The models take {weights / 1e9:.1f} GB and a tile {least / 1e9:.1f} GB, but this computer has "
            f"{device.total / 1e9:.1f} GB: choose smaller models."
        )
    if device.total is not None and int(largest * _SHARE["sequential"]) + least > device.total:
        return (
            f"{device.title} has {device.total / 1e9:.1f} GB, which is too little for these models even in parts: "
            "choose smaller models."
        )
    return ""


def in_precision(model: ModelNeeds, precision: Precision) -> ModelNeeds:
    """As it lies in memory in this precision."""
    share = BYTES_OF[precision] / BYTES_OF[model.on_disk]
    return ModelNeeds(model.model, int(model.weights * share), int(model.largest * share), precision)
