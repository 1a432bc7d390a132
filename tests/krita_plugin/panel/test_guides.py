"""Strength map and regions: layers of the document that say where."""

import pytest
from tests.krita_plugin.panel.hands import QTest

from scumble.host.contract import Guides, LayerChoice, Wanted
from scumble.panel.guides import RegionList, StrengthMap
from scumble.panel.look import Look
from scumble.prompts import MOST_REGION_PROMPT, fitted
from scumble.qt import QtCore
from scumble.settings import MOST_REGIONS, Region, Settings
from scumble_core.request import RefineRequest

LAYERS = (
    LayerChoice("{paint}", "Paint", 0, True, True),
    LayerChoice("{mask}", "Mask", 1, False, True),
    LayerChoice("{group}", "Group", 0, True, False),
)


@pytest.fixture
def strength(qapp):
    part = StrengthMap()
    part.show_layers(LAYERS)
    return part


@pytest.fixture
def regions(qapp):
    part = RegionList(Look())
    part.show_layers(LAYERS)
    part.show()
    yield part
    part.deleteLater()


def entries(picker):
    return [picker.itemData(row) for row in range(picker.count())]


def test_paint_layers_and_masks_may_say_where_and_groups_may_not(strength):
    assert entries(strength.layer) == ["", "{paint}", "{mask}"]
    assert strength.layer.currentText() == "Same everywhere"


def test_a_map_whose_layer_is_gone_stays_chosen_and_says_so(strength):
    value = Settings(strength_map="{mask}", without_guides=False)
    strength.show_settings(value)
    strength.show_layers(LAYERS[:1])
    assert strength.into(Settings()) == value
    assert strength.layer.currentText() == "Missing layer"
    assert "not in this document" in strength.layer.toolTip()


def test_regions_are_added_written_and_removed_by_keys(regions):
    told = []
    regions.changed.connect(lambda: told.append(regions.into(Settings()).regions))
    QTest.keyClick(regions.add, QtCore.Qt.Key.Key_Space)
    QTest.keyClicks(regions.rows[0].prompt, "moss")
    QTest.keyClick(regions.add, QtCore.Qt.Key.Key_Space)
    QTest.keyClick(regions.add, QtCore.Qt.Key.Key_Space)
    assert told[-1] == (Region("{paint}", "moss"), Region("{mask}"), Region(""))
    QTest.keyClick(regions.rows[2].layer, QtCore.Qt.Key.Key_Down)
    assert told[-1][2] == Region("{paint}")
    QTest.keyClick(regions.rows[0].away, QtCore.Qt.Key.Key_Space)
    assert told[-1] == (Region("{mask}"), Region("{paint}"))


def test_there_is_an_end_to_regions(regions):
    for _ in range(MOST_REGIONS):
        regions.add.click()
    assert len(regions.rows) == MOST_REGIONS
    assert not regions.add.isEnabled()


def test_a_model_that_reads_no_text_is_named_beside_regions(regions):
    regions.show_settings(Settings(regions=(Region("{mask}", "moss"),)))
    assert regions.words.isVisible()
    regions.heed(Settings(base="/models/xl"))
    assert not regions.words.isVisible()


def test_a_method_that_refines_all_places_alike_takes_no_guides_and_still_leaves_them_out(strength, regions):
    value = Settings(preset="mikey", strength_map="{mask}", regions=(Region("{paint}", "moss"),))
    strength.show_settings(value)
    regions.show_settings(value)
    assert not strength.layer.isEnabled()
    assert "all places alike" in strength.layer.toolTip()
    assert not regions.add.isEnabled()
    assert not regions.rows[0].prompt.isEnabled()
    assert value.wanted == Wanted(guides=Guides(left_out=("{mask}", "{paint}")))
    assert "regions" not in value.request(0, 0)


def test_guides_are_wanted_with_the_source_and_left_out_of_it_where_that_is_wished():
    value = Settings(strength_map="{mask}", regions=(Region("{paint}", "moss"), Region("", "sky")))
    assert value.wanted.guides == Guides("{mask}", ("{paint}", ""), ("{mask}", "{paint}"))
    assert Settings(strength_map="{mask}", without_guides=False).wanted.guides == Guides("{mask}")


def test_long_prompts_of_many_regions_are_cut_so_that_all_can_be_sent():
    asked = Settings(regions=tuple(Region("x", "a" * MOST_REGION_PROMPT) for _ in range(MOST_REGIONS))).request(0, 0)
    assert sum(len(region.prompt) for region in RefineRequest.from_dict(asked).regions) <= 1600
    assert fitted(["moss", "a" * MOST_REGION_PROMPT]) == ["moss", "a" * MOST_REGION_PROMPT]
