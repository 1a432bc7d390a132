"""The artist's active layer, which Krita changes to each node that is new, a little after it was added."""

import time

from krita import Document

from scumble.host.contract import Steps
from scumble.host.krita.aside import LOOK_SECONDS
from scumble.host.krita.document import is_open
from scumble.host.krita.layers import find, id_of

MOST_SECONDS, QUIET_SECONDS = 1.0, 0.3


def active_id(document: Document) -> str:
    """The id of the document's active layer; "" without one."""
    node = document.activeNode()
    return "" if node is None else id_of(node)


def keep_active(document: Document, active: str, ours: "frozenset[str]") -> "Steps[None]":
    """Make that layer the active one again, as often as Krita makes one of ours it; not when the artist takes another.

    libkis can do so in the document that the artist looks at alone; elsewhere ours stays active.
    """
    until = time.monotonic() + MOST_SECONDS
    while active and is_open(document) and time.monotonic() < until:
        node = find(document, active) if active_id(document) in ours else None
        if node is not None:
            document.setActiveNode(node)
            until = min(until, time.monotonic() + QUIET_SECONDS)
        time.sleep(LOOK_SECONDS)
        yield
