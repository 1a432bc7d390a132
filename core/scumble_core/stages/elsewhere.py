"""Where else a task's outcome may lie: in the folders of other jobs, which the journal's table of tasks names by key.

The core says with `look_up` where both are; the worker reads the table beside it. A row is a hint and no more: the file
with its checksum says whether the outcome is there.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = "elsewhere.json"
MOST_HOLDERS = 20
_BUSY_SECONDS = 1.0


@dataclass(frozen=True)
class Elsewhere:
    """`journal`: the SQLite file; `jobs`: the folder of the job folders."""

    journal: Path
    jobs: Path

    def holders(self, key: str) -> Iterator[Path]:
        """Files that may hold this task's outcome. None where the journal can't be read: it is then done anew."""
        try:
            connection = sqlite3.connect(f"{self.journal.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
            try:
                query = "SELECT job FROM tasks WHERE key = ? LIMIT ?"
                jobs = [str(job) for (job,) in connection.execute(query, (key, MOST_HOLDERS))]
            finally:
                connection.close()
        except sqlite3.Error:
            return
        for job in jobs:
            yield self.jobs / job / "tiles" / f"{key}.npy"


def look_up(folder: Path, elsewhere: Elsewhere) -> None:
    """Have the store in this folder, which need not exist yet, ask there too. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {"journal": str(elsewhere.journal.absolute()), "jobs": str(elsewhere.jobs.absolute())}
    (folder / ELSEWHERE).write_text(json.dumps(places), encoding="utf-8")


def elsewhere_of(folder: Path) -> Elsewhere | None:
    """What `look_up` said of this folder."""
    try:
        places = json.loads((folder / ELSEWHERE).read_text(encoding="utf-8"))
        return Elsewhere(Path(places["journal"]), Path(places["jobs"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
