"""All jobs of the core: what runs, what waits, and what was done within the hour."""

from scumble.guard import guarded
from scumble.panel.look import push
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.runs.queue import Entry, Queue
from scumble.words import tr

SHARE = 257  # QtCore.Qt.ItemDataRole.UserRole + 1, the same number under PyQt5
JOB = 256
BAR = 3


class QueueList(QtWidgets.QWidget):
    """A row a job; the buttons are for the row that is chosen. Own jobs are bold."""

    resume = QtCore.pyqtSignal(str)  # a job of this panel's

    def __init__(self, queue: Queue, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.rows = QtWidgets.QListWidget()
        self.rows.setObjectName("scumble_queue")
        self.rows.setAccessibleName(tr("Jobs of the core"))
        self.rows.setToolTip(tr("All jobs of the core, in the order in which they run; yours are bold."))
        self.rows.setItemDelegate(ShareDelegate(self.rows))
        self.rows.setWordWrap(True)
        self.rows.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = QtWidgets.QLabel(tr("No jobs."))
        self.nothing.setObjectName("scumble_queue_empty")
        self.pause = push("scumble_queue_pause", tr("Pause"), tr("Let this job wait until it is resumed."))
        self.cancel = push(
            "scumble_queue_cancel", tr("Cancel"), tr("End this job. Its finished tiles are kept a while.")
        )
        self.next = push("scumble_queue_next", tr("Run next"), tr("Before all others that wait."))
        buttons = QtWidgets.QHBoxLayout()
        for button in (self.pause, self.cancel, self.next):
            buttons.addWidget(button, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.nothing)
        column.addWidget(self.rows)
        column.addLayout(buttons)
        self.rows.currentRowChanged.connect(self._chosen)
        self.pause.clicked.connect(self._pause)
        self.cancel.clicked.connect(self._cancel)
        self.next.clicked.connect(self._run_next)
        queue.changed.connect(self._show)
        self._show(queue.entries)

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self.nothing.setText(sentence)
        self.nothing.show()

    @property
    def chosen(self) -> "Entry | None":
        """The entry of the chosen row."""
        item = self.rows.currentItem()
        job = None if item is None else item.data(JOB)
        return next((entry for entry in self._queue.entries if entry.row.job == job), None)

    @guarded
    def _show(self, entries: "tuple[Entry, ...]") -> None:
        item = self.rows.currentItem()
        chosen = None if item is None else item.data(JOB)
        with QtCore.QSignalBlocker(self.rows):
            # Rows are changed in place: a list that is made anew loses its place and the row that was chosen.
            while self.rows.count() > len(entries):
                self.rows.takeItem(self.rows.count() - 1)
            for at, entry in enumerate(entries):
                if at >= self.rows.count():
                    self.rows.addItem(QtWidgets.QListWidgetItem())
                self._fill(self.rows.item(at), entry)
                if entry.row.job == chosen:
                    self.rows.setCurrentRow(at)
        self.nothing.setVisible(not entries)
        self.rows.setVisible(bool(entries))
        self._chosen()

    def _fill(self, item: "QtWidgets.QListWidgetItem | None", entry: Entry) -> None:
        if item is None:
            return
        text = f"{entry.title}\n{entry.sentence}"
        if item.text() != text:
            item.setText(text)
            item.setToolTip(text)
        font = item.font()
        font.setBold(entry.is_own)
        item.setFont(font)
        item.setData(JOB, entry.row.job)
        item.setData(SHARE, entry.share)

    @guarded
    def _chosen(self, *_row: object) -> None:
        entry = self.chosen
        self.pause.setText(tr("Resume") if entry is not None and entry.can_resume else tr("Pause"))
        self.pause.setEnabled(entry is not None and (entry.can_pause or entry.can_resume))
        self.cancel.setEnabled(entry is not None and entry.can_cancel)
        self.next.setEnabled(entry is not None and entry.can_run_next)

    @guarded
    def _pause(self) -> None:
        entry = self.chosen
        if entry is not None and entry.can_resume:
            self.resume.emit(entry.row.job)
        elif entry is not None:
            self._queue.pause(entry.row.job)

    @guarded
    def _cancel(self) -> None:
        entry = self.chosen
        if entry is not None:
            self._queue.cancel(entry.row.job)

    @guarded
    def _run_next(self) -> None:
        entry = self.chosen
        if entry is not None:
            self._queue.run_next(entry.row.job)


class ShareDelegate(QtWidgets.QStyledItemDelegate):
    """A thin bar under a row that is being worked on."""

    def paint(
        self,
        painter: "QtGui.QPainter | None",
        option: QtWidgets.QStyleOptionViewItem,
        index: QtCore.QModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        share = index.data(SHARE)
        if painter is None or not isinstance(share, float):
            return
        place = option.rect.adjusted(2, option.rect.height() - BAR, -2, 0)
        painter.fillRect(place, option.palette.color(QtGui.QPalette.ColorRole.Mid))
        place.setWidth(round(place.width() * share))
        painter.fillRect(place, option.palette.color(QtGui.QPalette.ColorRole.Highlight))
