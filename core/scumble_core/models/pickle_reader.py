"""A pickle read as text: a small interpreter that follows what describes plain weights, and refuses all else.

It builds descriptions and never an object of the pickle's choosing: names are compared with a list and not looked up.
What torch's own restricted reader (`torch.load(weights_only=True)`) takes of plain weights is taken here.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

from scumble_core.errors import ScumbleError
from scumble_core.models.tensors import MOST_AXES, Tensor, broken

MOST_INSTRUCTIONS = 3_000_000
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
class Storage:
    """Where tensors' numbers lie in the file: their type and how many there are."""

    dtype: str
    key: str
    count: int


class _Opaque:
    """A value that doesn't matter to us."""


class _Mark:
    """Where the arguments of an instruction begin."""


_OPAQUE = _Opaque()


class Readable(Protocol):
    """What pickletools asks of a file."""

    def read(self, length: int = -1, /) -> bytes: ...

    def readline(self) -> bytes: ...

    def tell(self) -> int: ...


@dataclass
class PickleReader:
    """Follows a pickle's instructions with descriptions in place of objects."""

    path: Path
    storages: dict[str, Storage] = field(default_factory=dict)
    _stack: list[object] = field(default_factory=list)
    _memo: dict[int, object] = field(default_factory=dict)

    def read(self, file: Readable) -> object:
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
        storage = Storage(dtype, key, count)
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
    if not isinstance(storage, Storage) or type(offset) is not int or not isinstance(shape, tuple):
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


_LITERALS = frozenset({
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "STRING", "BINSTRING", "SHORT_BINSTRING",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "FLOAT",
    "BINFLOAT",
})  # fmt: skip
_IGNORED = frozenset({"PROTO", "FRAME", "STOP"})
_SIMPLE: Mapping[str, Callable[[PickleReader], None]] = {
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
    "DICT": PickleReader.as_dict,
    "SETITEM": lambda reader: reader.set_items(reader.pop(2)),
    "SETITEMS": lambda reader: reader.set_items(reader.to_mark()),
    "APPEND": lambda reader: reader.extend(reader.pop(1)),
    "APPENDS": lambda reader: reader.extend(reader.to_mark()),
    "ADDITEMS": PickleReader.forget,
    "DUP": PickleReader.duplicate,
    "POP": PickleReader.discard,
    "POP_MARK": PickleReader.forget,
    "MEMOIZE": PickleReader.memoize,
    "STACK_GLOBAL": PickleReader.named,
    "BINPERSID": PickleReader.persistent,
    "REDUCE": PickleReader.reduce,
    "NEWOBJ": PickleReader.reduce,
    "BUILD": PickleReader.build,
}
