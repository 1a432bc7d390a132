"""What names layers is remembered with their document, everything else with the artist."""

from dataclasses import replace

import pytest
from tests.krita_plugin.fake_host import FakeHost, picture

from scumble.panel.form import SettingsForm
from scumble.panel.remembered import Remembered
from scumble.panel.tiles import TilesBox
from scumble.presets import PresetFolder
from scumble.settings import Region, Settings

GUIDED = Settings(prompt="a wall", strength_map="{mask}", regions=(Region("{moss}", "moss"),))


@pytest.fixture
def host():
    return FakeHost(picture())


@pytest.fixture
def new_life(qapp, host, tmp_path):
    """One life of the panel: its form, and what remembers it."""
    forms = []

    def make():
        form = SettingsForm(PresetFolder(tmp_path / "presets"))
        forms.append(form)
        remembered = Remembered(host, form, (), TilesBox())
        remembered.recall()
        return form, remembered

    yield make
    for form in forms:
        form.deleteLater()


def test_each_document_has_its_own_guides_and_the_artist_the_rest(new_life, host):
    form, remembered = new_life()
    remembered.look("one")
    form.show_settings(GUIDED)
    remembered.store()
    assert remembered.look("two")
    assert form.settings == Settings(prompt="a wall")
    assert remembered.look("one")
    assert form.settings == GUIDED
    assert not remembered.look("one")


def test_guides_come_back_with_their_document_after_a_restart(new_life):
    form, remembered = new_life()
    remembered.look("one")
    form.show_settings(GUIDED)
    remembered.store()
    form, remembered = new_life()
    remembered.look("two")
    assert form.settings.regions == ()
    remembered.look("one")
    assert form.settings == GUIDED


def test_a_document_is_touched_only_when_its_guides_change(new_life, host):
    form, remembered = new_life()
    remembered.look("one")
    form.show_settings(Settings(prompt="other", scale=4.0))
    remembered.store()
    assert host.notes == {}
    form.show_settings(GUIDED)
    remembered.look("two")  # before the timer came to it
    assert host.notes[("one", "guides")]
    remembered.look("one")
    form.show_settings(replace(GUIDED, strength_map="", regions=()))
    remembered.store()
    assert host.notes[("one", "guides")] == b""


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"regions": 7, "strength_map": []}', b'{"scale": 9.0}', b"[" * 10_000])
def test_a_note_that_can_not_be_read_is_none(new_life, host, data):
    host.notes["one", "guides"] = data
    form, remembered = new_life()
    remembered.look("one")
    assert form.settings == Settings()
