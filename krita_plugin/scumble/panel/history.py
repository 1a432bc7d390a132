"""What was made of this document: thumbnails, and the way back to each run's settings."""

from scumble.amounts import duration, size
from scumble.guard import guarded
from scumble.history.book import Book
from scumble.history.entry import Entry
from scumble.history.keeper import History
from scumble.host.contract import Steps
from scumble.panel.look import push
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.runs.steps import Drive
from scumble.words import locale, tr

PICTURE = 64


class HistoryList(QtWidgets.QWidget):
    """The newest first. Mouse or space on a row's picture shows it before, as in the preview."""

    settings = QtCore.pyqtSignal(object)  # Settings: back into the panel
    again = QtCore.pyqtSignal(object)  # Entry: once more, from a new seed

    def __init__(self, history: History, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self._history = history
        self._entries: tuple[Entry, ...] = ()
        self._painting: Drive[None] | None = None
        self.rows = QtWidgets.QListWidget()
        self.rows.setObjectName("scumble_history")
        self.rows.setAccessibleName(tr("Past runs of this document"))
        self.rows.setToolTip(
            tr("What was refined in this document: before on the left of each picture, after on the right.")
        )
        self.rows.setIconSize(QtCore.QSize(PICTURE, PICTURE))
        self.rows.setWordWrap(True)
        self.rows.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = QtWidgets.QLabel(tr("Nothing was refined in this document yet."))
        self.nothing.setObjectName("scumble_history_empty")
        self.nothing.setWordWrap(True)
        self.back = push("scumble_history_settings", tr("Settings"), tr("Set the panel as it was for this run."))
        self.turn = push(
            "scumble_history_before", tr("Before / after"), tr("Hide the refined layer, or show it again.")
        )
        self.seed = push("scumble_history_seed", tr("New seed"), tr("Run it again from another seed."))
        self.delete = push("scumble_history_delete", tr("Forget"), tr("Take it out of the list; the layers stay."))
        self.said = QtWidgets.QLabel()
        self.said.setObjectName("scumble_history_said")
        self.said.setWordWrap(True)
        self.said.hide()
        buttons = QtWidgets.QGridLayout()
        for at, button in enumerate((self.back, self.turn, self.seed, self.delete)):
            buttons.addWidget(button, at // 2, at % 2)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.nothing, self.rows, self.said):
            column.addWidget(widget)
        column.addLayout(buttons)
        self.rows.currentRowChanged.connect(self._chosen)
        self.rows.itemActivated.connect(self._give_back)
        self.back.clicked.connect(self._give_back)
        self.turn.clicked.connect(self._turn)
        self.seed.clicked.connect(self._again)
        self.delete.clicked.connect(self._forget)
        history.changed.connect(self._show)
        self._show(history.book)

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self.said.setText(sentence)
        self.said.show()

    @property
    def chosen(self) -> "Entry | None":
        """The entry of the chosen row."""
        row = self.rows.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    @guarded
    def _show(self, book: Book) -> None:
        self._entries = tuple(reversed(book.entries))
        with QtCore.QSignalBlocker(self.rows):
            self.rows.clear()
            for entry in self._entries:
                self.rows.addItem(_item(entry))
            if self._entries:
                self.rows.setCurrentRow(0)
        self.nothing.setVisible(not self._entries)
        self.rows.setVisible(bool(self._entries))
        self._chosen()
        if self._painting is not None:
            self._painting.close()
        self._painting = Drive(self._paint(self._entries), _nothing_more, self.surprised)

    def _paint(self, entries: "tuple[Entry, ...]") -> "Steps[None]":
        """The pictures come after the words: there may be hundreds."""
        for at, entry in enumerate(entries):
            item, picture = self.rows.item(at), _both(entry)
            if item is not None and not picture.isNull():
                item.setIcon(QtGui.QIcon(QtGui.QPixmap.fromImage(picture)))
            yield

    @guarded
    def _chosen(self, *_row: object) -> None:
        for button in (self.back, self.turn, self.seed, self.delete):
            button.setEnabled(self.chosen is not None)
        self.said.hide()

    @guarded
    def _give_back(self, *_item: object) -> None:
        if self.chosen is not None:
            self.settings.emit(self.chosen.asked.settings)

    @guarded
    def _turn(self) -> None:
        entry = self.chosen
        if entry is None:
            return
        hidden = self._history.toggle(entry)
        self.said.setText(tr("The refined layer isn't in the document any more.") if hidden is None else "")
        self.said.setVisible(hidden is None)
        self.turn.setText(tr("Show after") if hidden else tr("Before / after"))

    @guarded
    def _again(self) -> None:
        if self.chosen is not None:
            self.again.emit(self.chosen)

    @guarded
    def _forget(self) -> None:
        if self.chosen is not None:
            self._history.remove(self.chosen)


def _nothing_more(_: None) -> None:
    """All pictures are there."""


def _item(entry: Entry) -> QtWidgets.QListWidgetItem:
    when = QtCore.QDateTime.fromSecsSinceEpoch(int(entry.when))
    item = QtWidgets.QListWidgetItem(
        "\n".join(
            (
                locale().toString(when, QtCore.QLocale.FormatType.ShortFormat),
                entry.sentence,
                tr("{size} in {time}").format(size=size(*entry.size), time=duration(entry.seconds)),
            )
        )
    )
    item.setToolTip(entry.asked.settings.prompt or entry.sentence)
    return item


def _both(entry: Entry) -> QtGui.QImage:
    """Before on the left half, after on the right one."""
    before, after = (QtGui.QImage.fromData(data) for data in (entry.before, entry.after))
    if before.isNull() or after.isNull():
        return before if after.isNull() else after
    image = after.copy()
    painter = QtGui.QPainter(image)
    half = image.width() // 2
    painter.setClipRect(QtCore.QRect(0, 0, half, image.height()))
    painter.drawImage(image.rect(), before)
    painter.end()
    return image
