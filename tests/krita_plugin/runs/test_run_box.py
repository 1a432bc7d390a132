"""The run's part of the panel: what is seen and what can be pressed, at each turn of real runs."""

from dataclasses import replace

from tests.krita_plugin.fake_host import FakeHost, noisy, picture
from tests.krita_plugin.runs.settings import QUICK, TILED

from scumble.geometry import Box
from scumble.panel.run import RunBox
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.runs.order import Asked


def seen(box):
    return {
        button.objectName().removeprefix("scumble_")
        for button in box.findChildren(QtWidgets.QPushButton)
        if not button.isHidden() and button.isEnabled()
    }


def test_each_turn_of_a_run_offers_what_can_be_done_then(krita):
    life = krita(FakeHost(noisy(400, 400, seed=40)))
    box = RunBox(life.runner)
    assert seen(box) == {"refine"}
    assert box.bar.isHidden()
    run = life.start(TILED)
    box.show_run(run)
    life.until_tiles(run)
    assert seen(box) == {"refine", "pause", "cancel"}
    assert box.bar.value() > 0
    assert "tile" in box.status.text()
    box.pause.click()
    life.until(run, "paused")
    assert box.pause.text() == "Resume"
    assert not box.bar.isHidden()
    box.pause.click()
    life.until_tiles(run, run.state.done)
    box.cancel.click()
    life.until(run, "offered")
    assert seen(box) == {"refine", "continue", "discard"}
    box.go_on.click()
    life.until(run, "done")
    assert seen(box) == {"refine"}
    assert box.status.text().startswith("Done")
    assert not box.preview.isHidden()


def test_a_trial_is_looked_at_before_and_after_and_then_placed_or_not(krita, qapp):
    life = krita(FakeHost(noisy(256, 256, seed=41)))
    box = RunBox(life.runner)
    run = life.runner.start(Asked(replace(QUICK, strength=0.5), Box(64, 64, 128, 128)))
    box.show_run(run)
    life.until(run, "ready")
    assert seen(box) == {"refine", "place", "discard"}
    after = box.preview.image
    for press, release in (
        (mouse(QtCore.QEvent.Type.MouseButtonPress), mouse(QtCore.QEvent.Type.MouseButtonRelease)),
        (space(QtCore.QEvent.Type.KeyPress), space(QtCore.QEvent.Type.KeyRelease)),
    ):
        qapp.sendEvent(box.preview, press)
        assert box.preview.image == run.before != after
        qapp.sendEvent(box.preview, release)
        assert box.preview.image == after
    box.discard.click()
    assert run.state.phase == "stopped"
    assert not life.host.placed


def mouse(kind):
    left, none = QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier
    return QtGui.QMouseEvent(kind, QtCore.QPointF(5, 5), QtCore.QPointF(5, 5), left, left, none)


def space(kind):
    return QtGui.QKeyEvent(kind, QtCore.Qt.Key.Key_Space, QtCore.Qt.KeyboardModifier.NoModifier)


def test_when_nothing_can_be_refined_the_button_says_why(krita):
    box = RunBox(krita(FakeHost(picture())).runner)
    box.set_reason("Open or create a document first.")
    assert not box.start.isEnabled()
    assert box.start.toolTip() == box.status.text() == "Open or create a document first."
    box.set_reason("")
    assert box.start.isEnabled()
    assert box.status.isHidden()


def test_the_menu_has_each_way_to_refine_and_a_tip_for_it(krita):
    box = RunBox(krita(FakeHost(picture())).runner)
    chosen = []
    for name in ("refine", "trial", "repeat", "redo_tile", "here_again"):
        getattr(box, name).connect(lambda name=name: chosen.append(name))
    for action in box.more.menu().actions():
        assert action.toolTip() != action.text()
        action.trigger()
    assert len(chosen) == len(box.more.menu().actions()) >= 5


def test_it_fits_a_narrow_docker_and_every_control_is_reached_by_keys(krita):
    box = RunBox(krita(FakeHost(picture())).runner)
    assert box.minimumSizeHint().width() <= 260
    for widget in (*box.findChildren(QtWidgets.QPushButton), box.more, box.preview):
        assert widget.focusPolicy() & QtCore.Qt.FocusPolicy.TabFocus
        assert widget.toolTip()
