"""Any message, for property tests: made from the kinds in its fields' annotations."""

import math
from dataclasses import fields
from typing import Any, get_type_hints

from hypothesis import strategies as st

from scumble_bridge import kinds
from scumble_bridge.messages import MESSAGE_TYPES, Message

# Characters that JSON and UTF-8 can carry: all but halves of surrogate pairs.
TEXT = st.characters(exclude_categories=("Cs",))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(TEXT, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(TEXT, max_size=8), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


def of_kind(kind: Any) -> st.SearchStrategy[Any]:
    """A value that the kind lets pass."""
    if isinstance(kind, kinds.Whole):
        return st.integers(kind.low, kind.high)
    if isinstance(kind, kinds.Seconds):
        return st.floats(0, math.nextafter(1e12, 0))
    if isinstance(kind, kinds.Text):
        if kind.pattern is not None:
            return st.uuids().map(str) | st.uuids().map(lambda each: each.hex)
        return st.text(TEXT, max_size=min(kind.most, 60))
    if isinstance(kind, kinds.OneOf):
        return st.sampled_from(kind.words)
    if isinstance(kind, kinds.Hex):
        return st.binary(min_size=kind.length, max_size=kind.length)
    if isinstance(kind, kinds.ListOf):
        return st.lists(of_kind(kind.kind), min_size=kind.least, max_size=max(4, kind.least)).map(tuple)
    if isinstance(kind, kinds.OrNone):
        return st.none() | of_kind(kind.kind)
    if isinstance(kind, kinds.Part):
        return st.builds(kind.build, **{name: of_kind(part) for name, part in kind.kinds.items()})
    if isinstance(kind, kinds.JsonObject):
        return st.dictionaries(st.text(TEXT, max_size=8), JSON, max_size=5)
    assert isinstance(kind, kinds.Payload)
    return st.binary(max_size=300)


def of_type(cls: type[Message]) -> st.SearchStrategy[Message]:
    """A message of this type."""
    hints = get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{field.name: of_kind(hints[field.name].__metadata__[0]) for field in fields(cls)})


MESSAGES = st.sampled_from(MESSAGE_TYPES).flatmap(of_type)
