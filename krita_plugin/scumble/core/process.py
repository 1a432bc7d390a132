"""Start the core's process so that it owes Krita nothing."""

import os
import subprocess
import sys

from scumble_bridge.places import data_folder, read_core_command

# The core's exit code when it finds another one running, or no place to listen.
ALREADY_RUNNING = 1
# What Krita sets for itself, and what breaks a Python that is not Krita's.
KRITAS_OWN = (
    "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "QT_PLUGIN_PATH", "QT_QPA_PLATFORM",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
)  # fmt: skip


def start_core() -> "subprocess.Popen[bytes]":
    """Start the core in a session of its own: it outlives Krita, so a running job is not lost with it.

    Raises PlaceError when it is not installed, OSError when it can't be started.
    """
    command = read_core_command(data_folder())
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0
    return subprocess.Popen(
        command,
        env=clean_environment(dict(os.environ)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=flags,
    )


def clean_environment(environment: "dict[str, str]") -> "dict[str, str]":
    """The environment without what Krita set for itself (an AppImage adds its own folders to some paths, too)."""
    kept = {k: v for k, v in environment.items() if k not in KRITAS_OWN and not k.startswith("GST_PLUGIN_")}
    inside = environment.get("APPDIR", "")
    if inside:
        for name in ("PATH", "XDG_DATA_DIRS"):
            parts = [part for part in kept.get(name, "").split(os.pathsep) if part and not part.startswith(inside)]
            kept[name] = os.pathsep.join(parts)
    return kept
