import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.krita_plugin.panel.hands import QTest, drag_on

from scumble.panel.slider import SliderSpin
from scumble.panel.widgets import Number
from scumble.qt import QtCore

Key, Button, Shift = QtCore.Qt.Key, QtCore.Qt.MouseButton, QtCore.Qt.KeyboardModifier.ShiftModifier
NONE = QtCore.Qt.KeyboardModifier.NoModifier


@pytest.fixture
def slider(qapp):
    slider = SliderSpin("it", "", (0.0, 1.0), decimals=1, factor=100, suffix=" %")
    slider.show_exact(0.25)
    slider.resize(220, slider.sizeHint().height())
    slider.show()
    slider.setFocus()
    yield slider
    slider.deleteLater()


def at(slider, share):
    line = slider.lineEdit()
    return QtCore.QPoint(round(share * (line.width() - 1)), line.height() // 2)


def drag(slider, begin, end, modifier=NONE):
    line = slider.lineEdit()
    QTest.mousePress(line, Button.LeftButton, modifier, at(slider, begin))
    drag_on(line, at(slider, end), modifier)
    QTest.mouseRelease(line, Button.LeftButton, modifier, at(slider, end))


def test_a_click_sets_the_value_and_a_drag_goes_on(slider):
    QTest.mouseClick(slider.lineEdit(), Button.LeftButton, NONE, at(slider, 0.5))
    assert slider.exact == pytest.approx(0.5, abs=0.01)
    drag(slider, 0.5, 0.8)
    assert slider.exact == pytest.approx(0.8, abs=0.01)
    drag(slider, 0.8, 2.0)
    assert slider.exact == 1.0


def test_with_shift_a_drag_is_ten_times_finer_and_begins_where_the_value_is(slider):
    drag(slider, 0.5, 0.9, Shift)
    assert slider.exact == pytest.approx(0.29, abs=0.01)


def test_a_double_click_begins_to_write_and_changes_nothing_by_itself(slider):
    line = slider.lineEdit()
    QTest.mouseClick(line, Button.LeftButton, NONE, at(slider, 0.9))
    assert slider.exact == pytest.approx(0.9, abs=0.01)
    slider.show_exact(0.25)
    QTest.mousePress(line, Button.LeftButton, NONE, at(slider, 0.9))
    QTest.mouseRelease(line, Button.LeftButton, NONE, at(slider, 0.9))
    QTest.mouseDClick(line, Button.LeftButton, NONE, at(slider, 0.9))
    assert slider.exact == 0.25
    QTest.keyClicks(line, "37.5")
    QTest.keyClick(line, Key.Key_Return)
    assert slider.exact == 0.375
    assert slider.text() == "37.5 %"


def test_keys_step_page_jump_and_go_to_the_ends(slider):
    for key, value in [
        (Key.Key_Right, 26), (Key.Key_Up, 27), (Key.Key_Left, 26), (Key.Key_Down, 25), (Key.Key_PageUp, 35),
        (Key.Key_PageDown, 25), (Key.Key_End, 100), (Key.Key_Home, 0),
    ]:  # fmt: skip
        QTest.keyClick(slider, key)
        assert slider.value() == value


@pytest.mark.parametrize("begin", [Key.Key_Return, Key.Key_F2])
def test_enter_begins_to_write_escape_takes_it_back(slider, begin):
    QTest.keyClick(slider, begin)
    QTest.keyClicks(slider, "60")
    QTest.keyClick(slider, Key.Key_Escape)
    assert (slider.value(), slider.text()) == (25, "25 %")
    QTest.keyClick(slider, Key.Key_Left)
    assert slider.value() == 24


def test_a_digit_begins_to_write_at_once(slider):
    QTest.keyClicks(slider, "8")
    QTest.keyClick(slider, Key.Key_Return)
    assert slider.exact == 0.08


def test_it_draws_its_share_in_the_highlight_colour(slider):
    slider.show_exact(0.5)
    image = slider.lineEdit().grab().toImage()
    roles = slider.palette().ColorRole
    colours = [image.pixelColor(round(share * (image.width() - 1)), 1) for share in (0.02, 0.98)]
    assert colours == [slider.palette().color(roles.Highlight), slider.palette().color(roles.Base)]


@given(value=st.floats(0, 1))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_that_nobody_touched_keeps_all_its_digits(slider, value):
    slider.show_exact(value)
    assert slider.exact == value


def test_nothing_lies_between_automatic_and_the_lowest_value(qapp):
    number = Number("it", "", (128, 4096), step=64, suffix=" px", is_auto=True)
    assert (number.exact, number.text()) == (0, "Automatic")
    number.stepUp()
    assert (number.exact, number.text()) == (128, "128 px")
    number.stepDown()
    assert number.exact == 0
    number.show_exact(130)
    number.stepBy(-10)
    assert number.exact == 128
    number.selectAll()
    QTest.keyClicks(number, "50")
    QTest.keyClick(number, Key.Key_Return)
    assert number.exact == 128


def test_a_value_beyond_the_range_is_shown_again_when_the_range_grows(qapp):
    number = Number("it", "", (1, 30), is_auto=True)
    number.show_exact(50)
    assert (number.value(), number.exact) == (30, 50)
    number.limit((0, 1000))
    assert (number.value(), number.exact) == (50, 50)
