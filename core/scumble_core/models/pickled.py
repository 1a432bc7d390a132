"""What a file of pickled weights (.ckpt, .pt, .pth) holds, told without unpickling it.

A pickle is a program: `pickle_reader` follows it as text, so nothing in it can ever run.
"""

import io
import zipfile
from pathlib import Path
from typing import BinaryIO

from scumble_core.models.pickle_reader import PickleReader, Storage
from scumble_core.models.tensors import BITS, LARGEST_HEAD, SNIFFED, Tensor, Tensors, broken, mistaken

MOST_DEPTH = 4
MOST_MEMBERS = 1_000_000
# How torch began its files before it used zip archives.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def read_pickled(path: Path) -> Tensors:
    """The file's tensors by name; names inside of dicts are joined by dots. Raises ScumbleError."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        head = file.read(SNIFFED)
        file.seek(0)
        if head[:2] == b"PK":
            root, storages = _read_zip(path, file, size)
        elif head[:1] in (b"\x80", b"(", b"c", b"}", b"]"):  # how pickles of any age begin
            root, storages = _read_legacy(path, file)
        else:
            broken(path, mistaken(head) or ("it is no torch file" if head else "it is empty"))
        # In a zip the weights may lie before their description; in older files they follow it, each behind its length.
        begin = 0 if head[:2] == b"PK" else file.tell() + 8 * len(storages)
    promised = begin + sum(each.count * BITS[each.dtype] // 8 for each in storages.values())
    if promised > size:
        broken(path, f"it is cut off: it would have {promised:,} bytes, and has {size:,}")
    named: dict[str, Tensor] = {}
    _collect(root, "", named, set())
    if not named:
        broken(path, "it holds no weights")
    return Tensors(named, {}, size)


def _read_zip(path: Path, file: BinaryIO, size: int) -> tuple[object, dict[str, Storage]]:
    _check_directory(path, file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            found = [each for each in archive.infolist() if each.filename.split("/", 1)[-1] == "data.pkl"]
            if len(found) != 1:
                broken(path, "it is no torch file")
            # The length in the archive's directory may lie: no more than the bound is ever unpacked.
            with archive.open(found[0]) as member:
                data = member.read(LARGEST_HEAD + 1)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, RuntimeError, OSError) as error:
        broken(path, f"its archive is damaged: {str(error)[:80]}", error)
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        broken(path, f"its archive is damaged: {type(error).__name__}", error)
    if len(data) > LARGEST_HEAD:
        broken(path, f"its list of tensors has more than {LARGEST_HEAD:,} bytes")
    reader = PickleReader(path)
    return reader.read(io.BytesIO(data)), reader.storages


def _check_directory(path: Path, file: BinaryIO, size: int) -> None:
    """Python reads an archive's whole directory into memory: bound it before it does."""
    tail = min(size, 1 << 16)
    file.seek(size - tail)
    data = file.read(tail)
    file.seek(0)
    place = data.rfind(b"PK\x05\x06")
    if place < 0 or len(data) < place + 20:
        broken(path, "it is cut off: its archive has no directory")
    length, members = int.from_bytes(data[place + 12 : place + 16], "little"), data[place + 10 : place + 12]
    wide = data.rfind(b"PK\x06\x06", 0, place)
    if wide >= 0 and len(data) >= wide + 48:
        length = int.from_bytes(data[wide + 40 : wide + 48], "little")
        members = data[wide + 32 : wide + 40]
    if length > LARGEST_HEAD or int.from_bytes(members, "little") > MOST_MEMBERS:
        broken(path, "its archive's directory is too large")


def _read_legacy(path: Path, file: BinaryIO) -> tuple[object, dict[str, Storage]]:
    """Pickles one after the other: magic number, version, system, the weights' description; then the weights."""
    bounded = _Bounded(file)
    reader = PickleReader(path)
    first = reader.read(bounded)
    if first != _LEGACY_MAGIC:
        broken(path, "it is no torch file")
    reader.read(bounded)
    reader.read(bounded)
    root = reader.read(bounded)
    if not isinstance(reader.read(bounded), list):  # the storages' keys, in the order in which the weights follow
        broken(path, "it is no torch file")
    return root, reader.storages


class _Bounded:
    """The first bytes of a file. pickletools asks for no more than read, readline and tell."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, length: int = -1) -> bytes:
        left = LARGEST_HEAD - self._file.tell()
        return self._file.read(left if length < 0 else max(0, min(length, left)))

    def readline(self) -> bytes:
        return self._file.readline(max(0, LARGEST_HEAD - self._file.tell()))

    def tell(self) -> int:
        return self._file.tell()


def _collect(value: object, name: str, named: dict[str, Tensor], seen: set[int], depth: int = 0) -> None:
    """All tensors in dicts of dicts, a few levels deep; a dict that is shared counts once."""
    if isinstance(value, Tensor):
        named[name] = value
    elif isinstance(value, dict) and depth < MOST_DEPTH and id(value) not in seen:
        seen.add(id(value))
        for key, inner in value.items():
            _collect(inner, f"{name}.{key}" if name else str(key), named, seen, depth + 1)
