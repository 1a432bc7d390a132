import pytest
from tests.krita_plugin.panel.hands import QTest

from scumble.panel.look import Look
from scumble.panel.seed import SeedRow
from scumble.qt import QtCore, QtGui, QtWidgets
from scumble.settings import MOST_SEED, Settings

Key = QtCore.Qt.Key


@pytest.fixture
def row(qapp):
    row = SeedRow(Look(), draw=lambda: 2**63 + 5)
    row.show_settings(Settings())
    row.seen = []
    row.changed.connect(lambda: row.seen.append(row.into(Settings()).seed))
    row.show()
    yield row
    row.deleteLater()


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**63, MOST_SEED])
@pytest.mark.parametrize("is_locked", [True, False])
def test_every_seed_of_64_bits_comes_back(row, seed, is_locked):
    value = Settings(seed=seed, seed_locked=is_locked)
    row.show_settings(value)
    assert row.into(Settings(seed=7)) == value
    assert row.seen == []


def test_a_seed_can_be_typed_and_nothing_but_a_seed(row):
    row.seed.selectAll()
    QTest.keyClicks(row.seed, "x18446744073709551616")
    assert row.seed.text() == "1844674407370955161"
    QTest.keyClicks(row.seed, "5")
    QTest.keyClick(row.seed, Key.Key_Return)
    assert row.into(Settings()).seed == MOST_SEED == row.seen[-1]


def test_an_emptied_box_goes_back_to_its_seed(row):
    row.show_settings(Settings(seed=42))
    row.seed.selectAll()
    QTest.keyClick(row.seed, Key.Key_Delete)
    assert row.into(Settings()).seed == 42
    QTest.keyClick(row.seed, Key.Key_Return)
    assert row.seed.text() == "42"


def test_arrow_keys_step_and_stop_at_both_ends(row):
    QTest.keyClick(row.seed, Key.Key_Down)
    assert row.seed.value() == 0
    QTest.keyClick(row.seed, Key.Key_Up)
    assert row.seed.value() == 1
    row.show_settings(Settings(seed=MOST_SEED))
    QTest.keyClick(row.seed, Key.Key_Up)
    assert row.seed.value() == MOST_SEED


def test_a_number_can_be_pasted_with_spaces_around_it(row):
    QtWidgets.QApplication.clipboard().setText(" 987654321987654321\n")
    row.seed.selectAll()
    row.seed.lineEdit().paste()
    QTest.keyClick(row.seed, Key.Key_Return)
    assert row.seed.value() == 987654321987654321
    assert row.seed.text() == "987654321987654321"


def test_the_die_throws_a_new_seed_and_the_lock_says_what_it_does(row):
    QTest.keyClick(row.dice, Key.Key_Space)
    assert row.seen == [2**63 + 5]
    said = row.lock.toolTip()
    QTest.keyClick(row.lock, Key.Key_Space)
    assert not row.into(Settings()).seed_locked
    assert row.lock.toolTip() != said


def test_buttons_show_kritas_icons_where_there_are_any_and_always_have_a_name(qapp):
    pixmap = QtGui.QPixmap(16, 16)
    pixmap.fill(QtCore.Qt.GlobalColor.red)
    asked = []

    def icon(name):
        asked.append(name)
        return QtGui.QIcon(pixmap)

    row = SeedRow(Look(icon))
    lock = row.lock
    assert "layer-unlocked" in asked
    assert not lock.icon().isNull()
    assert lock.toolButtonStyle() == QtCore.Qt.ToolButtonStyle.ToolButtonIconOnly
    assert lock.accessibleName() == "Lock the seed"
