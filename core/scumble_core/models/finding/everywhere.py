"""All places on this machine, by the programs' usual folders and environment variables; never a whole disk."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from scumble_core.models.finding.a1111 import a1111_places, is_a1111
from scumble_core.models.finding.comfyui import comfyui_places, extra_places, is_comfyui
from scumble_core.models.finding.folders import added_folders
from scumble_core.models.finding.hub import hub_cache, hub_places, is_hub_cache
from scumble_core.models.finding.invokeai import invokeai_places, is_invokeai
from scumble_core.models.finding.places import Place, existing

# Folders besides those of `folders.json`, separated as in PATH.
VARIABLE = "SCUMBLE_MODELS"
_COMFYUI = ("ComfyUI", "comfyui", "Documents/ComfyUI", "ComfyUI_windows_portable/ComfyUI", "comfy/ComfyUI")
_A1111 = (
    "stable-diffusion-webui", "stable-diffusion-webui-forge", "stable-diffusion-webui-reForge", "forge", "sd-webui",
    "webui_forge_cu121_torch231/webui",
)  # fmt: skip


def all_places(
    models: Path, environment: Mapping[str, str] | None = None, home: Path | None = None, platform: str = sys.platform
) -> list[Place]:
    """Our own models folder, then those that were added, then other programs'. Only those that are there."""
    environment, home = os.environ if environment is None else environment, home or Path.home()
    return existing(_places(models, environment, home, platform))


def _places(models: Path, environment: Mapping[str, str], home: Path, platform: str) -> Iterator[Place]:
    yield Place(models / "upscalers", "scumble", "upscaler")
    yield Place(models, "scumble")
    named = [Path(part).expanduser() for part in environment.get(VARIABLE, "").split(os.pathsep) if part]
    for folder in (*added_folders(models), *named):
        yield from places_of(folder)
    for root in _roots(environment.get("COMFYUI_PATH"), home, _COMFYUI, platform):
        if is_comfyui(root):
            yield from comfyui_places(root)
    for listing in _desktop_listings(home, environment, platform):
        yield from extra_places(listing)
    for root in _roots(None, home, _A1111, platform):
        if is_a1111(root):
            yield from a1111_places(root)
    for root in _roots(environment.get("INVOKEAI_ROOT"), home, ("invokeai", "InvokeAI"), platform):
        if is_invokeai(root):
            yield from invokeai_places(root)
    yield from hub_places(hub_cache(environment, home))


def places_of(folder: Path) -> Iterable[Place]:
    """A folder that somebody named: another program's, the hub's cache, or any folder with models."""
    found = [
        place
        for is_it, places in (
            (is_comfyui, comfyui_places), (is_a1111, a1111_places), (is_invokeai, invokeai_places),
            (is_hub_cache, hub_places),
        )
        if is_it(folder)
        for place in places(folder)
    ]  # fmt: skip
    return found or [Place(folder, "added")]


def _roots(named: str | None, home: Path, names: Iterable[str], platform: str) -> Iterator[Path]:
    if named:
        yield Path(named).expanduser()
    bases = [home]
    if platform == "win32":
        bases += [Path("C:/"), Path("D:/")]
    elif platform == "darwin":
        bases.append(home / "Applications")
    for base in bases:
        for name in names:
            yield base / name


def _desktop_listings(home: Path, environment: Mapping[str, str], platform: str) -> Iterator[Path]:
    """ComfyUI Desktop's own lists."""
    if platform == "win32":
        settings = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    elif platform == "darwin":
        settings = home / "Library" / "Application Support"
    else:
        settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    yield settings / "ComfyUI" / "extra_models_config.yaml"
    yield settings / "Comfy Desktop" / "shared_model_paths.yaml"
