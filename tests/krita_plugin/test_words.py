"""The artist's language: which it is, and what happens without a catalogue."""

import pytest

from scumble.qt import QtCore
from scumble.words import language, locale, ntr, tr


@pytest.fixture
def krita_speaks(monkeypatch):
    """As Krita does at its start: the language chosen there becomes Qt's default locale."""
    before = QtCore.QLocale()
    monkeypatch.delenv("SCUMBLE_LANGUAGE")
    yield lambda name: QtCore.QLocale.setDefault(QtCore.QLocale(name))
    QtCore.QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("name", "spoken"),
    [("de_DE", "de"), ("de_AT", "de"), ("fr_CA", "fr"), ("en_GB", "en"), ("C", "en"), ("ja_JP", "en")],
)
def test_the_words_are_in_kritas_language_or_in_english(krita_speaks, name, spoken):
    krita_speaks(name)
    assert language() == spoken


def test_a_change_of_language_shows_in_the_next_word(krita_speaks):
    krita_speaks("de_DE")
    german = tr("Scumble: Cancel")
    krita_speaks("fr_FR")
    french = tr("Scumble: Cancel")
    krita_speaks("en_US")
    assert len({german, french, tr("Scumble: Cancel")}) == 3


def test_the_variable_overrules_krita(krita_speaks, monkeypatch):
    krita_speaks("fr_FR")
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "de_DE")
    assert language() == "de"
    assert locale().name().startswith("de")
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "xx")  # not a language that is there
    assert language() == "fr"


def test_the_country_of_krita_is_kept_for_numbers(krita_speaks):
    krita_speaks("de_CH")
    assert locale().name() == "de_CH"


def test_unknown_and_empty_words_stay_as_they_are(monkeypatch):
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "de")
    assert tr("no such text in the catalogue") == "no such text in the catalogue"
    assert tr("") == ""
    assert ntr("one thing", "many things", 1) == "one thing"
    assert ntr("one thing", "many things", 2) == "many things"


def test_a_damaged_catalogue_means_english(monkeypatch, tmp_path):
    from scumble import words

    place = tmp_path / "de/LC_MESSAGES"
    place.mkdir(parents=True)
    monkeypatch.setattr(words, "_CATALOGUES", tmp_path)
    monkeypatch.setenv("SCUMBLE_LANGUAGE", "de")
    try:
        for damaged in (b"", b"not a catalogue", b"\xde\x12\x04\x95" + b"\xff" * 40):
            words._catalogue.cache_clear()
            (place / "scumble.mo").write_bytes(damaged)
            assert tr("Scumble: Cancel") == "Scumble: Cancel"
    finally:
        words._catalogue.cache_clear()
