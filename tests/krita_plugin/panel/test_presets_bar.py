import json

import pytest
from tests.krita_plugin.panel.hands import QTest

from scumble.panel.dialogs import NameDialog, SaveDialog
from scumble.panel.form import SettingsForm
from scumble.presets import PresetFolder
from scumble.qt import QtCore, QtWidgets
from scumble.settings import Settings

Ok = QtWidgets.QDialogButtonBox.StandardButton.Ok


@pytest.fixture
def form(qapp, tmp_path):
    form = SettingsForm(PresetFolder(tmp_path / "presets"))
    form.show()
    yield form
    form.deleteLater()


def press(dialog, button=Ok):
    QTest.mouseClick(dialog.buttons.button(button), QtCore.Qt.MouseButton.LeftButton)


def entry(bar, text):
    return next(action for action in bar.menu().actions() if action.text().replace("&", "") == text)


def save(form, name):
    dialog = form.presets.ask_to_save()
    dialog.name.setText(name)
    press(dialog)
    return dialog


def names(form):
    return [form.presets.choice.itemData(at) for at in range(form.presets.choice.count())]


def test_the_bar_names_the_preset_that_fits_whoever_set_it(form):
    assert form.presets.choice.currentText() == "Standard"
    form.amount.strength.setValue(15)
    assert form.presets.choice.currentText() == "Gentle"
    form.amount.strength.setValue(16)
    assert form.presets.choice.currentText() == "Own settings"


def test_choosing_a_preset_sets_what_it_holds_and_no_more(form):
    told = []
    form.changed.connect(lambda: told.append(form.settings))
    form.show_settings(Settings(prompt="a cat", scale=3.0, seed=9))
    form.presets.choice.setFocus()
    form.presets.choice.choose("Strong detail")
    assert form.settings == Settings(prompt="a cat", scale=3.0, seed=9, strength=0.45, complexity=False)
    assert told == [form.settings]
    assert form.presets.choice.currentText() == "Strong detail"


def test_what_is_set_is_saved_and_comes_back(form):
    form.amount.strength.setValue(61)
    save(form, "Night")
    assert form.presets.choice.currentText() == "Night"
    form.presets.choice.choose("Standard")
    assert form.settings.strength == 0.25
    form.presets.choice.choose("Night")
    assert form.settings.strength == 0.61
    # It is proposed when the artist saves again.
    form.amount.strength.setValue(70)
    assert form.presets.ask_to_save().name.text() == "Night"


def test_a_preset_holds_the_parts_that_are_ticked(form, tmp_path):
    form.show_settings(Settings(prompt="cat", base="/xl", scale=3.0))
    dialog = form.presets.ask_to_save()
    dialog.name.setText("Words")
    for part, box in dialog.boxes.items():
        box.setChecked(part == "prompt")
    press(dialog)
    saved = json.loads(next((tmp_path / "presets").glob("*.json")).read_text())["settings"]
    assert saved == {"prompt": "cat", "negative_prompt": "", "styles": []}
    dialog = form.presets.ask_to_save()
    for box in dialog.boxes.values():
        box.setChecked(False)
    assert not dialog.buttons.button(Ok).isEnabled()


def test_a_name_that_is_taken_or_empty_is_refused_in_the_window_which_stays(form):
    dialog = save(form, "Gentle")
    assert "comes with Scumble" in dialog.problem.text()
    assert dialog.isVisible()
    dialog.name.setText(" ")
    press(dialog)
    assert "no name" in dialog.problem.text()
    dialog.name.setText("Mine")
    press(dialog)
    assert "Mine" in names(form)


def test_renamed_and_deleted_by_the_menu(form):
    form.amount.strength.setValue(61)
    save(form, "Night")
    entry(form.presets, "Rename…").trigger()
    dialog = form.presets.findChild(NameDialog)
    dialog.name.setText("Dawn")
    press(dialog)
    assert form.presets.choice.currentText() == "Dawn"
    entry(form.presets, "Delete…").trigger()
    box = form.presets.findChild(QtWidgets.QMessageBox, "scumble_delete_preset")
    assert "Dawn" in box.text()
    assert box.defaultButton() is box.button(QtWidgets.QMessageBox.StandardButton.Cancel)
    next(button for button in box.buttons() if button is not box.defaultButton()).click()
    assert names(form) == [name for name in names(form) if name != "Dawn"]
    assert form.settings.strength == 0.61


def test_a_shipped_preset_can_be_exported_but_not_changed(form):
    form.presets.choice.choose("Gentle")
    can = {action.text().replace("&", ""): action.isEnabled() for action in form.presets.menu().actions()}
    assert can == {"Rename…": False, "Delete…": False, "Import…": True, "Export…": True}


def test_a_preset_goes_out_and_comes_in_by_file(form, tmp_path):
    form.presets.choice.choose("Gentle")
    entry(form.presets, "Export…").trigger()
    dialog = form.presets.findChild(QtWidgets.QFileDialog, "scumble_export_preset")
    dialog.fileSelected.emit(str(tmp_path / "out.json"))
    dialog.close()
    entry(form.presets, "Import…").trigger()
    dialog = form.presets.findChild(QtWidgets.QFileDialog, "scumble_import_preset")
    dialog.fileSelected.emit(str(tmp_path / "out.json"))
    dialog.close()
    assert "Gentle 2" in names(form)
    assert form.presets.said.text() == "Imported: Gentle 2"


def test_a_file_that_is_none_is_refused_in_words(form, tmp_path):
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe\x00")
    entry(form.presets, "Import…").trigger()
    dialog = form.presets.findChild(QtWidgets.QFileDialog, "scumble_import_preset")
    dialog.fileSelected.emit(str(tmp_path / "bad.json"))
    dialog.close()
    assert "bad.json is no preset" in form.presets.said.text()
    assert form.presets.said.isVisible()


def test_no_window_runs_an_event_loop_of_its_own(form):
    """Krita's nodes break when they are changed from within one: each call comes back while its window is open."""
    assert isinstance(form.presets.ask_to_save(), SaveDialog)
    assert form.presets.findChild(SaveDialog).isVisible()
