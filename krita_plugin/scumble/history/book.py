"""All past runs of one document, within a size: the oldest give up their pictures first, then go. Pure."""

import json
from dataclasses import dataclass

from scumble.history.entry import Entry

MOST_BYTES = 2_000_000
MOST_ENTRIES = 500
VERSION = 1


@dataclass(frozen=True)
class Book:
    """The newest entry is the last."""

    entries: "tuple[Entry, ...]" = ()

    def with_entry(self, entry: Entry) -> "Book":
        return Book((*self.entries, entry)[-MOST_ENTRIES:])

    def without(self, entry: Entry) -> "Book":
        return Book(tuple(each for each in self.entries if each is not entry and each != entry))

    def to_bytes(self, most: int = MOST_BYTES) -> bytes:
        """For the document: JSON of at most so many bytes, whatever has to be left out for that."""
        rows = [_row(entry) for entry in self.entries]
        size = len(_whole([])) + sum(len(row) + 2 for row in rows)
        for at, entry in enumerate(self.entries):
            if size <= most:
                break
            bare = _row(entry.bare)
            size -= len(rows[at]) - len(bare)
            rows[at] = bare
        first = 0
        while size > most and first < len(rows):
            size -= len(rows[first]) + 2
            first += 1
        return _whole(rows[first:])

    @classmethod
    def from_bytes(cls, data: bytes, document: str) -> "Book":
        """What `to_bytes` made, as the document under this key has it; entries that can't be read are left out."""
        try:
            values = json.loads(data)
        except (ValueError, RecursionError):
            return cls()
        rows = values.get("entries") if isinstance(values, dict) else None
        found = []
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict):
                continue
            try:
                found.append(Entry.from_values(row, document))
            except ValueError:
                continue
        return cls(tuple(found))


def _row(entry: Entry) -> bytes:
    return json.dumps(entry.to_values()).encode("utf-8")


def _whole(rows: "list[bytes]") -> bytes:
    return b'{"version": %d, "entries": [' % VERSION + b", ".join(rows) + b"]}"
