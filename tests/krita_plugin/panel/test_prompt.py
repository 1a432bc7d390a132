import pytest
from tests.krita_plugin.panel.hands import QTest

from scumble.panel.dialogs import StyleDialog
from scumble.panel.look import Look
from scumble.panel.prompt import PromptBoxes
from scumble.prompts import MOST_PROMPT, PromptHistory, PromptPair, Snippet, shipped
from scumble.qt import QtCore, QtWidgets
from scumble.settings import Settings

Key, Control = QtCore.Qt.Key, QtCore.Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def boxes(qapp):
    boxes = PromptBoxes(Look())
    boxes.resize(250, 200)
    boxes.show()
    yield boxes
    boxes.deleteLater()


def entry(menu, text):
    return next(action for action in menu.actions() if action.text() == text)


def test_both_prompts_and_the_styles_come_back(boxes):
    value = Settings(prompt="a\ncat", negative_prompt="dog", styles=(Snippet("Mine", "{prompt}, red"), shipped()[0]))
    boxes.show_settings(value)
    assert boxes.into(Settings()) == value
    assert "Mine" in boxes.said.text()


def test_the_keys_leaf_through_earlier_prompts_and_back_to_the_draft(boxes):
    for prompt in ("one", "two"):
        boxes.show_settings(Settings(prompt=prompt, negative_prompt=f"not {prompt}"))
        boxes.remember()
    boxes.show_settings(Settings(prompt="draft"))
    seen = []
    for key in (Key.Key_Up, Key.Key_Up, Key.Key_Up, Key.Key_Down, Key.Key_Down):
        QTest.keyClick(boxes.prompt, key, Control)
        seen.append(boxes.pair)
    assert [pair.prompt for pair in seen] == ["two", "one", "one", "two", "draft"]
    assert seen[0].negative == "not two"


def test_the_menu_gives_an_earlier_prompt_in_one_line(boxes):
    assert not boxes.earlier.isEnabled()
    long = "a & b\n" + "word " * 60
    boxes.show_history(PromptHistory((PromptPair(long, "no"), PromptPair("", "only what should not be"))))
    first, second = boxes.history_menu().actions()
    assert first.text().startswith("a && b word")
    assert len(first.text()) < 60
    assert "only what should not be" in second.text()
    first.trigger()
    assert boxes.pair == (long, "no")


def test_a_run_is_remembered_once(boxes):
    told = []
    boxes.history_changed.connect(lambda: told.append(boxes.history.entries))
    boxes.show_settings(Settings(prompt="a cat"))
    boxes.remember()
    boxes.remember()
    assert told[-1] == (PromptPair("a cat"),)
    assert boxes.earlier.isEnabled()


def test_styles_are_switched_in_the_menu(boxes):
    changes = []
    boxes.changed.connect(lambda: changes.append(boxes.into(Settings()).styles))
    entry(boxes.style_menu(), "Watercolour").trigger()
    assert changes[-1] == (shipped()[2],)
    assert entry(boxes.style_menu(), "Watercolour").isChecked()
    entry(boxes.style_menu(), "Watercolour").trigger()
    assert changes[-1] == ()
    assert not boxes.said.isVisible()


def test_a_style_of_ones_own_is_made_used_and_deleted(boxes):
    stored = []
    boxes.styles_changed.connect(lambda: stored.append(boxes.styles))
    boxes.show_settings(Settings(prompt="red, gold"))
    entry(boxes.style_menu(), "New style…").trigger()
    dialog = boxes.findChild(StyleDialog)
    ok = dialog.buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Ok)
    QTest.mouseClick(ok, QtCore.Qt.MouseButton.LeftButton)
    assert "needs a name" in dialog.problem.text()
    QTest.keyClicks(dialog.name, "Royal")
    QTest.mouseClick(ok, QtCore.Qt.MouseButton.LeftButton)
    royal = Snippet("Royal", "{prompt}, red, gold")
    assert stored == [(royal,)]
    assert boxes.into(Settings()).styles == (royal,)
    entry(entry(boxes.style_menu(), "Delete a style").menu(), "Royal").trigger()
    assert stored[-1] == ()
    assert boxes.into(Settings()).styles == ()


def test_a_style_of_another_artists_stays_in_the_menu_while_it_is_in_use(boxes):
    boxes.show_settings(Settings(styles=(Snippet("Foreign", "{prompt}, green"),)))
    assert entry(boxes.style_menu(), "Foreign").isChecked()


def test_a_model_that_reads_no_text_is_named_in_the_box(boxes):
    boxes.heed(Settings(base="starter"))
    assert "reads no text" in boxes.prompt.placeholderText()
    boxes.heed(Settings(base="/models/xl", prompt="cat", styles=(shipped()[0],)))
    assert "reads no text" not in boxes.prompt.placeholderText()
    assert "cat, photograph" in boxes.prompt.toolTip()


def test_tab_leaves_the_box_and_the_box_grows_with_its_text(boxes, qapp):
    boxes.prompt.setFocus()
    QTest.keyClick(boxes.prompt, Key.Key_Tab)
    assert boxes.pair.prompt == ""
    before = boxes.prompt.height()
    boxes.prompt.setPlainText("line\n" * 5)
    assert boxes.prompt.height() > before
    boxes.prompt.setPlainText("line\n" * 500)
    assert boxes.prompt.height() < 12 * boxes.fontMetrics().lineSpacing()


@pytest.mark.parametrize("lines", [1, 2, 3, 6])
def test_text_that_fits_needs_no_scroll_bar(boxes, qapp, lines):
    boxes.prompt.setPlainText("\n".join(["line"] * lines))
    qapp.processEvents()
    assert not boxes.prompt.verticalScrollBar().isVisible()


def test_no_more_is_taken_than_can_be_sent(boxes):
    boxes.prompt.setPlainText("x" * (MOST_PROMPT + 5))
    assert len(boxes.pair.prompt) == MOST_PROMPT
