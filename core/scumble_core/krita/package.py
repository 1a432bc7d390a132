"""The plugin's files as Krita wants them: a manifest, the actions, and one folder with all that the plugin imports.

Krita's importer finds `scumble.desktop` and `scumble.action` at the top of the archive and puts them into `pykrita/`
and `actions/`; of the rest it takes the folder named in the manifest, and nothing else.
"""

import re
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from scumble_core.errors import ScumbleError
from scumble_core.picture.storage import write_failed
from scumble_core.version import installed_version

PLUGIN = "scumble"
MANIFEST = f"{PLUGIN}.desktop"
ACTIONS = f"{PLUGIN}.action"
_BRIDGE = PurePosixPath(PLUGIN, "_bundled", "scumble_bridge")
# The plugin compares it with the core's own, and says so when they differ.
_VERSION = PurePosixPath(PLUGIN, "version.txt")
_MANUAL = PurePosixPath(PLUGIN, "Manual.html")
_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
# "manual" holds the manual's pictures.
_LEFT_OUT = frozenset({"__pycache__", "_bundled", "manual", ACTIONS})
# Translators' files: the plugin reads the compiled ones.
_NOT_FOR_ARTISTS = frozenset({".po", ".pot"})


def plugin_files() -> Iterator[tuple[PurePosixPath, bytes]]:
    """(place within the archive, content) for all of the plugin; the bridge is bundled into it."""
    folder = _folder_of(PLUGIN)
    yield PurePosixPath(MANIFEST), _manifest().read_bytes()
    yield PurePosixPath(ACTIONS), (folder / ACTIONS).read_bytes()
    for place, file in (*_files_of(PLUGIN, PurePosixPath(PLUGIN)), *_files_of("scumble_bridge", _BRIDGE)):
        yield place, _with_pictures(file) if place == _MANUAL else file.read_bytes()
    yield _VERSION, installed_version().encode("ascii")


def build_zip(path: Path) -> None:
    """Write the archive for Krita's own importer, which wants an entry for the folder itself."""
    side = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(side, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(f"{PLUGIN}/"), "")
            for place, content in plugin_files():
                _add(archive, str(place), content)
        side.replace(path)
    except OSError as error:
        side.unlink(missing_ok=True)
        raise write_failed(path, error) from error


def _with_pictures(manual: Path) -> bytes:
    """Krita shows the page without knowing where it lies, so no picture beside it would be found: they go into it."""

    def inlined(found: re.Match[str]) -> str:
        picture = manual.parent / found[1]
        if not picture.is_file():
            return found[0]  # the plugin works without it
        return f'src="data:{_TYPES[picture.suffix]};base64,{b64encode(picture.read_bytes()).decode("ascii")}"'

    return re.sub(r'src="(manual/[^"]+)"', inlined, manual.read_text("utf-8")).encode("utf-8")


def _add(archive: zipfile.ZipFile, place: str, content: bytes) -> None:
    """Without the time and the owner: the same files make the same archive."""
    entry = zipfile.ZipInfo(place)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def _files_of(package: str, place: PurePosixPath) -> Iterator[tuple[PurePosixPath, Path]]:
    folder = _folder_of(package)
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if file.is_file() and not _LEFT_OUT.intersection(inside.parts) and file.suffix not in _NOT_FOR_ARTISTS:
            yield place / inside.as_posix(), file


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ScumbleError("internal", f"The package {package} is missing: install Scumble again.")
    return Path(next(iter(spec.submodule_search_locations)))


def _manifest() -> Path:
    """In a wheel the manifest lies beside this file, in a checkout at the top."""
    here = Path(__file__).parent
    for place in (here / "manifest.desktop", here.parents[2] / "manifest.desktop"):
        if place.exists():
            return place
    raise ScumbleError("internal", "The plugin's manifest is missing: install Scumble again.")
