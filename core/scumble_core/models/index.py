"""The index of all models that were found: SQLite in the models folder, so that nothing is looked into twice.

A row stands for a file (or a folder in diffusers' layout) as it was: path, bytes, time of the last change. As long as
these are the same, what was detected stays, and so do the hash of its content and its identity.
"""

import contextlib
import json
import logging
import shutil
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found, detect
from scumble_core.models.finding import Candidate, Place, candidate_at, candidates

NAME = "index.sqlite"
BUSY_SECONDS = 5.0
# What SQLite needs beside the index to read it.
LEAST_BYTES = 64 * 1024
# Raised whenever detection learns something: rows of older versions are detected anew.
DETECTION = 2
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS models (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, "
    "program TEXT NOT NULL, holds TEXT NOT NULL, detection INTEGER NOT NULL, found TEXT, problem TEXT, "
    "there INTEGER NOT NULL DEFAULT 1, asked INTEGER NOT NULL DEFAULT 0, hash TEXT, identity TEXT, "
    "used INTEGER NOT NULL DEFAULT 0)"
)
_VERSION = 2
# From the version before: rows stay, as finished work goes by their identities.
_SINCE_1 = "ALTER TABLE models ADD COLUMN used INTEGER NOT NULL DEFAULT 0"
# What is known of the content stays while the file does; a newer detection starts from nothing else.
_PUT = (
    "INSERT INTO models (path, size, mtime_ns, program, holds, detection, found, problem) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET "
    "hash = CASE WHEN size = excluded.size AND mtime_ns = excluded.mtime_ns THEN hash END, "
    "identity = CASE WHEN size = excluded.size AND mtime_ns = excluded.mtime_ns THEN identity END, "
    "size = excluded.size, mtime_ns = excluded.mtime_ns, program = excluded.program, holds = excluded.holds, "
    "detection = excluded.detection, found = excluded.found, problem = excluded.problem, there = 1, asked = 0"
)
_COLUMNS = "path, size, mtime_ns, program, holds, found, problem, asked, hash, used"

_log = logging.getLogger("scumble.models")


@dataclass(frozen=True)
class Entry:
    """A row. `found` is None where `problem` says why; `asked`: whether spandrel has looked at it; `hash`: sha256;
    `used`: when a job last asked for it, in seconds since 1970, 0 for never.
    """

    path: str
    size: int
    mtime_ns: int
    program: str
    holds: str
    found: Found | None
    problem: str
    asked: bool
    hash: str
    used: int = 0


@dataclass(frozen=True)
class Refreshed:
    """What a look at all places changed. `left`: new files that there was no time for."""

    detected: int = 0
    kept: int = 0
    gone: int = 0
    left: int = 0


class ModelIndex:
    """The open index; one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, models: Path) -> "ModelIndex":
        """The index in the models folder, made if it isn't there. One that is damaged is made anew: it's a cache."""
        path = models / NAME
        try:
            return cls(_opened(path))
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise _not_opened(path, error) from error
            _log.warning("%s is damaged (%s) and made anew.", path, error)
            for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                (models / name).unlink(missing_ok=True)
        return cls(_opened(path))

    def __enter__(self) -> "ModelIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def refresh(self, places: Iterable[Place], seconds: float | None = None, only: bool = False) -> Refreshed:
        """Look at all places: detect what is new or changed, forget what is gone.

        `seconds`: how long new files are looked into at most; `only`: these are not all places, so that what lies
        elsewhere is not gone.
        """
        places = list(places)
        end = None if seconds is None else time.monotonic() + seconds
        rows = self._connection.execute("SELECT path, size, mtime_ns, detection, there FROM models").fetchall()
        known = {row[0]: row[1:4] for row in rows}
        there = {row[0] for row in rows if row[4]}
        seen: set[str] = set()
        detected = left = 0
        for place in places:
            for candidate in candidates(place):
                path = str(candidate.path)
                if path in seen:
                    continue
                seen.add(path)
                if known.get(path) == (candidate.size, candidate.mtime_ns, DETECTION):
                    continue
                if end is not None and time.monotonic() > end:
                    left += 1
                    continue
                self._detect(candidate)
                detected += 1
        gone = [path for path in there if path not in seen and (not only or _below(path, places))]
        # A drive may come back: what was learnt of its files stays.
        changes = [(0, path) for path in gone] + [(1, path) for path in seen - there if path in known]
        if changes:
            with self._connection as connection:
                connection.executemany("UPDATE models SET there = ? WHERE path = ?", changes)
        return Refreshed(detected, len(seen) - detected - left, len(gone), left)

    def entries(self) -> list[Entry]:
        """All that are there, by path."""
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM models WHERE there = 1 ORDER BY path")
        return [entry for row in rows if (entry := _entry(row)) is not None]

    def entry(self, path: Path) -> Entry | None:
        """The row of this path, if the file is still as it was then."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM models WHERE path = ?", (str(path),)).fetchone()
        entry = None if row is None else _entry(row)
        now = measure(path)
        return entry if entry is not None and (entry.size, entry.mtime_ns) == now else None

    def look(self, path: Path) -> Entry:
        """The row of this path, made now if there is none that fits. Raises ScumbleError if nothing is there."""
        entry = self.entry(path)
        if entry is None:
            candidate = candidate_at(path)
            if candidate is None:
                raise ScumbleError("unknown_model", f"There is no model at {path}: choose another model.")
            self._detect(candidate)
            entry = self.entry(path)
        if entry is None:
            raise ScumbleError("unknown_model", f"{path} changes while it is read: try again when it is written.")
        return entry

    def note_hash(self, entry: Entry, digest: str) -> None:
        """Keep a content's hash, unless the file has changed in the meantime."""
        with self._connection as connection:
            connection.execute(
                "UPDATE models SET hash = ? WHERE path = ? AND size = ? AND mtime_ns = ?",
                (digest, entry.path, entry.size, entry.mtime_ns),
            )

    def note_found(self, entry: Entry, found: Found | None) -> None:
        """Keep what spandrel said of a file; None: that it doesn't know it."""
        with self._connection as connection:
            connection.execute(
                "UPDATE models SET asked = 1, found = COALESCE(?, found) WHERE path = ? AND size = ? AND mtime_ns = ?",
                (None if found is None else json.dumps(found.to_dict()), entry.path, entry.size, entry.mtime_ns),
            )

    def identity(self, path: Path, otherwise: str) -> str:
        """What tells this model from all others: its content's hash, or `otherwise` where that isn't known yet.

        The first answer stays for as long as the file does, so that finished work is found again: a hash that becomes
        known later must not change the keys of tiles that are there. Only jobs ask, so that this notes a use.
        """
        now = measure(path)
        if now is None:
            return otherwise
        self.look(path)
        where = (str(path), *now)
        with self._connection as connection:
            connection.execute(
                "UPDATE models SET identity = COALESCE(identity, 'sha256 ' || hash, ?), used = ? "
                "WHERE path = ? AND size = ? AND mtime_ns = ?",
                (otherwise, int(time.time()), *where),
            )
            row = connection.execute(
                "SELECT identity FROM models WHERE path = ? AND size = ? AND mtime_ns = ?", where
            ).fetchone()
        return otherwise if row is None else str(row[0])

    def _detect(self, candidate: Candidate) -> None:
        found, problem = None, ""
        try:
            found = json.dumps(detect(candidate.path).to_dict())
        except ScumbleError as error:
            problem = error.message
        except Exception as error:  # a file from anywhere must not end the search for all others
            _log.exception("Detection failed on %s.", candidate.path)
            problem = f"{candidate.path} can't be understood ({type(error).__name__}): choose another model."
        place = candidate.place
        with self._connection as connection:
            connection.execute(
                _PUT,
                (
                    str(candidate.path), candidate.size, candidate.mtime_ns, place.program, place.holds, DETECTION,
                    found, problem,
                ),
            )  # fmt: skip


def measure(path: Path) -> tuple[int, int] | None:
    """Bytes and time of the last change, as candidates has them; None if nothing is there that may be a model."""
    found = candidate_at(path)
    return None if found is None else (found.size, found.mtime_ns)


def read_entries(models: Path) -> list[Entry]:
    """All rows of the index, if there is one."""
    if not (models / NAME).exists():
        return []
    with ModelIndex.open(models) as index:
        return index.entries()


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    with contextlib.ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if (
            _version(connection) != _VERSION
        ):  # to look only must write nothing: it would wait for the disk, behind pictures
            connection.execute("BEGIN IMMEDIATE")
            version = _version(connection)  # another process may have been first
            if version == 1:
                connection.execute(_SINCE_1)
            elif version not in (0, _VERSION):
                connection.execute("DROP TABLE IF EXISTS models")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.commit()
        stack.pop_all()
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _not_opened(path: Path, error: sqlite3.OperationalError) -> ScumbleError:
    """Of a full disk SQLite says no more than that it could not be read or written."""
    if path.parent.is_dir() and shutil.disk_usage(path.parent).free < LEAST_BYTES:
        return ScumbleError("disk_full", f"The disk is full at {path.parent}: free some room there and try again.")
    return ScumbleError("internal", f"{path} can't be opened ({error}): try again.")


def _entry(row: tuple[object, ...]) -> Entry | None:
    path, size, mtime_ns, program, holds, found, problem, asked, digest, used = row
    try:
        seen = None if found is None else Found.from_dict(json.loads(str(found)))
    except (ValueError, KeyError, TypeError):
        return None  # of another version: the next refresh detects it anew
    return Entry(
        str(path), int(str(size)), int(str(mtime_ns)), str(program), str(holds), seen, str(problem or ""), bool(asked),
        str(digest or ""), int(str(used)),
    )  # fmt: skip


def _below(path: str, places: Iterable[Place]) -> bool:
    return any(Path(path).is_relative_to(place.folder) for place in places)
