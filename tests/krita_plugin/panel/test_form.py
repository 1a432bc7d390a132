"""The whole column of settings, as an artist meets it."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from tests.krita_plugin.panel.hands import QTest, turn_wheel
from tests.krita_plugin.strategies import settings

from scumble.host.contract import LayerChoice
from scumble.limits import METHODS
from scumble.panel.form import SettingsForm
from scumble.panel.look import NARROWEST
from scumble.presets import PresetFolder
from scumble.prompts import PromptHistory, PromptPair, Snippet
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.settings import MOST_SEED, Lora, Region, Settings
from scumble_bridge.fields import ModelChoice

SHOTS = Path(__file__).parents[3] / "build" / "panel"
# Letters that open Krita's own menus; a docker must not take them.
KRITAS = frozenset("FEVILSRTNWH")
CONTROLS = (
    QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox, QtWidgets.QPlainTextEdit,
)  # fmt: skip
FULL = Settings(
    source="selection",
    prompt="A portrait of an old fisherman in a yellow raincoat, grey beard, harbour in the evening light",
    negative_prompt="blurry",
    styles=(Snippet("Oil painting", "{prompt}, oil painting"),),
    scale=1.75,
    strength=0.437,
    seed=MOST_SEED,
    base="/models/juggernaut-xl-v9",
    loras=(Lora("a", 0.8), Lora("/x/gone.safetensors", -0.35)),
    steps=20,
    guidance=6.5,
    tile_size=1024,
    opacity=80,
    strength_map="mask",
    regions=(Region("paint", "a harbour wall, wet stone and moss in the evening light"), Region("gone")),
)


def palette(is_dark):
    """Like Krita's own themes."""
    roles = QtGui.QPalette.ColorRole
    dark = ("#31363b", "#eff0f1", "#232629", "#607282", "#eff0f1", "#24292c")
    light = ("#d4d4d4", "#232323", "#f2f2f2", "#7396c0", "#ffffff", "#b0b0b0")
    window, text, base, highlight, highlighted, mid = dark if is_dark else light
    made = QtGui.QPalette(QtGui.QColor(window))
    for role, colour in (
        (roles.Window, window), (roles.WindowText, text), (roles.Base, base), (roles.Text, text),
        (roles.Button, window), (roles.ButtonText, text), (roles.Highlight, highlight),
        (roles.HighlightedText, highlighted), (roles.Mid, mid),
    ):  # fmt: skip
        made.setColor(role, QtGui.QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QtGui.QPalette.ColorGroup.Disabled, role, QtGui.QColor("#8a8e92"))
    return made


@pytest.fixture
def form(qapp, tmp_path):
    form = SettingsForm(PresetFolder(tmp_path / "presets"))
    yield form
    form.deleteLater()


def fill(form):
    form.loras.offer((ModelChoice("a", "A very long name of a LoRA file"), ModelChoice("b", "b")))
    own = (ModelChoice("own", "A very long name of a model"),)
    form.additions.offer(own, own, own, own)
    form.prompt.show_history(PromptHistory((PromptPair("old"),)))
    image = QtGui.QImage(300, 200, QtGui.QImage.Format.Format_ARGB32)
    image.fill(QtGui.QColor(200, 80, 50, 160))
    form.source.show_thumbnail(image)
    form.source.say("1920 × 1080, RGB/Alpha 16 bits, sRGB-elle-V2-g10.icc")
    form.show_layers((LayerChoice("paint", "Paint", 0, True, True), LayerChoice("mask", "Mask", 1, False, True)))
    form.show_settings(FULL)
    form.show_sections("guides layers expert")


def is_roomy(part):
    """A button that is narrower than its style would make it, but wider than its words."""
    is_button = isinstance(part, QtWidgets.QToolButton)
    return is_button and part.width() >= part.fontMetrics().horizontalAdvance(part.text()) + 8


def controls(form):
    return [part for kind in CONTROLS for part in form.findChildren(kind) if part.isVisibleTo(form)]


@given(settings)
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_settings_come_back_as_they_were_and_nobody_is_told(form, value):
    told = []
    form.changed.connect(lambda: told.append(value))
    form.show_settings(value)
    assert form.settings == value
    assert told == []


def test_every_edit_is_told_with_the_new_settings(form):
    told = []
    form.changed.connect(lambda: told.append(form.settings))
    form.prompt.prompt.setPlainText("cat")
    form.amount.quick[4.0].click()
    form.detail.checks["skip_flat"].click()
    form.placement.group.click()
    assert told[-1] == Settings(prompt="cat", scale=4.0, skip_flat=False, group=False)
    assert form.amount.quick[4.0].isChecked()
    assert not form.amount.quick[2.0].isChecked()


@pytest.mark.parametrize("method", METHODS)
def test_what_a_method_decides_itself_can_not_be_set_and_says_why(form, method):
    form.show_settings(Settings(source="selection", first_pass=True, preset=method))
    for name, part in {**form.detail.numbers, **form.detail.choices, **form.detail.checks}.items():
        assert part.isEnabled() == METHODS[method].allows(name)
        assert ("decides this itself" in part.toolTip()) == (not part.isEnabled())
        assert bool(part.accessibleDescription()) == (not part.isEnabled())


def test_what_concerns_a_selection_alone_can_be_set_only_for_one(form):
    for source, is_selection in (("canvas", False), ("selection", True), ("layer", False)):
        form.source.source.choose(source)
        assert form.detail.numbers["soft_edge"].isEnabled() == is_selection
        assert form.placement.masked.isEnabled() == is_selection
        assert form.placement.destination.isEnabled() == (not is_selection)
    assert "Only for a selection" in form.detail.numbers["grow"].toolTip()


@pytest.mark.parametrize("is_dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_nothing_is_cut_off_in_the_narrowest_docker(qapp, tmp_path, monkeypatch, is_dark, language):
    before = qapp.palette()
    qapp.setPalette(palette(is_dark))
    monkeypatch.setenv("SCUMBLE_LANGUAGE", language)
    form = SettingsForm(PresetFolder(tmp_path / "presets"))
    try:
        fill(form)
        form.resize(NARROWEST, form.sizeHint().height())
        form.show()
        qapp.processEvents()
        form.resize(NARROWEST, form.sizeHint().height())
        qapp.processEvents()
        assert form.minimumSizeHint().width() <= NARROWEST
        for part in controls(form):
            left = part.mapTo(form, QtCore.QPoint(0, 0)).x()
            assert left >= 0 and left + part.width() <= form.width(), part.objectName()
            assert part.width() >= part.minimumSizeHint().width() or is_roomy(part), part.objectName()
            if not isinstance(part, QtWidgets.QPlainTextEdit):  # it scrolls
                assert part.height() >= part.minimumSizeHint().height(), part.objectName()
        for label in form.findChildren(QtWidgets.QLabel):
            if label.isVisibleTo(form):
                assert label.height() >= label.heightForWidth(label.width()), label.text()
                assert label.wordWrap() or label.width() >= label.sizeHint().width(), label.text()
        SHOTS.mkdir(parents=True, exist_ok=True)
        shot = form.grab()
        assert shot.save(str(SHOTS / f"settings-{language}-{'dark' if is_dark else 'light'}.png"))
        ground, ink = form.palette().color(form.backgroundRole()), form.palette().color(form.foregroundRole())
        assert abs(ground.lightness() - ink.lightness()) > 100
    finally:
        form.deleteLater()
        qapp.setPalette(before)


def test_every_control_can_be_reached_by_tab_in_the_order_of_the_eye(form, qapp):
    fill(form)
    form.resize(NARROWEST, form.sizeHint().height())
    form.show()
    qapp.processEvents()
    wanted = {part for part in controls(form) if part.isEnabled()}
    assert all(part.focusPolicy() & QtCore.Qt.FocusPolicy.TabFocus for part in wanted)
    reached = []
    at = form.nextInFocusChain()
    while at is not form:
        if at in wanted:
            reached.append(at)
        at = at.nextInFocusChain()
    assert set(reached) == wanted
    middles = [part.mapTo(form, QtCore.QPoint(0, part.height() // 2)).y() for part in reached]
    # By rows; parts of one row lie a pixel or two higher or lower.
    assert all(later >= earlier - 4 for earlier, later in pairwise(middles)), [part.objectName() for part in reached]


def test_every_control_has_a_name_of_its_own_words_for_screen_readers_and_a_tip(form):
    fill(form)
    names = [part.objectName() for part in controls(form)]
    assert len(set(names)) == len(names)
    for part in controls(form):
        assert part.objectName().startswith("scumble_")
        said = part.accessibleName() or (part.text() if isinstance(part, QtWidgets.QCheckBox) else "")
        assert said, part.objectName()
        if "section" not in part.objectName():
            assert part.toolTip(), part.objectName()


def test_no_letter_is_used_twice_nor_taken_from_kritas_menus(form):
    texts = [label.text() for label in form.findChildren(QtWidgets.QLabel) if label.buddy()]
    texts += [button.text() for button in form.findChildren(QtWidgets.QAbstractButton)]
    letters = [text[text.index("&") + 1].upper() for text in texts if "&" in text]
    assert len(letters) >= 10
    assert len(set(letters)) == len(letters)
    assert not set(letters) & KRITAS


def test_sections_fold_by_key_and_are_remembered(form):
    form.show()
    assert not form.detail.isVisible()
    QTest.keyClick(form.expert_section.heading, QtCore.Qt.Key.Key_Space)
    assert form.detail.isVisible()
    assert "opened" in form.expert_section.heading.accessibleName()
    assert form.open_sections == "expert"
    form.show_sections("layers")
    assert form.placement.isVisible()
    assert not form.detail.isVisible()


def test_a_wheel_over_a_field_that_is_not_in_use_changes_nothing(form, qapp):
    form.show_sections("guides layers expert")
    form.show()
    form.setFocus()
    qapp.processEvents()
    before = form.settings
    for part in controls(form):
        turn_wheel(part)
    assert form.settings == before


def test_a_surprise_in_a_slot_is_said_and_goes_no_further(form, monkeypatch):
    said = []
    form.failed.connect(said.append)
    monkeypatch.setattr(form.seed, "_draw", lambda: 1 // 0)
    form.seed.dice.click()
    assert len(said) == 1
    assert "not foreseen" in said[0]
