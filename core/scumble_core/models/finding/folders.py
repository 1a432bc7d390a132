"""Folders that the artist has named: `folders.json` in the models folder."""

import json
import os
from pathlib import Path

from scumble_core.errors import ScumbleError

SETTINGS = "folders.json"


def added_folders(models: Path) -> tuple[Path, ...]:
    """All of them, also those that are not there now. A settings file that can't be read is an error, not empty."""
    path = models / SETTINGS
    try:
        values = json.loads(path.read_text("utf-8"))
        folders = values["folders"]
        if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
            raise ValueError("'folders' is no list of paths")
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScumbleError(
            "bad_request", f"{path} can't be read ({error}): mend it, or delete it and name your folders again."
        ) from error
    return tuple(Path(folder) for folder in folders)


def add_folder(models: Path, folder: Path) -> Path:
    """Look there from now on. Its full path."""
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ScumbleError("bad_request", f"There is no folder {folder}: give one that holds models.")
    if folder.parent == folder:
        raise ScumbleError("bad_request", f"{folder} is a whole disk: give the folder that holds models.")
    known = added_folders(models)
    if folder not in known:
        _write(models, (*known, folder))
    return folder


def remove_folder(models: Path, folder: Path) -> Path:
    """Look there no more; nothing is deleted."""
    folder = folder.expanduser().absolute()
    known = added_folders(models)
    if folder not in known:
        named = ", ".join(map(str, known)) or "none so far"
        raise ScumbleError("bad_request", f"{folder} is no folder that was added: those are {named}.")
    _write(models, tuple(each for each in known if each != folder))
    return folder


def _write(models: Path, folders: tuple[Path, ...]) -> None:
    models.mkdir(parents=True, exist_ok=True)
    side = models / f"{SETTINGS}.{os.getpid()}"
    side.write_text(json.dumps({"folders": [str(folder) for folder in folders]}, indent=2) + "\n", "utf-8")
    side.replace(models / SETTINGS)
