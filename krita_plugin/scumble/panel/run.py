"""Refine, and what goes on: the buttons, the bar, a sentence, and the preview of the run that is shown."""

from collections.abc import Callable

from scumble.guard import guarded, surprise
from scumble.panel.growing import GrowingView
from scumble.panel.look import push
from scumble.qt import QAction, QtCore, QtWidgets
from scumble.runs.run import Run
from scumble.runs.runner import Runner
from scumble.words import tr

STEPS = 1000


class RunBox(QtWidgets.QWidget):
    """Shows one run, and sends it what the artist wishes; how a new one begins is the panel's to know."""

    refine = QtCore.pyqtSignal()
    trial = QtCore.pyqtSignal()  # one tile, at the pointer
    repeat = QtCore.pyqtSignal()  # what was repainted
    redo_tile = QtCore.pyqtSignal()  # the tile at the pointer, from another seed
    here_again = QtCore.pyqtSignal()  # what is selected, from another seed

    def __init__(self, runner: Runner, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._reason = ""
        self.start = push("scumble_refine", tr("Refine"), tr("Upscale and refine: the result comes as new layers."))
        self.more = QtWidgets.QToolButton()
        self.more.setObjectName("scumble_refine_more")
        self.more.setArrowType(QtCore.Qt.ArrowType.DownArrow)
        self.more.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.more.setToolTip(tr("Other ways to refine"))
        self.more.setAccessibleName(tr("Other ways to refine"))
        self.pause = push("scumble_pause", tr("Pause"), tr("Let the core rest after the tile that it is at."))
        self.cancel = push(
            "scumble_cancel", tr("Cancel"), tr("End it. Finished tiles are kept until you discard them.")
        )
        self.go_on = push("scumble_continue", tr("Continue"), tr("Go on from the tiles that are finished."))
        self.place = push("scumble_place", tr("Place"), tr("Put the result into the document as layers."))
        self.discard = push("scumble_discard", tr("Discard"), tr("Throw away what was kept of it."))
        self.bar = QtWidgets.QProgressBar()
        self.bar.setObjectName("scumble_progress")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.status = QtWidgets.QLabel()
        self.status.setObjectName("scumble_status")
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(
            QtCore.Qt.TextInteractionFlag.TextSelectableByMouse | QtCore.Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.preview = GrowingView(self)
        self._fill_menu()
        self._lay_out()
        self.start.clicked.connect(self.refine)
        runner.changed.connect(self._changed)
        runner.previewed.connect(self._previewed)
        for button, wish in (
            (self.pause, self._pause),
            (self.cancel, lambda run: run.cancel()),
            (self.go_on, lambda run: run.resume()),
            (self.place, lambda run: run.place()),
            (self.discard, lambda run: run.discard()),
        ):
            button.clicked.connect(self._wish(wish))
        self.show_run(None)

    @property
    def run(self) -> "Run | None":
        """The one that is shown."""
        return self._run

    def show_run(self, run: "Run | None") -> None:
        """This one is shown from now on; None: none is under way."""
        self._run = run
        self.preview.show_run(run)
        self._refresh()

    def set_reason(self, reason: str) -> None:
        """Why nothing can be refined now; "": it can be."""
        if reason != self._reason:
            self._reason = reason
            self._refresh()

    def offer_again(self, can_repeat: bool, has_tiles: bool) -> None:
        """Whether there was a run of this document that can be repeated, and one in it whose tiles can be redone."""
        for name, is_possible in (("scumble_do_repeat", can_repeat), ("scumble_do_redo_tile", has_tiles)):
            action = self.findChild(QAction, name)
            if action is not None:
                action.setEnabled(is_possible)

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self.status.setText(sentence)
        self.status.show()

    @guarded
    def _changed(self, run: Run) -> None:
        if run is self._run:
            self._refresh()

    @guarded
    def _previewed(self, run: Run) -> None:
        if run is self._run:
            self.preview.show_run(run)

    def _refresh(self) -> None:
        state = None if self._run is None else self._run.state
        self.start.setEnabled(not self._reason)
        self.more.setEnabled(not self._reason)
        self.start.setToolTip(self._reason or tr("Upscale and refine: the result comes as new layers."))
        busy, phase = state is not None and state.is_busy, "" if state is None else state.phase
        is_paused = phase == "paused"
        self.pause.setVisible(busy or is_paused)
        self.pause.setEnabled(state is not None and (state.can_pause or is_paused))
        self.pause.setText(tr("Resume") if is_paused else tr("Pause"))
        self.cancel.setVisible(busy or is_paused)
        self.cancel.setEnabled(state is not None and state.can_cancel)
        self.go_on.setVisible(phase == "offered")
        self.place.setVisible(phase == "ready")
        self.discard.setVisible(phase in ("offered", "ready"))
        self.bar.setVisible(busy or is_paused)
        share = None if state is None else state.share
        self.bar.setRange(0, 0 if share is None and not is_paused else STEPS)
        self.bar.setValue(0 if share is None else round(share * STEPS))
        sentence = self._reason if state is None or (state.is_over and self._reason) else state.sentence
        if sentence != self.status.text():
            self.status.setText(sentence)
        self.status.setVisible(bool(sentence))
        # Red on dark grey is hard to read; bold is enough beside the words themselves.
        font = self.status.font()
        font.setBold(phase == "failed")
        self.status.setFont(font)

    def _pause(self, run: Run) -> None:
        if run.state.phase == "paused":
            run.resume()
        else:
            run.pause()

    def _wish(self, call: "Callable[[Run], None]") -> "Callable[[], None]":
        def wish() -> None:
            if self._run is None:
                return
            try:
                call(self._run)
            except Exception as error:
                self.surprised(surprise(error))

        return wish

    def _fill_menu(self) -> None:
        menu = QtWidgets.QMenu(self)
        menu.setToolTipsVisible(True)
        for name, text, tip, signal in (
            ("scumble_do_refine", tr("Refine"), tr("The whole source."), self.refine),
            (
                "scumble_do_trial",
                tr("Test one tile"),
                tr("Only the tile under the pointer, or in the middle: shown here before it is placed."),
                self.trial,
            ),
            (
                "scumble_do_repeat",
                tr("Refine again what was repainted"),
                tr("With the settings of the last run; tiles that nobody painted on are taken over."),
                self.repeat,
            ),
            (
                "scumble_do_redo_tile",
                tr("Redo this tile"),
                tr("The tile under the pointer from another seed; all others stay."),
                self.redo_tile,
            ),
            (
                "scumble_do_here_again",
                tr("Refine the selection again"),
                tr("What is selected, from another seed."),
                self.here_again,
            ),
        ):
            action = QAction(text, menu)
            action.setObjectName(name)
            action.setToolTip(tip)
            action.triggered.connect(signal)
            menu.addAction(action)
        self.more.setMenu(menu)

    def _lay_out(self) -> None:
        first = QtWidgets.QHBoxLayout()
        first.setSpacing(1)
        first.addWidget(self.start, 1)
        first.addWidget(self.more)
        second = QtWidgets.QHBoxLayout()
        for button in (self.pause, self.cancel, self.go_on, self.place, self.discard):
            second.addWidget(button, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.bar)
        column.addWidget(self.status)
        column.addWidget(self.preview)
