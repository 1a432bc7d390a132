"""What is kept in a document itself, as annotations: they go into its .kra file.

Never ask libkis for the description of an annotation: when there is none, Krita 5.1.5 ends.
"""

import json
from dataclasses import dataclass
from typing import TypeGuard

from krita import Document

from scumble.host.krita.document import is_open
from scumble.qt import QtCore

PREFIX = "scumble/"
# The ids of the layers that were placed, a JSON list (layers.py reads it), and what was placed with which settings.
LAYERS, RESULTS = "layers", "results"
# An artist may place results for years: the oldest are forgotten.
MOST_IDS, MOST_RESULTS, MOST_BYTES = 1000, 200, 256 * 1024


@dataclass(frozen=True)
class PlacedNote:
    """One placed result: the ids of its layers, "" for what wasn't made, and the run's settings as JSON."""

    group: str
    upscaled: str
    refined: str
    note: str


def load_note(document: Document, name: str) -> bytes:
    """What `save_note` kept; nothing when there is none, or when the document was closed."""
    if not is_open(document):  # Krita 5.1.5 would end
        return b""
    return bytes(document.annotation(PREFIX + name).data())


def save_note(document: Document, name: str, data: bytes) -> None:
    """Keep it in the document, or nothing any more. Makes the document modified."""
    if not is_open(document):
        return
    if data:
        document.setAnnotation(PREFIX + name, "Scumble", QtCore.QByteArray(data))
    elif PREFIX + name in document.annotationTypes():
        document.removeAnnotation(PREFIX + name)


def placed_notes(document: Document) -> "tuple[PlacedNote, ...]":
    """The results that were placed in the document, the oldest first. What can't be read is as good as nothing."""
    return tuple(PlacedNote(*row) for row in _rows(document, RESULTS) if _is_placed(row))


def remember_placed(document: Document, placed: PlacedNote) -> None:
    """Add what was just placed. Layers that aren't there any more stay in the lists: undo may bring them back."""
    ids = [each for each in _rows(document, LAYERS) if isinstance(each, str)]
    ids += [each for each in (placed.group, placed.upscaled, placed.refined) if each]
    save_note(document, LAYERS, json.dumps(ids[-MOST_IDS:]).encode())
    rows = [[each.group, each.upscaled, each.refined, each.note] for each in (*placed_notes(document), placed)]
    texts = [json.dumps(row, ensure_ascii=False) for row in rows[-MOST_RESULTS:]]
    while len(texts) > 1 and sum(len(text.encode()) + 1 for text in texts) > MOST_BYTES:
        del texts[0]
    save_note(document, RESULTS, f"[{','.join(texts)}]".encode())


def _rows(document: Document, name: str) -> "list[object]":
    try:
        rows = json.loads(load_note(document, name) or b"[]")
    except (ValueError, RecursionError):
        return []
    return rows if isinstance(rows, list) else []


def _is_placed(row: object) -> "TypeGuard[list[str]]":
    return isinstance(row, list) and len(row) == 4 and all(isinstance(each, str) for each in row)
