"""Where Krita keeps its resources and settings."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KritaFolders:
    """`plugins` holds Python plugins, `actions` their actions; `settings` is the file `kritarc`."""

    plugins: Path
    actions: Path
    settings: Path


def krita_folders(resources: Path | None = None) -> KritaFolders:
    """The usual places of this platform; `resources` overrules the resource folder."""
    home = Path.home()
    if sys.platform == "win32":
        roaming = Path(os.environ.get("APPDATA", home / "AppData/Roaming"))
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        usual, settings = roaming / "krita", local / "kritarc"
    elif sys.platform == "darwin":
        usual = home / "Library/Application Support/krita"
        settings = home / "Library/Preferences/kritarc"
    else:
        usual = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "krita"
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kritarc"
    folder = resources or usual
    return KritaFolders(folder / "pykrita", folder / "actions", settings)
