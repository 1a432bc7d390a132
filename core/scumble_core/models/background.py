"""`python -m scumble_core.models.background MODELS [PARENT]`: brings the index up to date, out of everybody's way.

A process of its own at low priority: it may import torch (spandrel tells what upscalers are), and reads whole files for
their hashes. It can be ended at any time; what it has learnt by then stays, and the next one goes on from there.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.jobs.locks import held
from scumble_core.models.finding import all_places
from scumble_core.models.index import Entry, ModelIndex

LOCK = "index.lock"
NICENESS = 15
PIECE = 1 << 22
# Larger files are no upscalers.
LARGEST_UPSCALER = 1_000_000_000

_log = logging.getLogger("scumble.models")


def bring_up_to_date(models: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Find, then ask spandrel, then hash, the smallest first."""
    models.mkdir(parents=True, exist_ok=True)
    with held(models / LOCK) as ours:
        if not ours:
            return
        with ModelIndex.open(models) as index:
            index.refresh(all_places(models))
            for entry in to_ask(index.entries()):
                if stopped():
                    return
                ask(index, entry)
            for entry in to_hash(index.entries()):
                if stopped():
                    return
                try:
                    index.note_hash(entry, content_hash(Path(entry.path), stopped))
                except (OSError, InterruptedError) as error:
                    _log.info("%s was not hashed: %s", entry.path, error)


def to_ask(entries: Sequence[Entry]) -> list[Entry]:
    """Files that may be upscalers, and of which that, or their scale, isn't known."""
    return [
        entry
        for entry in entries
        if entry.found is not None and not entry.asked and entry.found.kind in ("upscaler", "unknown")
        and "scale" not in entry.found.detail and "holds" not in entry.found.detail and entry.size < LARGEST_UPSCALER
        and Path(entry.path).is_file()
    ]  # fmt: skip


def ask(index: ModelIndex, entry: Entry) -> None:
    """Ask spandrel of one file, and keep what it says."""
    from scumble_core.models.detect.asked import ask_spandrel

    try:
        index.note_found(entry, ask_spandrel(Path(entry.path)))
    except ScumbleError as error:
        _log.info("%s", error)


def to_hash(entries: Sequence[Entry]) -> list[Entry]:
    """Models that could be used and have no hash, the smallest first."""
    wanted = [
        entry
        for entry in entries
        if not entry.hash and entry.found is not None and (entry.found.kind != "unknown" or entry.holds != "unknown")
    ]
    return sorted(wanted, key=lambda entry: (entry.size, entry.path))


def content_hash(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """sha256 of a file, which is what hubs name it by; of a folder, of its files' names and hashes.

    Raises OSError, and InterruptedError when `stopped` says so.
    """
    if path.is_file():
        return _file_hash(path, stopped)
    digest = hashlib.sha256()
    inner = (each for each in path.rglob("*") if not any(part.startswith(".") for part in each.relative_to(path).parts))
    for file in sorted(each for each in inner if each.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{_file_hash(file, stopped)}\n".encode())
    return digest.hexdigest()


def _file_hash(path: Path, stopped: Callable[[], bool]) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            if stopped():
                raise InterruptedError("stopped")
            digest.update(piece)
    return digest.hexdigest()


def main(arguments: Sequence[str]) -> int:
    """The process."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    models, *parent = arguments
    # A core that is gone, however it went, needs no index: the next one goes on from here.
    bring_up_to_date(Path(models), lambda: bool(parent) and os.getppid() != int(parent[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
