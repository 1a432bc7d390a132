"""What is wrong with the translations, one line each."""

import gettext
import string
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Message
from tools.words.action_file import ACTION_FILE, action_file
from tools.words.catalogues import LANGUAGES, PLUGIN, extract, files_of, forms, is_complete, read, unreadable_calls

# What the artist sees as a part of the control.
_ENDS = ("…", "...", ":", "?")


def problems(plugin: Path = PLUGIN) -> Iterator[str]:
    """Nothing when every text of the code is translated rightly into every language and compiled."""
    for place in unreadable_calls(plugin):
        yield f"{place}: tr and ntr take the words themselves, not a name or an f-string."
    wanted = extract(plugin)
    for language in LANGUAGES:
        kept = read(language, plugin)
        for message in wanted:
            if message.id:
                translated = kept.get(forms(message.id)[0])
                yield from (f"{language}: {fault}" for fault in _faults(message, translated))
        for message in kept:
            if message.id and message.id not in wanted:
                yield f"{language}: {message.id!r} is not in the code any more."
        if not _is_compiled(language, plugin):
            yield f"{language}: the .mo file is not made from the .po file."
    if plugin == PLUGIN and (not ACTION_FILE.exists() or ACTION_FILE.read_text("utf-8") != action_file()):
        yield "scumble.action is not made from actions.py."


def _faults(message: Message, translated: "Message | None") -> Iterator[str]:
    if translated is None or not is_complete(translated):
        yield f"{message.id!r} has no translation."
        return
    if translated.fuzzy:
        yield f"{message.id!r} has only a guessed translation."
    many = forms(message.id)[-1]
    for text in forms(translated.string):
        if fields(text) != fields(many):
            yield f"{many!r} and {text!r} have different places to fill in."
        if _end(text) != _end(many):
            yield f"{many!r} and {text!r} end differently."


def fields(text: str) -> frozenset[str]:
    """The names between braces. ValueError when a brace is left open."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def _end(text: str) -> str:
    return next((end for end in _ENDS if text.endswith(end)), text[len(text.rstrip()) :])


def _is_compiled(language: str, plugin: Path) -> bool:
    """Read as the plugin does: other versions of the compiler may order the file in another way."""
    compiled = files_of(language, plugin).compiled
    if not compiled.exists():
        return False
    with compiled.open("rb") as file:
        words = gettext.GNUTranslations(file)
    for message in read(language, plugin):
        texts, originals = forms(message.string), forms(message.id)
        if len(originals) > 1:
            found = (words.ngettext(originals[0], originals[1], 1), words.ngettext(originals[0], originals[1], 5))
        else:
            found = (words.gettext(originals[0]),) * 2
        if message.id and all(texts) and found != (texts[0], texts[-1]):
            return False
    return True
