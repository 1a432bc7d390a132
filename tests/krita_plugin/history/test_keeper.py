"""What runs with a real core leave in the document's history, and the list that shows it."""

from dataclasses import replace

from tests.krita_plugin.fake_host import FakeHost, noisy
from tests.krita_plugin.runs.settings import QUICK

from scumble.history.keeper import NOTE, History
from scumble.panel.history import HistoryList
from scumble.qt import QtCore, QtGui
from scumble.settings import Settings


def lives(krita, **given):
    life = krita(FakeHost(noisy(96, 96), **given))
    history = History(life.host, life.runner)
    history.look("document-1")
    return life, history


def test_each_run_leaves_its_settings_thumbnails_and_layers(krita):
    life, history = lives(krita)
    shown = HistoryList(history)
    assert not shown.nothing.isHidden()
    life.until(life.start(replace(QUICK, prompt="oil", seed=2**63)), "done")
    life.spin(lambda: history.book.entries)
    (entry,) = history.book.entries
    assert entry.asked.settings == replace(QUICK, prompt="oil", seed=2**63)
    assert (entry.size, entry.placed.refined) == ((96, 96), "refined-1")
    for picture in (entry.before, entry.after):
        image = QtGui.QImage.fromData(picture, "JPG")
        assert (image.width(), image.height()) == (96, 96)
    assert shown.rows.count() == 1
    assert shown.nothing.isHidden()
    life.spin(lambda: not shown.rows.item(0).icon().isNull())
    # Another window, or the document opened again: the note is what counts.
    life.host.notes["document-9", NOTE] = life.host.notes["document-1", NOTE]
    history.look("document-9")
    life.spin(lambda: history.book.entries)
    assert history.book.entries == (replace(entry, placed=replace(entry.placed, document="document-9")),)
    history.look("")
    assert history.book.entries == ()


def test_the_list_gives_back_turns_runs_again_and_forgets(krita):
    life, history = lives(krita)
    shown = HistoryList(history)
    given, again = [], []
    shown.settings.connect(given.append)
    shown.again.connect(again.append)
    life.until(life.start(QUICK), "done")
    life.until(life.start(replace(QUICK, seed=5)), "done")
    life.spin(lambda: len(history.book.entries) == 2)
    assert shown.chosen.asked.settings.seed == 5  # the newest is the first
    shown.rows.setCurrentRow(1)
    shown.back.click()
    assert given == [QUICK]
    assert isinstance(given[0], Settings)
    shown.turn.click()
    shown.turn.click()
    assert life.host.shown == [("refined-1", True), ("refined-1", False)]
    shown.seed.click()
    assert again == [history.book.entries[0]]
    shown.delete.click()
    assert [entry.asked.settings.seed for entry in history.book.entries] == [5]
    life.host.show_before = lambda placed, before: False
    shown.turn.click()
    assert "any more" in shown.said.text()


def test_a_host_that_fails_costs_a_sentence_and_no_more(krita):
    life, history = lives(krita)
    shown = HistoryList(history)
    life.until(life.start(QUICK), "done")
    life.spin(lambda: history.book.entries)

    def broken(*_given):
        raise RuntimeError("wrapped C/C++ object has been deleted")

    life.host.show_before = life.host.save_note = broken
    shown.turn.click()
    assert "not foreseen" in shown.said.text()
    run = life.until(life.start(replace(QUICK, seed=6)), "done")
    assert run.state.sentence.startswith("Done")
    life.spin(lambda: history._adding is None)
    assert len(history.book.entries) == 1


def test_the_list_is_worked_by_keys(krita, qapp):
    life, history = lives(krita)
    shown = HistoryList(history)
    given = []
    shown.settings.connect(given.append)
    life.until(life.start(QUICK), "done")
    life.spin(lambda: history.book.entries)
    event = QtGui.QKeyEvent(
        QtCore.QEvent.Type.KeyPress, QtCore.Qt.Key.Key_Return, QtCore.Qt.KeyboardModifier.NoModifier
    )
    qapp.sendEvent(shown.rows, event)
    assert given == [QUICK]
