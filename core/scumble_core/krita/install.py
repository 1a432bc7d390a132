"""Install the plugin into the user's Krita: files, actions, the switch in kritarc, how to start this core."""

import shutil
from pathlib import Path

from scumble_bridge.places import data_folder, write_core_command
from scumble_core.jobs.command import CORE
from scumble_core.krita.package import ACTIONS, MANIFEST, PLUGIN, plugin_files
from scumble_core.krita.places import krita_folders
from scumble_core.picture.storage import write_failed

_SECTION, _SWITCH = "[python]", f"enable_{PLUGIN}"


def install(resources: Path | None = None) -> Path:
    """Copy the plugin and switch it on. Running it again updates it. Gives the plugin's folder."""
    folders = krita_folders(resources)
    target = folders.plugins / PLUGIN
    fresh = folders.plugins / f".{PLUGIN}.new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        for place, content in plugin_files():
            copy = fresh / place
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        shutil.rmtree(target, ignore_errors=True)
        (fresh / PLUGIN).rename(target)
        (fresh / MANIFEST).replace(folders.plugins / MANIFEST)
        folders.actions.mkdir(parents=True, exist_ok=True)
        (fresh / ACTIONS).replace(folders.actions / ACTIONS)
        shutil.rmtree(fresh)
        _edit(folders.settings, switched(_read(folders.settings), "true"))
    except OSError as error:
        raise write_failed(target, error) from error
    write_core_command(data_folder(), CORE)
    return target


def uninstall(resources: Path | None = None) -> Path | None:
    """Remove what `install` put there, and nothing else; None when there was nothing."""
    folders = krita_folders(resources)
    target = folders.plugins / PLUGIN
    if not target.exists():
        return None
    try:
        shutil.rmtree(target)
        (folders.plugins / MANIFEST).unlink(missing_ok=True)
        (folders.actions / ACTIONS).unlink(missing_ok=True)
        _edit(folders.settings, switched(_read(folders.settings), None))
    except OSError as error:
        raise write_failed(target, error) from error
    return target


def switched(settings: str, value: str | None) -> str:
    """kritarc's text with the plugin's switch set, or taken out; every other line stays as it is."""
    lines = [line for line in settings.splitlines() if not line.startswith(f"{_SWITCH}=")]
    if value is None:
        return _joined(lines)
    if _SECTION not in lines:
        lines += ["", _SECTION] if lines else [_SECTION]
    lines.insert(lines.index(_SECTION) + 1, f"{_SWITCH}={value}")
    return _joined(lines)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n" if lines else ""


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _edit(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    side = path.with_name(f".{path.name}.scumble")
    side.write_text(text, "utf-8")
    side.replace(path)
