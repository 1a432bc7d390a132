"""Begins the background's process. It imports next to nothing: the core does this before it answers."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

COMMAND = (sys.executable, "-m", "scumble_core.models.background")


def start(models: Path, command: Sequence[str] = COMMAND) -> "subprocess.Popen[bytes]":
    """Begin, and don't wait. One that already runs makes a second one end at once; it ends with who started it."""
    return subprocess.Popen(
        [*command, str(models), str(os.getpid())], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
