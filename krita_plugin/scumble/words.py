"""Every word that an artist reads goes through here, so that it can be translated.

The language is the one that Krita shows: Krita makes it Qt's default locale, whether it comes from the system or from
Settings > Switch Application Language. The environment variable SCUMBLE_LANGUAGE ("de", "fr", "en") overrules it.
A text without a translation stays English. tools/words keeps the catalogues in `locale/`.
"""

import gettext
import os
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from scumble.qt import QtCore

_CATALOGUES = Path(__file__).parent / "locale"
_DOMAIN = "scumble"
_SOURCE = "en"


def tr(text: str) -> str:
    """The text in the artist's language."""
    # Gettext keeps the catalogue's own head under the empty text.
    return _words().gettext(text) if text else text


def ntr(one: str, many: str, number: int) -> str:
    """The form that fits the number."""
    return _words().ngettext(one, many, number)


def language() -> str:
    """The code of the language that the words are in: "en", or one with a catalogue."""
    return _chosen(os.environ.get("SCUMBLE_LANGUAGE", ""), QtCore.QLocale().name())


def locale() -> "QtCore.QLocale":
    """How numbers and times are written beside these words."""
    own = QtCore.QLocale()
    spoken = language()
    return own if _code(own.name()) == spoken else QtCore.QLocale(spoken)


def _words() -> gettext.NullTranslations:
    return _catalogue(language())


@lru_cache(maxsize=8)
def _chosen(overruled: str, name: str) -> str:
    """The first of the wanted languages that is there; `name` is the locale for which this is remembered."""
    for wanted in (overruled, *_spoken(name)):
        code = _code(wanted)
        if code == _SOURCE or (code and (_CATALOGUES / code).is_dir()):
            return code
    return _SOURCE


def _spoken(name: str) -> "Iterator[str]":
    # A system may be set to English numbers and German words: the list of languages comes first.
    yield from QtCore.QLocale().uiLanguages()
    yield name


@lru_cache(maxsize=8)
def _catalogue(code: str) -> gettext.NullTranslations:
    # A damaged or missing file must not keep the docker from opening: English is always there.
    try:
        return gettext.translation(_DOMAIN, str(_CATALOGUES), [code])
    except (OSError, ValueError, struct.error):
        return gettext.NullTranslations()


def _code(name: str) -> str:
    return name.replace("-", "_").split("_")[0].lower()
