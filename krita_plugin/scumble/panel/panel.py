"""The whole panel: settings, what they would take, the run, and folded away below: tiles, history, queue, core.

Theory of operation: `Watcher` looks at the document, the form at the artist's wishes; whenever either changes, the
estimate is asked for anew. Runs live in `Runner`; the panel shows the one that belongs to the document in front.
"""

from dataclasses import dataclass
from pathlib import Path

from scumble.core.diagnostics import gather, report, secrets_here
from scumble.core.link import Core
from scumble.core.logbook import LogBook
from scumble.core.state import CoreState
from scumble.guard import guarded
from scumble.history.keeper import History
from scumble.host.contract import Host
from scumble.panel.canvas import CanvasDrawing, Overlay
from scumble.panel.core import CoreBox
from scumble.panel.form import SettingsForm
from scumble.panel.history import HistoryList
from scumble.panel.look import GAP, Look, note, tight
from scumble.panel.queue import QueueList
from scumble.panel.remembered import Remembered
from scumble.panel.run import RunBox
from scumble.panel.source import THUMBNAIL
from scumble.panel.tiles import TilesBox
from scumble.panel.watcher import Seen, Watcher
from scumble.panel.widgets import Section
from scumble.panel.wishes import Wishes
from scumble.presets import PresetFolder
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.runs.estimate import Estimate, Estimator
from scumble.runs.queue import Queue
from scumble.runs.run import Run
from scumble.runs.runner import Made, Runner
from scumble.settings import Settings
from scumble.words import tr


@dataclass(frozen=True)
class Around:
    """What the panel is given by whom it lives in. `program`: name and version, for diagnostics.

    `host`, `core`, `runner` and `log` are one for all windows: runs belong to documents, not to windows.
    """

    host: Host
    core: Core
    runner: Runner
    log: LogBook
    overlay: Overlay
    look: Look
    presets: Path
    program: str


class ScumblePanel(QtWidgets.QWidget):
    """Puts the parts together; `wishes`: what the artist may have it do."""

    def __init__(self, around: Around, parent: "QtWidgets.QWidget | None" = None) -> None:
        super().__init__(parent)
        self.setObjectName("scumble_panel")
        host = self._host = around.host
        self._around = around
        self.core, self.runner = around.core, around.runner
        self.history = History(host, self.runner, self)
        self.queue = Queue(self.core, self.runner.client_name, self)
        self.estimator = Estimator(self.core, self)
        self.watcher = Watcher(host, THUMBNAIL, self)
        self.drawing = CanvasDrawing(around.overlay, self.runner, self)
        self.form = SettingsForm(PresetFolder(around.presets), around.look)
        self.run_box = RunBox(self.runner)  # without a parent yet: the Tab key goes through them as they are laid out
        self.tiles = TilesBox()
        self.estimate = note("scumble_estimate")
        self.core_box = CoreBox(self.core, self.diagnostics)
        self.history_list = HistoryList(self.history)
        self.queue_list = QueueList(self.queue)
        self.sections = (
            Section("scumble_section_tiles", tr("On the canvas"), self.tiles),
            Section("scumble_section_history", tr("History"), self.history_list),
            Section("scumble_section_queue", tr("&Queue"), self.queue_list),
            Section("scumble_section_core", tr("Core"), self.core_box),
        )
        self.wishes = Wishes(
            host,
            self.runner,
            self.history,
            self.watcher,
            self.estimator,
            self.form,
            self.run_box,
            self.tiles.grid,
            self,
        )
        self._remembered = Remembered(host, self.form, self.sections, self.tiles, self)
        self._lay_out()
        self._connect()
        self._remembered.recall()
        self._show_core(self.core.state)
        QtCore.QTimer.singleShot(0, self._begin)

    def diagnostics(self) -> str:
        """For whoever helps; nothing private in it."""
        settings = self.form.settings
        words = [settings.prompt, settings.negative_prompt, *(style.prompt for style in settings.styles)]
        words += [region.prompt for region in settings.regions]
        words += [pair.prompt for pair in self.form.prompt.history.entries]
        words += [run.order.target.file for run in self.runner.runs if run.order is not None]
        return report(gather(self._around.program, self.core.state, self._around.log.lines), secrets_here(words))

    # What its host tells.

    @guarded
    def refresh(self) -> None:
        """Look whether another document is in front, or its selection has changed."""
        self.watcher.look(self.form.settings.wanted)

    @guarded
    def look_again(self) -> None:
        """Another canvas may be in front."""
        self.drawing.follow()
        self.refresh()

    @guarded
    def close_down(self) -> None:
        """Krita ends, or this window does."""
        self._remembered.store()
        self.watcher.close()
        self.drawing.close()

    def enterEvent(self, event: "QtGui.QEnterEvent | QtCore.QEvent | None") -> None:
        """The artist comes to press the button: what was painted since shows in the small picture."""
        self.watcher.picture()
        super().enterEvent(event)  # type: ignore[arg-type]  # PyQt5 calls it QEvent

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self.run_box.surprised(sentence)

    # What the parts tell.

    @guarded
    def _begin(self) -> None:
        self.refresh()
        self._show_run()

    @guarded
    def _begun(self) -> None:
        self._remembered.store()
        self._show_run()

    @guarded
    def _edited(self) -> None:
        self._remembered.later()
        self.refresh()
        self._ask()

    @guarded
    def _seen(self, seen: Seen) -> None:
        if self._remembered.look(seen.document):
            self.watcher.look(self.form.settings.wanted)
            seen = self.watcher.seen
        self.history.look(seen.document)
        self.form.show_layers(seen.layers)
        self.form.source.say(seen.reason or ("" if seen.offer is None else _said(seen)))
        self.run_box.set_reason(seen.reason)
        self._show_run()
        self.wishes.refuse()
        self._draw()
        self._ask()

    @guarded
    def _estimated(self, estimate: "Estimate | None") -> None:
        self.estimate.setText("" if estimate is None else estimate.sentence)
        self.estimate.setVisible(estimate is not None)
        self._draw()

    @guarded
    def _changed(self, run: Run) -> None:
        if run.document == self.watcher.seen.document or self.run_box.run is None:
            self._show_run()
        self.wishes.refuse()

    @guarded
    def _made(self, _run: Run, _made: Made) -> None:
        self.refresh()
        self.wishes.refuse()

    @guarded
    def _show_core(self, state: CoreState) -> None:
        described = state.described
        if described is not None:
            self.form.models.offer(described.models, described.refiners, described.upscalers)
            self.form.loras.offer(described.loras)
            self.form.additions.offer(described.restorers, described.upscalers, described.controlnets, described.vaes)
        # What is to be done first must be seen first.
        is_urgent = state.phase in ("missing", "failed")
        core = self.sections[-1]
        if is_urgent != (self._above.indexOf(core) == 1):
            self._above.removeWidget(core)
            self._above.insertWidget(1 if is_urgent else self._above.count() - 1, core)
        if is_urgent:
            core.set_open(True)
        self.first.setVisible(is_urgent)
        self.first.setText(state.sentence)

    @guarded
    def _settings_back(self, settings: Settings) -> None:
        self.form.show_settings(settings)
        self._edited()

    def _ask(self) -> None:
        self.estimator.ask(self.form.settings, self.watcher.seen.offer)

    def _draw(self) -> None:
        """What was estimated, where that is still what would be sent."""
        seen, estimate = self.watcher.seen, self.estimator.estimate
        fits = estimate is not None and seen.offer is not None and estimate.sent == seen.offer.target.box
        self.drawing.show(seen.document, estimate if fits else None)

    def _show_run(self) -> None:
        run = self.runner.current(self.watcher.seen.document)
        if run is not self.run_box.run:
            self.run_box.show_run(run)

    def _connect(self) -> None:
        for signal, wish in (
            (self.run_box.refine, self.wishes.refine),
            (self.run_box.trial, self.wishes.test_tile),
            (self.run_box.repeat, self.wishes.repeat),
            (self.run_box.redo_tile, self.wishes.redo_tile),
            (self.run_box.here_again, self.wishes.here_again),
        ):
            signal.connect(wish)
        self.runner.changed.connect(self._changed)
        self.runner.made.connect(self._made)
        self.form.changed.connect(self._edited)
        self.form.failed.connect(self.run_box.surprised)
        self.watcher.changed.connect(self._seen)
        self.watcher.pictured.connect(self.form.source.show_thumbnail)
        self.estimator.changed.connect(self._estimated)
        self.core.changed.connect(self._show_core)
        self.history_list.settings.connect(self._settings_back)
        self.history_list.again.connect(self.wishes.again)
        self.queue_list.resume.connect(self.wishes.resume)
        self.wishes.begun.connect(self._begun)
        self.tiles.grid.toggled.connect(self.drawing.want_grid)
        self.tiles.previews.toggled.connect(self.drawing.want_previews)

    def _lay_out(self) -> None:
        """Settings and lists scroll in a low docker; the buttons and the state stay in sight."""
        self.first = note("scumble_first")
        inner = QtWidgets.QWidget()
        above = self._above = QtWidgets.QVBoxLayout(inner)
        above.setContentsMargins(0, 0, GAP, 0)
        above.setSpacing(GAP)
        for widget in (self.first, self.form, *self.sections):
            above.addWidget(widget)
        above.addStretch(1)
        scroll = QtWidgets.QScrollArea()
        scroll.setObjectName("scumble_scroll")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        # A large font widens the docker instead of being cut off.
        bar = scroll.verticalScrollBar()
        scroll.setMinimumWidth(inner.minimumSizeHint().width() + (0 if bar is None else bar.sizeHint().width()))
        column = QtWidgets.QVBoxLayout(self)
        tight(column)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.addWidget(scroll, 1)
        column.addWidget(self.estimate)
        column.addWidget(self.run_box)
        QtWidgets.QWidget.setTabOrder(self.run_box.discard, self.run_box.preview)


def _said(seen: Seen) -> str:
    """Size and colours of what would be sent."""
    assert seen.offer is not None
    box = seen.offer.target.box
    return tr("{width} × {height}, {kind}").format(width=box.width, height=box.height, kind=seen.offer.kind)
