"""All past runs of one document, within a size: the oldest give up their pictures first, then go. Pure.

Theory of operation: an entry is a line of JSON, kept beside it once it was written or read, so that adding one to many
costs no more than adding one to none; reading many is done in steps.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from scumble.history.entry import Entry
from scumble.host.contract import Steps

MOST_BYTES = 2_000_000
MOST_ENTRIES = 500


@dataclass(frozen=True)
class Book:
    """The newest entry is the last. `lines`: the entries as they are kept, one for each."""

    entries: "tuple[Entry, ...]" = ()
    lines: "tuple[bytes, ...]" = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, entries: "Iterable[Entry]") -> "Book":
        found = tuple(entries)
        return cls(found, tuple(_line(entry) for entry in found))

    def with_entry(self, entry: Entry) -> "Book":
        return Book((*self.entries, entry)[-MOST_ENTRIES:], (*self.lines, _line(entry))[-MOST_ENTRIES:])

    def without(self, entry: Entry) -> "Book":
        kept = [at for at, each in enumerate(self.entries) if each != entry]
        return Book(tuple(self.entries[at] for at in kept), tuple(self.lines[at] for at in kept))

    def within(self, most: int = MOST_BYTES) -> "Book":
        """With what has to be left out so that it takes at most so many bytes."""
        entries, lines = list(self.entries), list(self.lines)
        size = sum(len(line) + 1 for line in lines)
        for at, entry in enumerate(entries):
            if size <= most:
                break
            if entry.before or entry.after:
                entries[at] = entry.bare
                size -= len(lines[at])
                lines[at] = _line(entry.bare)
                size += len(lines[at])
        first = 0
        while size > most and first < len(lines):
            size -= len(lines[first]) + 1
            first += 1
        return Book(tuple(entries[first:]), tuple(lines[first:]))

    def to_bytes(self) -> bytes:
        """For the document."""
        return b"\n".join(self.lines)


def read(data: bytes, document: str) -> "Steps[Book]":
    """What `Book.to_bytes` made, as the document under this key has it; entries that can't be read are left out."""
    entries, lines = [], []
    for line in data.split(b"\n")[-MOST_ENTRIES:]:
        try:
            values = json.loads(line)
            entries.append(Entry.from_values(values, document))
            lines.append(line)
        except (ValueError, TypeError, RecursionError):
            continue
        yield
    return Book(tuple(entries), tuple(lines))


def _line(entry: Entry) -> bytes:
    return json.dumps(entry.to_values()).encode("ascii")
