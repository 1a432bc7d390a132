"""The device as a worker last saw it: so `scumble plan` and the front door know it without torch.

In the data folder's device.json; whoever has torch writes it, and whoever has not reads it.
"""

import contextlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from scumble_core.models.memory.facts import DeviceFacts
from scumble_core.models.memory.installed import available_memory, free_swap, installed_memory

NAME = "device.json"


def note_device(data: Path, device: DeviceFacts) -> None:
    """Keep it for the others. Where that can't be, they know no better than before."""
    part = data / f"{NAME}.{os.getpid()}.part"
    with contextlib.suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(device), indent=1), "utf-8")
        part.replace(data / NAME)


def known_device(data: Path) -> DeviceFacts:
    """As it was noted, with what is free now where that can be told; else the processor, with the computer's memory."""
    host, swap = available_memory(), free_swap()
    try:
        values = json.loads((data / NAME).read_text("utf-8"))
        known = DeviceFacts(**values)
        if known.kind not in ("cuda", "rocm", "mps", "xpu", "cpu") or known.precision not in (
            "float32",
            "float16",
            "bfloat16",
        ):
            raise ValueError
        now = replace(known, host=host, swap=swap)
        return replace(now, free=host) if known.kind == "cpu" else now
    except (OSError, ValueError, TypeError):
        return DeviceFacts("cpu", "CPU", installed_memory(), host, "float32", host, swap)
