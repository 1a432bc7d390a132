import pytest
from tests.krita_plugin.panel.hands import QTest

from scumble.host.contract import LayerChoice, Wanted
from scumble.panel.source import THUMBNAIL, SourcePicker
from scumble.qt import QtCore, QtGui
from scumble.settings import Settings

LAYERS = (LayerChoice("{1}", "Figure", 0), LayerChoice("{2}", "Face", 1))


@pytest.fixture
def picker(qapp):
    picker = SourcePicker()
    picker.show_layers(LAYERS)
    picker.show()
    yield picker
    picker.deleteLater()


@pytest.mark.parametrize(
    "wanted",
    [Wanted("canvas"), Wanted("layer", ""), Wanted("layer", "{2}"), Wanted("layer", "{9}"), Wanted("selection")],
)
def test_what_is_wanted_comes_back(picker, wanted):
    picker.show_settings(Settings(source=wanted.source, layer=wanted.layer))
    assert picker.wanted == wanted
    assert picker.layer.isVisible() == (wanted.source == "layer")


def test_layers_are_set_in_as_they_lie_in_their_groups(picker):
    assert [picker.layer.itemText(at).replace("\u2003", "> ") for at in range(3)] == [
        "Active layer",
        "Figure",
        "> Face",
    ]


def test_a_layer_that_is_gone_stays_chosen_and_says_so(picker):
    picker.show_settings(Settings(source="layer", layer="{2}"))
    picker.show_layers(LAYERS[:1])
    assert picker.wanted == Wanted("layer", "{2}")
    assert picker.layer.currentText() == "Missing layer"
    assert picker.layer.is_missing
    picker.show_layers(LAYERS)
    assert picker.layer.currentText().endswith("Face")
    assert not picker.layer.is_missing


def test_the_list_is_asked_for_before_it_opens(picker):
    asked = []
    picker.look_wanted.connect(lambda: asked.append(True))
    picker.show_settings(Settings(source="layer"))
    picker.layer.showPopup()
    picker.layer.hidePopup()
    assert asked == [True]


def test_keys_choose_a_source_and_that_is_told_once(picker):
    told = []
    picker.changed.connect(lambda: told.append(picker.wanted.source))
    picker.source.setFocus()
    QTest.keyClick(picker.source, QtCore.Qt.Key.Key_Down)
    QTest.keyClick(picker.source, QtCore.Qt.Key.Key_Down)
    assert told == ["layer", "selection"]


@pytest.mark.parametrize(("width", "height"), [(4000, 10), (10, 4000), (1, 1), (64, 64)])
def test_a_thumbnail_keeps_its_shape_and_lets_the_ground_show_where_it_is_clear(picker, qapp, width, height):
    image = QtGui.QImage(width, height, QtGui.QImage.Format.Format_ARGB32)
    image.fill(QtGui.QColor(255, 0, 0, 0))
    picker.show_thumbnail(image)
    picker.say("10 × 10")
    qapp.processEvents()
    assert picker.thumbnail.isVisible()
    assert picker.thumbnail.sizeHint().width() <= THUMBNAIL
    clear = picker.thumbnail.grab().toImage()
    image.fill(QtGui.QColor(255, 0, 0))
    picker.show_thumbnail(image)
    assert picker.thumbnail.grab().toImage().pixelColor(0, 0) == QtGui.QColor(255, 0, 0)
    assert clear.pixelColor(0, 0) != QtGui.QColor(255, 0, 0)
    picker.show_thumbnail(None)
    assert not picker.thumbnail.isVisible()
    assert picker.thumbnail.accessibleDescription() == "10 × 10"
