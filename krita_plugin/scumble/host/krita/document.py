"""Keys of open documents, and the open document that a picture came from."""

import uuid
from pathlib import Path

from krita import Document, Krita

from scumble.host.contract import HostError, Target
from scumble.words import tr


def is_open(document: Document) -> bool:
    """The wrapper of a closed document is safe to ask, and has no size."""
    return document.width() > 0


def file_of(document: Document) -> str:
    """Its path; "" while it was never saved."""
    return document.fileName() or ""


def is_idle(document: Document) -> bool:
    """Whether no stroke and no update is at work in it. Raises HostError when it was closed."""
    if not is_open(document):
        raise HostError(tr("The document was closed before it was read: open it again."))
    if not document.tryBarrierLock():
        return False
    document.unlock()
    return True


class Documents:
    """Gives every open document a key; a file that is closed and opened again gets a new one.

    A key is unique on earth, since it is kept with results in files which may be opened by another Krita. libkis makes
    a new wrapper at each call, so documents are compared by `==`, which compares what they wrap.
    """

    def __init__(self) -> None:
        self._known: dict[str, Document] = {}

    def active(self) -> "Document | None":
        """The document that the artist looks at."""
        document = Krita.instance().activeDocument()
        return document if document is not None and is_open(document) else None

    def key(self, document: Document) -> str:
        """The key of an open document. Raises HostError when it was closed."""
        if not is_open(document):
            raise HostError(tr("The document was closed: open it again."))
        self._known = {key: known for key, known in self._known.items() if is_open(known)}
        for key, known in self._known.items():
            if known == document:
                return key
        key = uuid.uuid4().hex
        self._known[key] = document
        return key

    def by_key(self, key: str) -> "Document | None":
        """The document of that key while it is open."""
        document = self._known.get(key)
        return document if document is not None and is_open(document) else None

    def by_file(self, path: str) -> "Document | None":
        """An open document of that file."""
        if not path:
            return None
        wanted = Path(path)
        for document in Krita.instance().documents():
            if is_open(document) and file_of(document) and Path(file_of(document)) == wanted:
                return document
        return None

    def by_target(self, target: Target) -> "Document | None":
        """Where a target's results belong: the very document, or the same file opened again."""
        return self.by_key(target.document) or self.by_file(target.file)
