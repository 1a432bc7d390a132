import pytest
from tests.krita_plugin.panel.hands import QTest

from scumble.panel.look import Look
from scumble.panel.models import LoraList, ModelPickers
from scumble.qt import QtCore
from scumble.settings import MOST_LORAS, Lora, Settings
from scumble_bridge.fields import ModelChoice

LORAS = (ModelChoice("/a.safetensors", "a"), ModelChoice("/b.safetensors", "b"))


@pytest.fixture
def pickers(qapp):
    return ModelPickers()


@pytest.fixture
def loras(qapp):
    return LoraList(Look())


def test_models_come_back_known_or_not(pickers):
    value = Settings(base="/models/xl", refiner="none", upscaler="starter-x4")
    pickers.show_settings(value)
    assert pickers.into(Settings()) == value
    assert pickers.missing == ("Missing: xl",)


def test_a_model_that_the_core_does_not_have_stays_and_is_named_until_it_is_there(pickers):
    told = []
    pickers.changed.connect(lambda: told.append(True))
    pickers.show_settings(Settings(upscaler="C:\\models\\4x-sharp.pth"))
    others = (ModelChoice("none", "None"),)
    pickers.offer((ModelChoice("starter", "Starter"),), (ModelChoice("starter-refiner", "Refiner"),), others)
    assert pickers.upscaler.currentText() == "Missing: 4x-sharp.pth"
    assert "does not have it" in pickers.upscaler.toolTip()
    pickers.offer((), (), (*others, ModelChoice("C:\\models\\4x-sharp.pth", "Sharp")))
    assert pickers.upscaler.currentText() == "Sharp"
    assert pickers.into(Settings()).base == "starter"
    assert pickers.base.is_missing
    assert told == []


def test_what_is_no_longer_chosen_and_not_offered_is_dropped_at_the_next_list(pickers):
    pickers.show_settings(Settings(base="/gone"))
    pickers.show_settings(Settings(base="starter"))
    pickers.offer((ModelChoice("starter", "Starter"),), (), ())
    assert pickers.base.count() == 1


def test_loras_are_hidden_until_there_are_any(loras):
    assert loras.isHidden()
    loras.offer(LORAS)
    assert not loras.isHidden()
    loras.offer(())
    loras.show_settings(Settings(loras=(Lora("/gone.safetensors", 0.5),)))
    assert not loras.isHidden()
    assert loras.rows[0].choice.is_missing


def test_loras_and_their_weights_come_back(loras):
    loras.offer(LORAS)
    value = Settings(loras=(Lora("/b.safetensors", -0.351), Lora("/gone.safetensors", 2.0)))
    loras.show_settings(value)
    assert loras.into(Settings()) == value
    loras.show_settings(Settings())
    assert loras.into(value) == Settings()


def test_loras_are_added_weighed_and_removed_by_keys(loras):
    told = []
    loras.changed.connect(lambda: told.append(loras.into(Settings()).loras))
    loras.offer(LORAS)
    loras.show()
    QTest.keyClick(loras.add, QtCore.Qt.Key.Key_Space)
    QTest.keyClick(loras.add, QtCore.Qt.Key.Key_Space)
    assert told[-1] == (Lora("/a.safetensors"), Lora("/b.safetensors"))
    assert not loras.add.isEnabled()
    QTest.keyClick(loras.rows[1].weight, QtCore.Qt.Key.Key_Left)
    assert told[-1][1] == Lora("/b.safetensors", 0.95)
    QTest.keyClick(loras.rows[0].away, QtCore.Qt.Key.Key_Space)
    assert told[-1] == (Lora("/b.safetensors", 0.95),)
    assert loras.add.isEnabled()
    loras.deleteLater()


def test_there_is_an_end_to_loras(loras):
    loras.offer(ModelChoice(f"/{number}", str(number)) for number in range(99))
    for _ in range(MOST_LORAS):
        loras.add.click()
    assert len(loras.rows) == MOST_LORAS
    assert not loras.add.isEnabled()
