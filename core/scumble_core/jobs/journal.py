"""The journal of all jobs, in SQLite: what makes jobs outlive the core.

One row a job; a row is written in one transaction and synced before anybody is told of it. The front door is the only
writer while it runs; the command line reads beside it (WAL lets it).
"""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.jobs.entry import Entry

BUSY_SECONDS = 5.0
# What leads from each version to the next; only ever added to.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, state TEXT NOT NULL, request TEXT NOT NULL, "
        "source TEXT NOT NULL, owner TEXT NOT NULL, priority INTEGER NOT NULL, number INTEGER NOT NULL, "
        "created REAL NOT NULL, updated REAL NOT NULL, used REAL NOT NULL, result TEXT, error TEXT, "
        "fetched INTEGER NOT NULL)",
    ),
    ("ALTER TABLE jobs ADD COLUMN title TEXT NOT NULL DEFAULT ''",),
)
VERSION = len(_MIGRATIONS)
_NAMES = tuple(each.name for each in fields(Entry))
_JSON = frozenset({"request", "source", "result", "error"})

_log = logging.getLogger("scumble.journal")


class Journal:
    """The open file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """The journal, made if it isn't there. A damaged one, or a newer Scumble's, is put aside for a new one."""
        try:
            return cls(_opened(path), path)
        except (sqlite3.DatabaseError, ScumbleError) as error:
            aside = _put_aside(path)
            _log.error("%s can't be used (%s): it was put aside as %s, and a new one is begun.", path, error, aside)
        return cls(_opened(path), path)

    def close(self) -> None:
        self._connection.close()

    def put(self, entry: Entry) -> None:
        """Write the job's row, new or anew. Raises ScumbleError."""
        values = entry.to_dict()
        row = [json.dumps(values[name]) if name in _JSON else values[name] for name in _NAMES]
        marks = ", ".join("?" * len(row))
        with self._writing() as connection:
            connection.execute(f"INSERT OR REPLACE INTO jobs ({', '.join(_NAMES)}) VALUES ({marks})", row)

    def remove(self, job: str) -> None:
        """Forget a job. Raises ScumbleError."""
        with self._writing() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (job,))

    def entries(self) -> list[Entry]:
        """All jobs in the order in which they came. A row that makes no sense is left out with a line in the log."""
        rows = self._connection.execute(f"SELECT {', '.join(_NAMES)} FROM jobs ORDER BY number").fetchall()
        return [entry for row in rows if (entry := _entry(row)) is not None]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._connection:
                yield self._connection
        except sqlite3.Error as error:
            full = "full" in str(error)
            raise ScumbleError(
                "disk_full" if full else "internal",
                f"The journal {self._path} can't be written ({error}): "
                + ("free some room on its disk." if full else "see to that file."),
            ) from error


def read_entries(path: Path) -> list[Entry]:
    """What the journal holds, from beside a running core as well. Raises ScumbleError."""
    if not path.exists():
        return []
    try:
        connection = _opened(path)
        try:
            return Journal(connection, path).entries()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ScumbleError(
            "internal", f"The journal {path} can't be read ({error}): the next core renews it."
        ) from error


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise ScumbleError("internal", f"It is of version {version}; this Scumble knows {VERSION}")
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection)
        connection.execute("SELECT count(*) FROM jobs").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """To this version, in one transaction: also where two processes open the file at once, or one is killed amid it."""
    if connection.execute("PRAGMA user_version").fetchone() == (VERSION,):
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statement in (each for step in _MIGRATIONS[version:] for each in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _put_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.damaged")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


def _entry(row: tuple[object, ...]) -> Entry | None:
    values = dict(zip(_NAMES, row, strict=True))
    try:
        read = {name: json.loads(str(value)) if name in _JSON else value for name, value in values.items()}
        return Entry.from_dict({**read, "fetched": bool(values["fetched"])})
    except (ValueError, ScumbleError) as error:
        _log.error("The journal's row of job %s makes no sense: %s", values["id"], error)
        return None
