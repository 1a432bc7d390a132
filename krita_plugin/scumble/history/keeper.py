"""The history of the document that the artist looks at: read from it, added to, and written back."""

import time

from scumble.guard import guarded
from scumble.history.book import Book, read
from scumble.history.entry import Entry
from scumble.host.contract import Host, Steps
from scumble.qt import QtCore, QtGui
from scumble.runs.run import Run
from scumble.runs.runner import Made, Runner
from scumble.runs.steps import Drive
from scumble.runs.tidings import Tidings

NOTE = "history"
SIDE = 128
QUALITY = 80


class History(QtCore.QObject):
    """`look` when another document is shown; `book` is that document's, empty until it was read."""

    changed = QtCore.pyqtSignal(object)  # Book

    def __init__(self, host: Host, runner: Runner, parent: "QtCore.QObject | None" = None) -> None:
        super().__init__(parent)
        self.document = ""
        self.book = Book()
        self._host = host
        self._before: set[str] = set()  # refined layers that are hidden now
        self._reading: Drive[Book] | None = None
        self._new: list[tuple[str, Entry]] = []
        self._adding: Drive[Book] | None = None
        runner.made.connect(self._made)

    def look(self, document: str) -> None:
        """This document is shown now; "": none is."""
        if document == self.document:
            return
        self.document = document
        self._set(Book())
        if self._reading is not None:
            self._reading.close()
        self._reading = Drive(self._read(document), self._set, self.surprised)

    def remove(self, entry: Entry) -> None:
        """Forget it; its layers stay."""
        self._write(self.document, self.book.without(entry))

    def toggle(self, entry: Entry) -> "bool | None":
        """Show the document without this refinement, or with it again: whether it is hidden now; None: it is gone."""
        layer = entry.placed.refined
        before = layer not in self._before
        if not layer or not self._host.show_before(entry.placed, before):
            return None
        (self._before.add if before else self._before.discard)(layer)
        return before

    def surprised(self, _sentence: str) -> None:
        """See `guarded`: the results are placed; only the note of them is missing."""
        self._adding = None
        self._add()

    @guarded
    def _made(self, run: Run, made: Made) -> None:
        refined = made.finished.refined
        entry = Entry(
            time.time(),
            made.order.asked,
            (refined.width, refined.height),
            Tidings.of(made.finished.summary).seconds,
            made.placed,
            jpeg(run.before, SIDE),
            jpeg(run.after, SIDE),
        )
        self._new.append((made.placed.document, entry))
        self._add()

    @guarded
    def _add(self) -> None:
        """One after the other: each is read from the document, and written back, before the next."""
        if self._adding is not None or not self._new:
            return
        document, entry = self._new.pop(0)
        self._adding = Drive(self._read(document), lambda book: self._added(document, book, entry), self.surprised)

    def _added(self, document: str, book: Book, entry: Entry) -> None:
        self._adding = None
        self._write(document, book.with_entry(entry).within())
        self._add()

    def _read(self, document: str) -> "Steps[Book]":
        data = self._host.load_note(document, NOTE) if document else b""
        yield
        return (yield from read(data, document)) if data else Book()

    def _write(self, document: str, book: Book) -> None:
        self._host.save_note(document, NOTE, book.to_bytes())
        if document == self.document:
            if self._reading is not None:
                self._reading.close()
            self._set(book)

    def _set(self, book: Book) -> None:
        if book != self.book:
            self.book = book
            self.changed.emit(book)


def jpeg(image: QtGui.QImage, side: int) -> bytes:
    """Small enough for a list; nothing, for no picture. What is see-through becomes grey."""
    if image.isNull():
        return b""
    keep, smooth = QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    small = image.scaled(side, side, keep, smooth) if max(image.width(), image.height()) > side else image
    flat = QtGui.QImage(small.size(), QtGui.QImage.Format.Format_RGB32)
    flat.fill(QtGui.QColor(128, 128, 128))
    painter = QtGui.QPainter(flat)
    painter.drawImage(0, 0, small)
    painter.end()
    data = QtCore.QByteArray()
    buffer = QtCore.QBuffer(data)
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    flat.save(buffer, "JPG", QUALITY)
    buffer.close()
    return bytes(data.data())
