"""The bytes of ICC profiles, of which libkis tells the names alone."""

import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from krita import InfoObject, Krita

from scumble.host.contract import Steps
from scumble.host.krita.colour import SRGB, SRGB_NAMES, Space
from scumble.host.krita.icc import grey_as_rgb, names
from scumble.qt import QtCore

# Greys with sRGB's own curve: as RGB they are sRGB.
SRGB_GREYS = frozenset({"Gray-D50-elle-V2-srgbtrc.icc", "Gray-D50-elle-V4-srgbtrc.icc"})
SUFFIXES = frozenset({".icc", ".icm"})
# Files that are looked at in one step.
FILES_A_STEP = 8
# No profile that a picture should carry is larger; those of printers have some megabytes.
MOST_BYTES = 16 * 1024 * 1024


class Profiles:
    """Finds each profile once, and remembers it."""

    def __init__(self) -> None:
        self._found: dict[Space, bytes] = {}
        self._files: dict[str, Path] | None = None
        self._given: dict[bytes, str] = {}

    def known(self) -> "frozenset[str]":
        """The names of the RGB profiles that Krita can convert to."""
        return frozenset(Krita.instance().profiles("RGBA", "U16"))

    def travelling(self, space: Space) -> "Steps[bytes | None]":
        """The profile for pixels of an RGBA or grey space as they travel: nothing for sRGB, None when there is none."""
        if space.profile in (SRGB_NAMES if space.model == "RGBA" else SRGB_GREYS):
            return b""
        data = yield from self.find(space)
        if space.model == "GRAYA":
            data = grey_as_rgb(data)
        return data or None

    def find(self, space: Space) -> "Steps[bytes]":
        """The profile's own bytes, from its file, or out of a small document of Krita's; nothing when both fail."""
        key = Space(space.model, "", space.profile)
        if key not in self._found:
            if self._files is None:
                self._files = yield from _index()
            data = _read(self._files.get(space.profile))
            if not data:
                data = yield from _exported(space)
            if not data:
                return b""
            self._found[key] = data
        return self._found[key]

    def name_of(self, data: bytes) -> str:
        """The name by which Krita knows a profile that came with pixels; it is handed to Krita when it is new there."""
        if not data:
            return SRGB
        if data not in self._given:
            known = self.known()
            called = names(data)
            name = next((name for name in called if name in known), "")
            if not name and called:
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder, "scumble.icc")
                    path.write_bytes(data)
                    Krita.instance().addProfile(str(path))
                known = self.known()
                name = next((name for name in called if name in known), "")
            self._given[data] = name or SRGB
        return self._given[data]


def _read(path: "Path | None") -> bytes:
    try:
        return b"" if path is None or path.stat().st_size > MOST_BYTES else path.read_bytes()
    except OSError:
        return b""


def _index() -> "Steps[dict[str, Path]]":
    """Where the profile of each name lies."""
    found: dict[str, Path] = {}
    for number, path in enumerate(_files()):
        for name in (*names(_read(path)), path.name):
            found.setdefault(name, path)
        if number % FILES_A_STEP == 0:
            yield
    return found


def _files() -> "Iterator[Path]":
    for folder in _folders():
        for parent, _folders_in, files in os.walk(folder):
            for name in sorted(files):
                if Path(name).suffix.lower() in SUFFIXES:
                    yield Path(parent, name)


def _folders() -> "Iterator[Path]":
    """Where Krita and the systems keep profiles; those that aren't there are empty."""
    paths = QtCore.QStandardPaths
    yield Path(Krita.instance().getAppDataLocation(), "color", "icc")
    program = Path(QtCore.QCoreApplication.applicationDirPath())
    yield program.parent / "share" / "color" / "icc"
    yield program.parent / "Resources" / "color" / "icc"
    for place in paths.standardLocations(paths.StandardLocation.GenericDataLocation):
        yield Path(place, "color", "icc")
        yield Path(place, "icc")
    yield Path.home() / ".color" / "icc"
    for base in (Path.home(), Path("/"), Path("/System")):
        yield base / "Library" / "ColorSync" / "Profiles"
    windows = os.environ.get("SYSTEMROOT", "")
    if windows:
        yield Path(windows, "System32", "spool", "drivers", "color")


def _exported(space: Space) -> "Steps[bytes]":
    """The profile out of a .kra file of one pixel. Embedded profiles of opened pictures are had in no other way."""
    document = Krita.instance().createDocument(1, 1, "Scumble", space.model, space.depth, space.profile, 72.0)
    if document is None:
        return b""
    try:
        document.setBatchmode(True)
        if document.colorProfile() != space.profile:
            return b""
        yield
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "scumble.kra")
            document.exportImage(str(path), InfoObject())
            yield
            with zipfile.ZipFile(path) as archive:
                inside = [name for name in archive.namelist() if name.endswith("annotations/icc")]
                return archive.read(inside[0]) if inside else b""
    except (OSError, zipfile.BadZipFile, KeyError):
        return b""
    finally:
        document.setModified(False)
        document.close()
