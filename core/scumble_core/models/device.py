"""The device that models run on, and the number type they run fast in there.

CUDA, ROCm (which calls itself CUDA), Intel's XPU, Apple's MPS, else the CPU.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from scumble_core.errors import ScumbleError
from scumble_core.models.memory.facts import DeviceFacts, DeviceKind, Precision
from scumble_core.models.memory.installed import available_memory, free_swap, installed_memory

# Of the devices that are cards with memory of their own, and that torch numbers.
_CARDS = ("cuda", "xpu")


@dataclass(frozen=True)
class Device:
    """`name` as torch knows it; `dtype` is what convolutions run in unless a model asks for precision.

    `chosen`: the artist asked for this dtype. `compiles`: and for compiled networks. `storage`: where weights lie until
    they are needed (memory/room.py).
    """

    name: str
    dtype: torch.dtype
    chosen: bool = False
    compiles: bool = False

    @property
    def type(self) -> str:
        """torch's word for its kind: "cuda" for "cuda:1"."""
        return self.name.partition(":")[0]

    @property
    def storage(self) -> str:
        """A card's memory is for what works just now."""
        return "cpu" if self.type in _CARDS else self.name

    @property
    def title(self) -> str:
        """For people."""
        is_there = self.type in _CARDS and _card(self.name).is_available()
        return str(_card(self.name).get_device_name(self.name)) if is_there else self.name.upper()

    @property
    def kind(self) -> str:
        """What rounds alike: finished work is only taken over from a device of the same kind.

        On the CPU the number of threads decides how sums are split, which shows in the last bits. Two graphics cards
        of one model round alike.
        """
        compiled = " compiled" if self.compiles else ""
        if self.type in _CARDS:
            return f"{self.title} {self.dtype}{compiled}"
        threads = f" {torch.get_num_threads()}" if self.name == "cpu" else ""
        return f"{self.name} {self.dtype}{threads}{compiled}"

    def autocast(self, enabled: bool = True) -> AbstractContextManager[object]:
        """Run what may be in `dtype` in it."""
        return torch.autocast(self.type, self.dtype, enabled=enabled and self.dtype != torch.float32)

    @property
    def memory(self) -> int | None:
        """How much memory it has in all, in bytes; None where that isn't known.

        Not how much is free: the same job must get the same tiles each time, or its finished tiles would be lost.
        """
        if self.type in _CARDS:
            return int(_card(self.name).get_device_properties(self.name).total_memory)
        return installed_memory()

    @property
    def free(self) -> int | None:
        """How much of its memory is free just now, in bytes; None where that isn't known."""
        if self.type in _CARDS:
            return int(_card(self.name).mem_get_info(self.name)[0])
        if self.name == "mps":
            return max(0, int(torch.mps.recommended_max_memory()) - int(torch.mps.driver_allocated_memory()))
        return available_memory() if self.name == "cpu" else None

    @property
    def facts(self) -> DeviceFacts:
        """What a memory plan is made from, measured now."""
        kind: DeviceKind = "rocm" if self.type == "cuda" and torch.version.hip else self.type  # type: ignore[assignment]
        precision: Precision = str(self.dtype).removeprefix("torch.")  # type: ignore[assignment]
        return DeviceFacts(kind, self.title, self.memory, self.free, precision, available_memory(), free_swap())


def device_names() -> tuple[str, ...]:
    """All that a worker could have here, the best kind alone, by torch's names."""
    best = best_device().type
    return tuple(f"{best}:{number}" for number in range(_card(best).device_count())) if best in _CARDS else (best,)


def free_memory(device: str) -> None:
    """Give cached memory back, after an out-of-memory error."""
    if device.partition(":")[0] in (*_CARDS, "mps"):
        _card(device).empty_cache()


def best_device() -> Device:
    """CUDA and ROCm, else Intel's, else Apple's, else the CPU."""
    for name in _CARDS:
        if _card(name).is_available():
            return Device(name, torch.float16)
    if torch.backends.mps.is_available():
        return Device("mps", torch.float16)
    return _cpu()


def device_of(name: str) -> Device:
    """This device, by torch's name; it becomes torch's own in this process. Raises ScumbleError when it isn't there."""
    known = (*device_names(), "cpu", device_names()[0].partition(":")[0])
    if name not in known:
        raise ScumbleError("bad_request", f"There is no device {name} here: choose of {', '.join(sorted(set(known)))}.")
    if name.partition(":")[0] in _CARDS:
        _card(name).set_device(name)
    return _cpu() if name == "cpu" else Device(name, torch.float16)


def wished(device: Device, precision: Precision | Literal[""], compiles: bool = False) -> Device:
    """The device with the number type that the artist chose, if any, and with compiled networks."""
    device = replace(device, compiles=compiles)
    return replace(device, dtype=getattr(torch, precision), chosen=True) if precision else device


def sent(values: torch.Tensor, device: str) -> torch.Tensor:
    """On this device. To an NVIDIA or AMD card the copy runs while the next thing is prepared."""
    if device.partition(":")[0] != "cuda" or values.device.type != "cpu":
        return values.to(device)
    # Only what can't be swapped out may be copied without waiting.
    return values.pin_memory().to(device, non_blocking=True)


def _card(name: str) -> Any:
    """torch.cuda, torch.xpu or torch.mps: they answer to the same names."""
    return getattr(torch, name.partition(":")[0])


def _cpu() -> Device:
    # Without bfloat16 in hardware, torch's CPU kernels are slower in it than in float32.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return Device("cpu", torch.bfloat16 if fast else torch.float32)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch says that memory ran out, on whatever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def is_device_lost(error: BaseException) -> bool:
    """Whether the device is gone until the process restarts: a driver fault, a reset, a GPU unplugged."""
    text = str(error).lower()
    signs = (
        "device-side assert",
        "unspecified launch failure",
        "illegal memory access",
        "device lost",
        "device_lost",
        "ecc error",
        "hip error: launch failure",
    )
    return isinstance(error, RuntimeError) and any(sign in text for sign in signs)
