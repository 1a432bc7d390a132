"""Every text of the plugin is there in every language."""

from tools.words.catalogues import compile_words, extract, files_of, merge, po_text, read, unreadable_calls
from tools.words.check import problems

CODE = """
from scumble.words import ntr, tr

def say(count):
    # Translators: {name} is a file
    a = tr("Hello {name}")
    b = tr("A long text "
           "in two parts")
    return ntr("{count} tile", "{count} tiles", count)
"""


def test_all_words_are_translated_fit_and_are_compiled():
    assert list(problems()) == []


def plugin(tmp_path, code=CODE):
    (tmp_path / "module.py").write_text(code)
    return tmp_path


def fill(tmp_path, language, **translations):
    """Translations by the first word of their text."""
    catalogue = read(language, tmp_path)
    for message in catalogue:
        if message.id:
            first = message.id if isinstance(message.id, str) else message.id[1]
            message.string = translations[first.split()[0].strip("{}")]
    files_of(language, tmp_path).source.write_text(po_text(catalogue), "utf-8")
    files_of(language, tmp_path).compiled.write_bytes(compile_words(language, tmp_path))


def test_texts_parts_plurals_and_remarks_are_taken_out_of_the_code(tmp_path):
    messages = {message.id: message for message in extract(plugin(tmp_path)) if message.id}
    assert set(messages) == {"Hello {name}", "A long text in two parts", ("{count} tile", "{count} tiles")}
    assert messages["Hello {name}"].auto_comments == ["{name} is a file"]


def test_a_new_text_is_noticed_in_every_language_and_keeps_the_others(tmp_path):
    plugin(tmp_path)
    for language in ("de", "fr"):
        assert merge(language, tmp_path) == 3
        fill(tmp_path, language, Hello="{name}!", A="Lang", count=("{count} Kachel", "{count} Kacheln"))
    assert list(problems(tmp_path)) == []
    plugin(tmp_path, CODE + '    tr("New")\n')
    assert sorted(problems(tmp_path)) == ["de: 'New' has no translation.", "fr: 'New' has no translation."]
    assert merge("de", tmp_path) == 1
    assert read("de", tmp_path)["Hello {name}"].string == "{name}!"


def test_a_text_that_has_gone_a_wrong_place_and_an_old_mo_file_are_noticed(tmp_path):
    plugin(tmp_path)
    for language in ("de", "fr"):
        merge(language, tmp_path)
        fill(tmp_path, language, Hello="{nom}", A="Lang…", count=("{count} Kachel", "{n} Kacheln"))
    assert sorted(problem for problem in problems(tmp_path) if problem.startswith("fr")) == [
        "fr: 'A long text in two parts' and 'Lang…' end differently.",
        "fr: 'Hello {name}' and '{nom}' have different places to fill in.",
        "fr: '{count} tiles' and '{n} Kacheln' have different places to fill in.",
    ]
    fill(tmp_path, "fr", Hello="{name}!", A="Lang", count=("{count} Kachel", "{count} Kacheln"))
    text = files_of("fr", tmp_path).source.read_text().replace("{name}!", "{name}?")
    files_of("fr", tmp_path).source.write_text(text)
    plugin(tmp_path, CODE.replace("Hello {name}", "Bye {name}"))
    assert [problem for problem in problems(tmp_path) if problem.startswith("fr")] == [
        "fr: 'Bye {name}' has no translation.",
        "fr: 'Hello {name}' is not in the code any more.",
        "fr: the .mo file is not made from the .po file.",
    ]


def test_words_that_are_no_plain_text_are_noticed(tmp_path):
    plugin(tmp_path, 'tr(name)\ntr(f"{name}")\nntr("one", many, 2)\ntr("fine")\nother.tr(name)\n')
    assert list(unreadable_calls(tmp_path)) == ["module.py:1", "module.py:2", "module.py:3"]


def test_writing_the_same_words_again_changes_nothing(tmp_path):
    plugin(tmp_path)
    merge("de", tmp_path)
    before = files_of("de", tmp_path).source.read_bytes()
    merge("de", tmp_path)
    assert files_of("de", tmp_path).source.read_bytes() == before
