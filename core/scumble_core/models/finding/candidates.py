"""What in a place may be a model: weights files, and folders in diffusers' layout. Only names and sizes count here."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scumble_core.models.finding.places import Place
from scumble_core.models.tensors import SUFFIXES

MOST_DEPTH = 8
MOST_ENTRIES = 200_000
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True)
class Candidate:
    """`size` and `mtime_ns` (the newest): of the file, or of all files of a folder together."""

    path: Path
    size: int
    mtime_ns: int
    place: Place


def candidates(place: Place) -> Iterator[Candidate]:
    """All below the place, some levels deep; links are followed, but nothing is walked twice."""
    if place.folder.is_dir():
        yield from _Walk(place).walk(place.folder, 0)
    elif (found := candidate_at(place.folder, place)) is not None:
        yield found


def candidate_at(path: Path, place: Place | None = None) -> Candidate | None:
    """What lies at this path itself, if it may be a model; nothing below it is looked for."""
    place = place or Place(path, "added")
    with contextlib.suppress(OSError):
        if path.is_dir():
            return _Walk(place).whole(path)
        if path.is_file():
            stat = path.stat()
            return Candidate(path, stat.st_size, stat.st_mtime_ns, place)
    return None


@dataclass
class _Walk:
    place: Place
    left: int = MOST_ENTRIES

    def __post_init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def whole(self, folder: Path) -> Candidate | None:
        """The folder as one model; None if it is none."""
        entries = self._entries(folder)
        return self._model(folder, entries) if _is_model(entries) else None

    def walk(self, folder: Path, depth: int) -> Iterator[Candidate]:
        entries = self._entries(folder)
        if _is_model(entries):
            yield self._model(folder, entries)
            return
        for entry in entries:
            suffix = _suffix(entry.name)
            wanted = suffix in SUFFIXES and (suffix != ".bin" or self.place.holds == "embedding")
            stat = _stat(entry) if wanted and entry.is_file() else None
            if stat is not None:
                yield Candidate(folder / entry.name, stat.st_size, stat.st_mtime_ns, self.place)
        for entry in entries:
            if depth < MOST_DEPTH and entry.name not in _SKIPPED and entry.is_dir():
                yield from self.walk(folder / entry.name, depth + 1)

    def _model(self, folder: Path, entries: list[os.DirEntry[str]]) -> Candidate:
        inner = [each for entry in entries if entry.is_dir() for each in self._entries(folder / entry.name)]
        stats = [stat for entry in (*entries, *inner) if entry.is_file() and (stat := _stat(entry)) is not None]
        size, newest = sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)
        return Candidate(folder, size, newest, self.place)

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """Sorted, without hidden ones; empty for a folder that was seen, or that can't be read."""
        try:
            stat = folder.stat()
            if (stat.st_dev, stat.st_ino) in self._seen and stat.st_ino:
                return []
            self._seen.add((stat.st_dev, stat.st_ino))
            with os.scandir(folder) as found:
                entries = sorted((entry for entry in found if entry.name[:1] != "."), key=lambda entry: entry.name)
        except OSError:
            return []
        self.left -= len(entries)
        return entries if self.left > 0 else []


def _is_model(entries: list[os.DirEntry[str]]) -> bool:
    """A pipeline, or a part of one with its weights' usual name: a stray config.json must not hide other files."""
    names = {entry.name for entry in entries}
    if "model_index.json" in names:
        return True
    weights = (name for name in names if name.endswith(".safetensors"))
    return "config.json" in names and any(name.startswith(("diffusion_pytorch_model", "model")) for name in weights)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - on names alone, a thousand times


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None  # a link to nothing
