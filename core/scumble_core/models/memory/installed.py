"""How much memory the computer has. No torch here."""

import os
from pathlib import Path


def installed_memory() -> int | None:
    """In bytes; None where the system doesn't say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def available_memory() -> int | None:
    """Without what the system would have to write to the disk first; None where it doesn't say."""
    return _told("MemAvailable:")


def free_swap() -> int:
    """Room on the disk for what memory has not; 0 where the system doesn't say."""
    return _told("SwapFree:") or 0


def _told(name: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
    except (OSError, ValueError, StopIteration):
        return None
