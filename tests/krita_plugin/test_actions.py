"""What Tools > Scripts offers."""

from scumble.actions import MENU, actions, create_actions
from scumble.qt import QAction


class Window:
    """Krita's, as far as actions need it."""

    def __init__(self):
        self.asked = []

    def createAction(self, identifier, text, menu):
        self.asked.append((identifier, text, menu))
        return QAction(text)


def test_every_action_has_an_id_of_its_own_a_text_a_tip_and_a_shortcut_of_its_own():
    rows = actions()
    assert len({row.id for row in rows}) == len({row.text for row in rows}) == len(rows)
    assert all(row.id.startswith("scumble_") and row.tip.endswith(".") for row in rows)
    shortcuts = [row.shortcut for row in rows if row.shortcut]
    assert len(set(shortcuts)) == len(shortcuts)


def test_an_action_does_what_it_was_given_whether_or_not_qt_says_checked(qapp):
    done, window = [], Window()
    made = create_actions(
        window, {"scumble_cancel": lambda: done.append("cancel"), "scumble_tile_grid": lambda: done.append("grid")}
    )
    made["scumble_cancel"].trigger()
    made["scumble_tile_grid"].trigger()
    assert done == ["cancel", "grid"]
    assert made["scumble_tile_grid"].isCheckable() and not made["scumble_cancel"].isCheckable()
    assert {menu for _, _, menu in window.asked} == {MENU}


def test_what_has_nothing_to_do_is_not_in_the_menu(qapp):
    window = Window()
    assert create_actions(window, {}) == {}
    assert window.asked == []


def test_the_menu_is_in_the_artists_language(qapp, monkeypatch):
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "de")
    made = create_actions(Window(), {"scumble_cancel": lambda: None})
    assert made["scumble_cancel"].text() == "Scumble: Abbrechen"
    assert "Kacheln" in made["scumble_cancel"].toolTip()
