"""How much memory the computer has. No torch here."""

import os


def installed_memory() -> int | None:
    """In bytes; None where the system doesn't say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
