"""Kinds of fields in a message's JSON header: how each is checked when it comes from the other side.

A message class names a kind in each field's annotation (`Annotated[int, Whole(0, 9)]`), so that its field
list is at the same time its wire format. Which kinds there are names for: fields.py.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from scumble_bridge.errors import ProtocolError


class Kind(Protocol):
    """A kind of field: from JSON, checked, and back to JSON."""

    def decode(self, value: object, name: str) -> object:
        """The checked value; ProtocolError names the field."""

    def encode(self, value: object) -> object:
        """The value as JSON knows it."""


def _wrong(name: str, value: object, wanted: str) -> ProtocolError:
    # A list or an object may be nested as deep as the stack is: it isn't shown.
    shown = f"a {type(value).__name__}" if isinstance(value, (list, dict)) else repr(value)[:60]
    return ProtocolError(f"The field {name} is {shown}, but must be {wanted}.")


class _Plain:
    """A kind that looks in JSON as it does in Python."""

    def encode(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Whole(_Plain):
    """A whole number within a range."""

    low: int
    high: int

    def decode(self, value: object, name: str) -> int:
        if type(value) is not int or not self.low <= value <= self.high:
            raise _wrong(name, value, f"a whole number from {self.low} to {self.high}")
        return value


class Seconds(_Plain):
    """A finite number of seconds, 0 or more."""

    def decode(self, value: object, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
            raise _wrong(name, value, "a number of seconds")
        return float(value)


@dataclass(frozen=True)
class Text(_Plain):
    """Text of bounded length, which may have to match a pattern as a whole."""

    most: int
    pattern: "re.Pattern[str] | None" = None

    def decode(self, value: object, name: str) -> str:
        if not isinstance(value, str) or len(value) > self.most:
            raise _wrong(name, value, f"text of at most {self.most} characters")
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise _wrong(name, value, f"text that matches {self.pattern.pattern}")
        return value


@dataclass(frozen=True)
class OneOf(_Plain):
    """One of a few words."""

    words: "tuple[str, ...]"

    def decode(self, value: object, name: str) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise _wrong(name, value, "one of " + ", ".join(self.words))
        return value


@dataclass(frozen=True)
class Hex:
    """Bytes of a fixed length, in JSON as hex digits."""

    length: int

    def decode(self, value: object, name: str) -> bytes:
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * self.length}}}", value):
            raise _wrong(name, value, f"{2 * self.length} hex digits")
        return bytes.fromhex(value)

    def encode(self, value: object) -> object:
        return value.hex() if isinstance(value, bytes) else value


@dataclass(frozen=True)
class ListOf:
    """A list of bounded length; a tuple in Python."""

    kind: Kind
    most: int
    least: int = 0

    def decode(self, value: object, name: str) -> "tuple[object, ...]":
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise _wrong(name, value, f"a list of {self.least} to {self.most} entries")
        return tuple(self.kind.decode(entry, f"{name}[{at}]") for at, entry in enumerate(value))

    def encode(self, value: object) -> object:
        return [self.kind.encode(entry) for entry in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class OrNone:
    """Another kind, or null."""

    kind: Kind

    def decode(self, value: object, name: str) -> object:
        return None if value is None else self.kind.decode(value, name)

    def encode(self, value: object) -> object:
        return None if value is None else self.kind.encode(value)


class JsonObject:
    """An object whose meaning the bridge doesn't know: a request, a summary."""

    def decode(self, value: object, name: str) -> "dict[str, object]":
        if not isinstance(value, dict):
            raise _wrong(name, value, "an object")
        return value

    def encode(self, value: object) -> object:
        return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Part:
    """A small object with fields of its own. `build` gets them by name; `take` gives them back."""

    kinds: Mapping[str, Kind]
    build: Callable[..., object]

    def decode(self, value: object, name: str) -> object:
        if not isinstance(value, dict):
            raise _wrong(name, value, "an object")
        missing = [field for field in self.kinds if field not in value]
        if missing:
            raise ProtocolError(f"The field {name}.{missing[0]} is missing.")
        parts = {field: kind.decode(value[field], f"{name}.{field}") for field, kind in self.kinds.items()}
        return self.build(**parts)

    def encode(self, value: object) -> object:
        return {field: kind.encode(getattr(value, field, None)) for field, kind in self.kinds.items()}


@dataclass(frozen=True)
class Payload:
    """Marks the field that travels raw behind the header, not in it.

    `as_bytes`: it is given out as bytes, which asks for a copy; else as it came, as any buffer.
    """

    as_bytes: bool = False
