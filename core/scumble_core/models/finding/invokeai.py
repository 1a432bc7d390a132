"""InvokeAI: `models/` below its root, and models that its database knows elsewhere.

Facts: its documentation of configurable directories; table `models` of databases/invokeai.db, whose paths are absolute
or relative to the models folder.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from scumble_core.models.finding.places import Place

DATABASE = "databases/invokeai.db"
MOST_ROWS = 100_000


def is_invokeai(folder: Path) -> bool:
    return (folder / "invokeai.yaml").is_file() or (folder / DATABASE).is_file()


def invokeai_places(root: Path) -> Iterator[Place]:
    """The models' folder, then each model that lies elsewhere."""
    models = _models_folder(root)
    yield Place(models, "invokeai")
    for text in _paths(root / DATABASE):
        path = models / text
        if not path.is_relative_to(models):
            yield Place(path, "invokeai")


def _models_folder(root: Path) -> Path:
    import yaml  # type: ignore[import-untyped]

    with contextlib.suppress(OSError, ValueError, RecursionError, yaml.YAMLError):
        values = yaml.safe_load((root / "invokeai.yaml").read_text("utf-8"))
        if isinstance(values, dict) and isinstance(values.get("models_dir"), str):
            return root / Path(values["models_dir"]).expanduser()
    return root / "models"


def _paths(database: Path) -> list[str]:
    """Read beside a running InvokeAI, and never written."""
    if not database.is_file():
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT path FROM models LIMIT ?", (MOST_ROWS,)).fetchall()
    except sqlite3.Error:
        return []
    return [path for (path,) in rows if isinstance(path, str) and path]
