"""What the artist wishes for, by a button, a menu or a shortcut: each begins a run, or steers the one that is shown."""

from dataclasses import replace

from scumble.guard import guarded
from scumble.history.entry import Entry
from scumble.history.keeper import History
from scumble.host.contract import Host
from scumble.panel.form import SettingsForm
from scumble.panel.run import RunBox
from scumble.panel.watcher import Watcher
from scumble.qt import QtCore, QtWidgets
from scumble.runs.estimate import Estimator
from scumble.runs.order import Asked
from scumble.runs.runner import Runner, here_again, trial
from scumble.settings import Settings, fresh_seed
from scumble.words import tr


class Wishes(QtCore.QObject):
    """`begun`: a run was started. What can't be done is said in the run box."""

    begun = QtCore.pyqtSignal()

    def __init__(
        self,
        host: Host,
        runner: Runner,
        history: History,
        watcher: Watcher,
        estimator: Estimator,
        form: SettingsForm,
        run_box: RunBox,
        grid: QtWidgets.QAbstractButton,
        parent: "QtCore.QObject | None" = None,
    ) -> None:
        """`grid`: the switch of the tile grid."""
        super().__init__(parent)
        self._host, self._runner, self._history = host, runner, history
        self._watcher, self._estimator = watcher, estimator
        self._form, self._run_box, self._grid = form, run_box, grid

    @guarded
    def refine(self) -> None:
        """The source that is chosen."""
        self._start(Asked(self._for_run(self._form.settings)))

    @guarded
    def refine_selection(self) -> None:
        """What is selected, whatever source is chosen."""
        self._start(Asked(self._for_run(replace(self._form.settings, source="selection"))))

    @guarded
    def test_tile(self) -> None:
        """The tile at the pointer, or in the middle, with these settings."""
        estimate, place = self._estimator.estimate, self._host.cursor()
        sent = None if estimate is None else estimate.sent
        if estimate is None or sent is None:
            self._run_box.surprised(tr("The tiles are not known yet: wait for the estimate."))
            return
        inside = place is not None and sent.holds(*place)
        asked = trial(self._for_run(self._form.settings), estimate.grid, sent, place if inside else None)
        if isinstance(asked, str):
            self._run_box.surprised(asked)
        else:
            self._start(asked)

    @guarded
    def redo_tile(self) -> None:
        """The tile at the pointer, of the last run, from another seed."""
        place = self._host.cursor()
        if place is None:
            self._run_box.surprised(tr("Point at the tile on the canvas first."))
            return
        run = self._runner.redo_tile(self._watcher.seen.document, *place)
        if isinstance(run, str):
            self._run_box.surprised(run)

    @guarded
    def repeat(self) -> None:
        """The last run once more, of what the document shows now."""
        made, offer = self._runner.last_of(self._watcher.seen.document), self._watcher.seen.offer
        if made is None:
            self._run_box.surprised(tr("Nothing was refined in this document since Krita was started."))
        elif made.order.scale != 1 and offer is not None and offer.target.canvas != made.order.target.canvas:
            # Enlarged once more, nothing of it would be as it was.
            self._run_box.surprised(
                tr("The last run made this document larger: undo that, paint, and refine it again then.")
                if made.order.placement.destination == "enlarge"
                else tr("This document was made larger than the one it came from: paint there, and refine that again.")
            )
        else:
            self._runner.repeat(made)

    @guarded
    def here_again(self) -> None:
        """What is selected, from another seed."""
        self._start(here_again(self._form.settings))

    @guarded
    def pause(self) -> None:
        """Let the run that is shown rest, or go on."""
        run = self._run_box.run
        if run is not None and run.state.phase == "paused":
            run.resume()
        elif run is not None:
            run.pause()

    @guarded
    def cancel(self) -> None:
        """End the run that is shown."""
        if self._run_box.run is not None:
            self._run_box.run.cancel()

    @guarded
    def toggle_grid(self) -> None:
        """Show the tile grid over the canvas, or hide it."""
        self._grid.toggle()

    @guarded
    def turn(self) -> None:
        """Hide the last run's refined layer, or show it again."""
        entries = self._history.book.entries
        if not entries or self._history.toggle(entries[-1]) is None:
            self._run_box.surprised(tr("There is no refined layer of Scumble's in this document."))

    @guarded
    def again(self, entry: Entry) -> None:
        made = self._runner.last(self._watcher.seen.document)
        if made is not None and made.order.asked == entry.asked:
            self._runner.redo(made)
        else:
            self._start(replace(entry.asked, settings=replace(entry.asked.settings, seed=fresh_seed())))

    @guarded
    def resume(self, job: str) -> None:
        """A job of the core's list, which was paused."""
        self._runner.resume(job)

    def _start(self, asked: Asked) -> None:
        self._form.prompt.remember()
        self._runner.start(asked)
        self.begun.emit()

    def _for_run(self, settings: Settings) -> Settings:
        """With the seed of this run, which the panel then shows."""
        drawn = settings.for_run(fresh_seed)
        if drawn.seed != settings.seed:
            self._form.show_settings(replace(self._form.settings, seed=drawn.seed))
        return drawn

    def refuse(self) -> None:
        """What needs an earlier run can't be wished for without one."""
        document = self._watcher.seen.document
        self._run_box.offer_again(self._runner.last_of(document) is not None, self._runner.last(document) is not None)

    def surprised(self, sentence: str) -> None:
        """See `guarded`."""
        self._run_box.surprised(sentence)
