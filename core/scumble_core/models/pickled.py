"""What a file of pickled weights (.ckpt, .pt, .pth) holds, told without unpickling it.

A pickle is a program. Here it is read as text: a small interpreter of our own follows those instructions that describe
plain weights, and refuses the file at the first that names anything else, so nothing in it can ever run. What torch's
own restricted reader takes (`torch.load(weights_only=True)`) is taken here.
"""

import io
import pickletools
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from scumble_core.errors import ScumbleError
from scumble_core.models.tensors import BITS, LARGEST_HEAD, MOST_AXES, Tensor, Tensors, broken

MOST_INSTRUCTIONS = 3_000_000
MOST_DEPTH = 4
MOST_MEMBERS = 1_000_000
# How torch began its files before it used zip archives.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES: Mapping[str, str] = {
    "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16", "DoubleStorage": "F64",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL", "UntypedStorage": "U8",
}  # fmt: skip
_DTYPES: Mapping[str, str] = {
    "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
_PLAIN = frozenset({
    "collections.OrderedDict", "collections.Counter", "torch.Size", "torch.device", "torch.Tensor", "_codecs.encode",
    "torch.nn.parameter.Parameter", "builtins.set", "builtins.bytearray", "builtins.complex", "__builtin__.set",
    "__builtin__.bytearray", "__builtin__.complex", "torch.serialization._get_layout",
})  # fmt: skip
_TENSORS = frozenset({"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"})
_PARAMETERS = frozenset({"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"})


@dataclass(frozen=True)
class _Global:
    """A name that the pickle wants; it is never looked up."""

    name: str


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    count: int


class _Opaque:
    """A value that doesn't matter to us."""


class _Mark:
    """Where the arguments of an instruction begin."""


_OPAQUE = _Opaque()


def read_pickled(path: Path) -> Tensors:
    """The file's tensors by name; names inside of dicts are joined by dots. Raises ScumbleError."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        head = file.read(4)
        file.seek(0)
        if head[:2] == b"PK":
            root, storages = _read_zip(path, file, size)
        elif head[:1] in (b"\x80", b"(", b"c", b"}", b"]"):  # how pickles of any age begin
            root, storages = _read_legacy(path, file)
        else:
            broken(path, "it is no torch file" if head else "it is empty")
        # In a zip the weights may lie before their description; in older files they follow it.
        begin = 0 if head[:2] == b"PK" else file.tell()
    promised = begin + sum(each.count * BITS[each.dtype] // 8 for each in storages.values())
    if promised > size:
        broken(path, f"it is cut off: it would have {promised:,} bytes, and has {size:,}")
    named: dict[str, Tensor] = {}
    _collect(root, "", named, set())
    if not named:
        broken(path, "it holds no weights")
    return Tensors(named, {}, size)


def _read_zip(path: Path, file: BinaryIO, size: int) -> tuple[object, dict[str, _Storage]]:
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
    reader = _Reader(path)
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


def _read_legacy(path: Path, file: BinaryIO) -> tuple[object, dict[str, _Storage]]:
    """Pickles one after the other: magic number, version, system, the weights' description; then the weights."""
    bounded = _Bounded(file)
    reader = _Reader(path)
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


@dataclass
class _Reader:
    """Follows a pickle's instructions with descriptions in place of objects."""

    path: Path
    storages: dict[str, _Storage] = field(default_factory=dict)
    _stack: list[object] = field(default_factory=list)
    _memo: dict[int, object] = field(default_factory=dict)

    def read(self, file: "BinaryIO | _Bounded") -> object:
        """What the next pickle in the file describes."""
        self._stack, self._memo = [], {}
        try:
            # The last instruction is STOP: genops ends there, or raises.
            for number, (code, argument, _place) in enumerate(pickletools.genops(file)):  # type: ignore[arg-type]
                if number > MOST_INSTRUCTIONS:
                    broken(self.path, "its list of tensors is too long")
                self._step(code.name, argument)
            return self._stack.pop()
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError, RecursionError) as error:
            broken(self.path, f"its list of tensors is damaged: {str(error)[:80]}", error)

    def _step(self, name: str, argument: object) -> None:
        simple = _SIMPLE.get(name)
        if simple is not None:
            simple(self)
        elif name in _LITERALS:
            self._stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self._memo[int(str(argument))] = self._stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self._stack.append(self._memo[int(str(argument))])
        elif name == "GLOBAL":
            self._name(".".join(str(argument).split(" ", 1)))
        elif name not in _IGNORED:
            self.refuse(f"the instruction {name}")

    def refuse(self, what: str) -> NoReturn:
        raise ScumbleError(
            "unsafe_model",
            f"{self.path} was not loaded, because it holds more than plain weights ({what}) and could run code: "
            "get it as .safetensors.",
        )

    def named(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            self.refuse("a name that is none")
        self._name(f"{module}.{name}")

    def _name(self, name: str) -> None:
        module, _, last = name.rpartition(".")
        known = name in _PLAIN | _TENSORS | _PARAMETERS
        storage = module in ("torch", "torch.cuda", "torch.storage") and (last in _STORAGES or last in _DTYPES)
        if not known and not storage:
            self.refuse(name[:80])
        self._stack.append(_Global(name))

    def to_mark(self) -> list[object]:
        """What lies on the stack above the last mark, which goes."""
        for place in range(len(self._stack) - 1, -1, -1):
            if isinstance(self._stack[place], _Mark):
                items = self._stack[place + 1 :]
                del self._stack[place:]
                return items
        raise ValueError("a mark is missing")

    def push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self, count: int) -> list[object]:
        items = self._stack[-count:]
        if len(items) != count:
            raise IndexError("the stack is empty")
        del self._stack[-count:]
        return items

    def duplicate(self) -> None:
        self._stack.append(self._stack[-1])

    def discard(self) -> None:
        self._stack.pop()

    def memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def set_items(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, dict):
            for key, value in zip(items[::2], items[1::2], strict=True):
                if isinstance(key, str | int):  # a state dict's; hashing a pickle's own tuples can take for ever
                    target[key] = value

    def as_dict(self) -> None:
        items = self.to_mark()
        self._stack.append({})
        self.set_items(items)

    def forget(self) -> None:
        self.to_mark()

    def extend(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)

    def persistent(self) -> None:
        """torch's mark of a storage: ("storage", type, key, device, count)."""
        told = self._stack.pop()
        if not isinstance(told, tuple) or len(told) < 5 or told[0] != "storage":
            raise ValueError("a storage is not described")
        kind, key, count = told[1], told[2], told[4]
        dtype = _STORAGES.get(kind.name.rpartition(".")[2]) if isinstance(kind, _Global) else None
        if dtype is None or not isinstance(key, str) or type(count) is not int or not 0 <= count < 1 << 62:
            raise ValueError("a storage can't be")
        storage = _Storage(dtype, key, count)
        self.storages[storage.key] = storage
        self._stack.append(storage)

    def reduce(self) -> None:
        called, arguments = self.pop(2)
        if not isinstance(called, _Global) or not isinstance(arguments, tuple):
            self.refuse("a call of something unknown")
        if called.name in _TENSORS:
            self._stack.append(_tensor(arguments))
        elif called.name in _PARAMETERS:
            self._stack.append(arguments[0])
        elif called.name in ("collections.OrderedDict", "collections.Counter"):
            self._stack.append(_as_dict(arguments))
        else:
            self._stack.append(arguments if called.name == "torch.Size" else _OPAQUE)

    def build(self) -> None:
        """The state of the object below. Of those that we know only dicts have any, and it doesn't matter."""
        self._stack.pop()


def _tensor(arguments: tuple[object, ...]) -> Tensor:
    storage, offset, shape = arguments[:3]
    sizes = shape if isinstance(shape, tuple) else ()
    if not isinstance(storage, _Storage) or type(offset) is not int or not isinstance(shape, tuple):
        raise ValueError("a tensor is not described")
    if len(sizes) > MOST_AXES or not all(type(size) is int and 0 <= size < 1 << 62 for size in sizes):
        raise ValueError("a tensor's shape can't be")
    return Tensor(sizes, storage.dtype)


def _as_dict(arguments: tuple[object, ...]) -> dict[object, object]:
    pairs = arguments[0] if arguments and isinstance(arguments[0], list | tuple) else ()
    return {
        pair[0]: pair[1]
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str | int)
    }


def _collect(value: object, name: str, named: dict[str, Tensor], seen: set[int], depth: int = 0) -> None:
    """All tensors in dicts of dicts, a few levels deep; a dict that is shared counts once."""
    if isinstance(value, Tensor):
        named[name] = value
    elif isinstance(value, dict) and depth < MOST_DEPTH and id(value) not in seen:
        seen.add(id(value))
        for key, inner in value.items():
            _collect(inner, f"{name}.{key}" if name else str(key), named, seen, depth + 1)


_LITERALS = frozenset({
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "STRING", "BINSTRING", "SHORT_BINSTRING",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "FLOAT",
    "BINFLOAT",
})  # fmt: skip
_IGNORED = frozenset({"PROTO", "FRAME", "STOP"})
_SIMPLE: Mapping[str, Callable[[_Reader], None]] = {
    "MARK": lambda reader: reader.push(_Mark()),
    "NONE": lambda reader: reader.push(None),
    "NEWTRUE": lambda reader: reader.push(True),
    "NEWFALSE": lambda reader: reader.push(False),
    "EMPTY_DICT": lambda reader: reader.push({}),
    "EMPTY_LIST": lambda reader: reader.push([]),
    "EMPTY_SET": lambda reader: reader.push(_OPAQUE),
    "EMPTY_TUPLE": lambda reader: reader.push(()),
    "TUPLE": lambda reader: reader.push(tuple(reader.to_mark())),
    "TUPLE1": lambda reader: reader.push(tuple(reader.pop(1))),
    "TUPLE2": lambda reader: reader.push(tuple(reader.pop(2))),
    "TUPLE3": lambda reader: reader.push(tuple(reader.pop(3))),
    "LIST": lambda reader: reader.push(reader.to_mark()),
    "DICT": _Reader.as_dict,
    "SETITEM": lambda reader: reader.set_items(reader.pop(2)),
    "SETITEMS": lambda reader: reader.set_items(reader.to_mark()),
    "APPEND": lambda reader: reader.extend(reader.pop(1)),
    "APPENDS": lambda reader: reader.extend(reader.to_mark()),
    "ADDITEMS": _Reader.forget,
    "DUP": _Reader.duplicate,
    "POP": _Reader.discard,
    "POP_MARK": _Reader.forget,
    "MEMOIZE": _Reader.memoize,
    "STACK_GLOBAL": _Reader.named,
    "BINPERSID": _Reader.persistent,
    "REDUCE": _Reader.reduce,
    "NEWOBJ": _Reader.reduce,
    "BUILD": _Reader.build,
}
