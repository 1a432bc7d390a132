"""The device that models run on, and the number type they run fast in there."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch

from scumble_core.errors import ScumbleError
from scumble_core.models.memory import installed_memory


@dataclass(frozen=True)
class Device:
    """`name` as torch knows it; `dtype` is what convolutions run in unless a model asks for precision."""

    name: str
    dtype: torch.dtype

    @property
    def title(self) -> str:
        """For people."""
        return torch.cuda.get_device_name(self.name) if self.name.startswith("cuda") else self.name.upper()

    @property
    def kind(self) -> str:
        """What rounds alike: finished work is only taken over from a device of the same kind.

        On the CPU the number of threads decides how sums are split, which shows in the last bits. Two graphics cards
        of one model round alike.
        """
        if self.name.startswith("cuda"):
            return f"{self.title} {self.dtype}"
        threads = f" {torch.get_num_threads()}" if self.name == "cpu" else ""
        return f"{self.name} {self.dtype}{threads}"

    def autocast(self, enabled: bool = True) -> AbstractContextManager[object]:
        """Run what may be in `dtype` in it."""
        return torch.autocast(self.name.split(":")[0], self.dtype, enabled=enabled and self.dtype != torch.float32)

    @property
    def memory(self) -> int | None:
        """How much memory it has in all, in bytes; None where that isn't known.

        Not how much is free: the same job must get the same tiles each time, or its finished tiles would be lost.
        """
        if self.name.startswith("cuda"):
            return int(torch.cuda.get_device_properties(self.name).total_memory)
        return installed_memory()

    @property
    def free(self) -> int | None:
        """How much of its memory is free just now, in bytes; None where that isn't known."""
        if self.name.startswith("cuda"):
            return int(torch.cuda.mem_get_info(self.name)[0])
        return _available_memory() if self.name == "cpu" else None


def device_names() -> tuple[str, ...]:
    """All that a worker could have here, the best kind alone, by torch's names."""
    if torch.cuda.is_available():
        return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    return (best_device().name,)


def free_memory(device: str) -> None:
    """Give cached memory back, after an out-of-memory error."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


def best_device() -> Device:
    """CUDA (and ROCm, which calls itself that), else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return Device("cuda", torch.float16)
    if torch.backends.mps.is_available():
        return Device("mps", torch.float16)
    return _cpu()


def device_of(name: str) -> Device:
    """This device, by torch's name; it becomes torch's own in this process. Raises ScumbleError when it isn't there."""
    known = (*device_names(), "cpu", device_names()[0].partition(":")[0])
    if name not in known:
        raise ScumbleError("bad_request", f"There is no device {name} here: choose of {', '.join(sorted(set(known)))}.")
    if name.startswith("cuda"):
        torch.cuda.set_device(name)
    return _cpu() if name == "cpu" else Device(name, torch.float16)


def _cpu() -> Device:
    # Without bfloat16 in hardware, torch's CPU kernels are slower in it than in float32.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return Device("cpu", torch.bfloat16 if fast else torch.float32)


def _available_memory() -> int | None:
    """Without what the system would have to write to the disk first; None where it doesn't say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch says that memory ran out, on whatever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def is_device_lost(error: BaseException) -> bool:
    """Whether the device is gone until the process restarts: a driver fault, a reset, a GPU unplugged."""
    text = str(error).lower()
    signs = ("device-side assert", "unspecified launch failure", "illegal memory access", "device lost", "ecc error")
    return isinstance(error, RuntimeError) and any(sign in text for sign in signs)
