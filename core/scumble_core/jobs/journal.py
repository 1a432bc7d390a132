"""The journal of all jobs, in SQLite: what makes jobs outlive the core.

One row a job; a row is written in one transaction and synced before anybody is told of it. The front door is the only
writer while it runs; the command line reads beside it (WAL lets it).
"""

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import TypeVar

from scumble_core.errors import ScumbleError
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.tasks import Task
from scumble_core.picture.geometry import Bounds

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
    (
        "CREATE TABLE tasks (job TEXT NOT NULL, stage TEXT NOT NULL, key TEXT NOT NULL, x INTEGER NOT NULL, "
        "y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, seconds REAL NOT NULL, "
        "source TEXT NOT NULL, PRIMARY KEY (job, key)) WITHOUT ROWID",
        "CREATE INDEX tasks_by_key ON tasks (key)",
    ),
)
VERSION = len(_MIGRATIONS)
_NAMES = tuple(each.name for each in fields(Entry))
_PUT_TASK = (
    "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, key) DO UPDATE SET "
    "stage = excluded.stage, x = excluded.x, y = excluded.y, width = excluded.width, height = excluded.height, "
    "seconds = CASE excluded.source WHEN 'done' THEN excluded.seconds ELSE seconds END, source = excluded.source"
)
_JSON = frozenset({"request", "source", "result", "error"})

T = TypeVar("T")

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
            connection.execute("DELETE FROM tasks WHERE job = ?", (job,))

    def note(self, tasks: Sequence[Task]) -> None:
        """Write these tasks' rows, new or anew, at once. What a task took stays when it is only found again.

        Raises ScumbleError.
        """
        rows = [(task.job, task.stage, task.key, *astuple(task.bounds), task.seconds, task.source) for task in tasks]
        with self._writing() as connection:
            connection.executemany(_PUT_TASK, rows)

    def tasks(self, job: str) -> list[Task]:
        """All that a job has finished, from the top."""
        query = "SELECT stage, key, x, y, width, height, seconds, source FROM tasks WHERE job = ? ORDER BY y, x"
        rows = self._connection.execute(query, (job,)).fetchall()
        return [Task(job, stage, key, Bounds(*box), seconds, how) for stage, key, *box, seconds, how in rows]

    def jobs_with_tasks(self) -> set[str]:
        return {job for (job,) in self._connection.execute("SELECT DISTINCT job FROM tasks")}

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
    return _read(path, Journal.entries)


def read_tasks(path: Path, job: str) -> list[Task]:
    """What a job has finished, from beside a running core as well. Raises ScumbleError."""
    return _read(path, lambda journal: journal.tasks(job))


def _read(path: Path, what: Callable[[Journal], list[T]]) -> list[T]:
    if not path.exists():
        return []
    try:
        connection = _opened(path)
        try:
            return what(Journal(connection, path))
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
        connection.execute("SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM tasks)").fetchone()
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
