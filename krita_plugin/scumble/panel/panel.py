"""The panel: fields, Refine and Cancel, progress, a preview, and what went wrong in plain words."""

from scumble.host.base import Host
from scumble.job import JobState
from scumble.panel.fields import Fields
from scumble.panel.preview import PreviewView
from scumble.qt import QtCore, QtWidgets
from scumble.runner import Runner
from scumble_bridge.messages import Described, Preview

SAVE_MS = 500


class RefinePanel(QtWidgets.QWidget):
    """Puts the parts together."""

    def __init__(self, host: Host, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self._host = host
        self.fields = Fields(self)
        self.refine = QtWidgets.QPushButton("Refine")
        self.refine.setObjectName("scumble_refine")
        self.cancel = QtWidgets.QPushButton("Cancel")
        self.cancel.setObjectName("scumble_cancel")
        self.bar = QtWidgets.QProgressBar()
        self.bar.setObjectName("scumble_progress")
        self.bar.setTextVisible(False)
        self.status = QtWidgets.QLabel()
        self.status.setObjectName("scumble_status")
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.preview = PreviewView(self)
        self._save = QtCore.QTimer(self)
        self._save.setSingleShot(True)
        self._save.setInterval(SAVE_MS)
        self._lay_out()
        self.runner = Runner(host, self)
        self._connect()
        self.fields.show_settings(host.load_settings())
        self._show(self.runner.state)
        QtCore.QTimer.singleShot(0, self.runner.describe)

    def refresh(self) -> None:
        """Look whether the source can be taken now."""
        state = self.runner.state
        reason = "" if state.is_busy else self._host.unavailable(self.fields.settings.source)
        self.refine.setEnabled(not state.is_busy and not reason)
        self.refine.setToolTip(reason or "Upscale and refine: the result comes as two new layers.")
        if not state.is_busy and (reason or state.phase == "idle"):
            self._say(state.sentence if state.phase in ("failed", "done", "stopped") else reason, state)

    def close_down(self) -> None:
        """Krita ends."""
        self._store()
        self.runner.close()

    def _connect(self) -> None:
        self.refine.clicked.connect(self._start)
        self.cancel.clicked.connect(self.runner.cancel)
        self.runner.changed.connect(self._show)
        self.runner.preview.connect(self._add_preview)
        self.runner.described.connect(self._offer)
        self.fields.changed.connect(self._edited)
        self._save.timeout.connect(self._store)

    def _start(self) -> None:
        self._store()
        self.runner.start(self.fields.settings)
        if self.runner.output_size is not None:
            self.preview.begin(*self.runner.output_size)

    def _add_preview(self, tile: Preview) -> None:
        self.preview.add(tile)

    def _offer(self, described: Described) -> None:
        self.fields.offer(described.models, described.refiners, described.upscalers)

    def _edited(self) -> None:
        self._save.start()
        self.refresh()

    def _store(self) -> None:
        self._save.stop()
        self._host.save_settings(self.fields.settings)

    def _show(self, state: JobState) -> None:
        self.cancel.setEnabled(state.is_busy and state.phase != "placing")
        self.fields.setEnabled(not state.is_busy)
        self.bar.setVisible(state.is_busy)
        share = state.share
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(0 if share is None else round(share * 1000))
        self._say(state.sentence, state)
        if not state.is_busy:
            self.preview.hide()
        self.refresh()

    def _say(self, sentence: str, state: JobState) -> None:
        self.status.setText(sentence)
        # Red on dark grey is hard to read; bold is enough beside the words themselves.
        font = self.status.font()
        font.setBold(state.phase == "failed")
        self.status.setFont(font)

    def _lay_out(self) -> None:
        """Fields and preview scroll in a low docker; the buttons and the state stay in sight."""
        inner = QtWidgets.QWidget()
        above = QtWidgets.QVBoxLayout(inner)
        above.setContentsMargins(0, 0, 4, 0)
        above.addWidget(self.fields)
        above.addWidget(self.preview)
        above.addStretch(1)
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addWidget(self.refine, 2)
        buttons.addWidget(self.cancel, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(scroll, 1)
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.status)
