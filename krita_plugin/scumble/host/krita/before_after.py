"""The refined layer hidden and shown again, without a step of undo."""

import threading

from krita import Document

from scumble.host.contract import Placed
from scumble.host.krita.document import Documents
from scumble.host.krita.layers import find


class BeforeAfter:
    """Toggles the refined layers of results that were placed."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._composing: dict[str, Composing] = {}

    def show_before(self, placed: Placed, before: bool) -> bool:
        """As Host.show_before."""
        document = self._documents.by_key(placed.document)
        node = None if document is None else find(document, placed.refined)
        if document is None or node is None:
            return False
        if node.visible() == before:
            node.setVisible(not before)
            self._composing.setdefault(placed.document, Composing(document)).begin()
        return True


class Composing:
    """Has Krita compose a document again, in a thread, since that takes a second at 8192 x 8192.

    Asked again before it is done, it does it once more: an artist toggles quickly.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="scumble-composing", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._wanted.is_set():
            self._wanted.clear()
            if self._document.width() > 0:
                self._document.refreshProjection()
