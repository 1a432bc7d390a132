"""What helps whoever is asked for help: versions, device, the last lines of both logs, and nothing private."""

import contextlib
import getpass
import os
import platform
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scumble.core.logbook import MOST_LINES, last_lines
from scumble.core.private import Secrets, without
from scumble.core.state import CoreState
from scumble.qt import QtCore
from scumble_bridge.places import data_folder


@dataclass(frozen=True)
class Facts:
    """What goes in. `program`: the host's name and version."""

    program: str
    panel_version: str
    qt: str
    python: str
    system: str
    core: CoreState
    panel_log: "tuple[str, ...]"
    core_log: "tuple[str, ...]"


def gather(program: str, core: CoreState, panel_log: "Sequence[str]") -> Facts:
    """Of this machine."""
    return Facts(
        program=program,
        panel_version=core.own or "unknown",
        qt=QtCore.QT_VERSION_STR,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        core=core,
        panel_log=tuple(panel_log),
        core_log=last_lines(data_folder() / "logs" / "core.log"),
    )


def secrets_here(words: "Sequence[str]") -> Secrets:
    """Of this user; `words`: prompts, titles and file names that are known."""
    names = [socket.gethostname(), platform.node(), os.environ.get("USERNAME", ""), os.environ.get("LOGNAME", "")]
    with contextlib.suppress(OSError, KeyError, ImportError):  # a user without a name
        names.append(getpass.getuser())
    home = Path.home()
    return Secrets(str(home), tuple({name for name in (*names, home.name) if name}), tuple(words))


def report(facts: Facts, secrets: Secrets) -> str:
    """Text to copy, in English: it is for those who help."""
    described = facts.core.described
    lines = [
        f"Scumble panel {facts.panel_version} in {facts.program}",
        f"Qt {facts.qt}, Python {facts.python}, {facts.system}",
        f"Core: {facts.core.phase}" + (f" ({facts.core.message})" if facts.core.message else ""),
    ]
    if described is not None:
        lines += [
            f"Core {described.core_version} on {described.device}, worker {described.worker}",
            f"Memory: {described.free / 1e9:.1f} GB free of {described.memory / 1e9:.1f} GB",
            f"Models: {len(described.models)}, refiners: {len(described.refiners)}, "
            f"upscalers: {len(described.upscalers)}, loaded: {len(described.loaded)}",
        ]
    lines += ["", "Panel's log:", *facts.panel_log[-MOST_LINES:]]
    lines += ["", "Core's log:", *facts.core_log[-MOST_LINES:]]
    return without("\n".join(lines), secrets) + "\n"
