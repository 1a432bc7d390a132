from hypothesis import given
from hypothesis import strategies as st
from tests.krita_plugin.strategies import snippets, texts

from scumble.prompts import (
    MOST_ENTRIES,
    MOST_PROMPT,
    PromptHistory,
    PromptPair,
    Snippet,
    Walk,
    apply,
    cleaned,
    shipped,
    snippets_from_text,
    snippets_to_text,
    with_snippet,
    without_snippet,
)

pairs = st.builds(PromptPair, texts, texts)


def remembered(entries):
    history = PromptHistory()
    for entry in entries:
        history = history.add(entry)
    return history


@given(st.lists(pairs, max_size=80))
def test_the_history_holds_the_last_50_pairs_newest_first_and_none_twice(entries):
    history = remembered(entries)
    assert len(history.entries) <= MOST_ENTRIES == 50
    assert len(set(history.entries)) == len(history.entries)
    worth = [entry for entry in entries if not entry.is_empty]
    assert history.entries[:1] == tuple(worth[-1:])
    assert PromptHistory.from_text(history.to_text()) == history


def test_a_damaged_history_keeps_what_can_be_read():
    assert PromptHistory.from_text("") == PromptHistory.from_text("{}") == PromptHistory()
    text = '[["a", "b"], ["c"], 3, ["d", 4], ["e", ""], ["%s", ""]]' % ("x" * (MOST_PROMPT + 1))
    assert PromptHistory.from_text(text).entries == (PromptPair("a", "b"), PromptPair("e"))


def test_leafing_goes_back_to_the_oldest_and_forth_to_what_was_being_written():
    walk = Walk(remembered([PromptPair("one"), PromptPair("two")]), PromptPair("draft"))
    assert [walk.older().pair.prompt, walk.older().older().pair.prompt] == ["two", "one"]
    assert walk.older().older().older().pair.prompt == "one"
    assert walk.older().newer().pair.prompt == "draft"
    assert walk.newer() == walk


def test_leafing_passes_over_the_entry_that_stands_there_already():
    walk = Walk(remembered([PromptPair("one"), PromptPair("two")]), PromptPair("two"))
    assert walk.older().pair.prompt == "one"
    assert walk.older().newer().pair.prompt == "two"
    assert walk.older().newer().at == 0


def test_without_history_leafing_stays_where_it_is():
    walk = Walk(PromptHistory(), PromptPair("draft"))
    assert walk.older().pair == walk.newer().pair == PromptPair("draft")
    only = Walk(remembered([PromptPair("draft")]), PromptPair("draft"))
    assert only.older().pair == PromptPair("draft")


def test_a_style_goes_around_the_prompt():
    oil, dark = Snippet("Oil", "{prompt}, oil on canvas", "photo"), Snippet("Dark", "dark, {prompt}", "bright")
    assert apply(PromptPair("a cat", "dog"), [oil]) == ("a cat, oil on canvas", "dog, photo")
    assert apply(PromptPair("a cat"), [oil, dark]) == ("dark, a cat, oil on canvas", "photo, bright")
    assert apply(PromptPair(""), [oil, dark]).prompt == "dark, oil on canvas"
    assert apply(PromptPair("a {b} %s"), [oil]).prompt == "a {b} %s, oil on canvas"
    assert apply(PromptPair("a"), [Snippet("Plain", "soft light")]).prompt == "a, soft light"


@given(pairs, st.lists(snippets, max_size=4))
def test_no_style_makes_a_prompt_too_long_to_send(pair, styles):
    assert all(len(text) <= MOST_PROMPT for text in apply(pair, styles))
    assert apply(pair, []) == pair


@given(st.lists(snippets, max_size=6, unique_by=lambda snippet: snippet.name).map(tuple))
def test_styles_come_back_from_their_text(own):
    assert snippets_from_text(snippets_to_text(own)) == own


def test_a_style_of_the_same_name_is_replaced():
    own = with_snippet(with_snippet((), Snippet("a", "{prompt} 1")), Snippet("a", "{prompt} 2"))
    assert own == (Snippet("a", "{prompt} 2"),)
    assert without_snippet(own, "a") == ()


def test_an_own_style_needs_a_name_and_words():
    assert cleaned(" My\nstyle ", " {prompt}, red ") == Snippet("My style", "{prompt}, red")
    assert cleaned("", "{prompt}") is None
    assert cleaned("a", " ", " ") is None


def test_every_shipped_style_keeps_the_artists_words():
    assert len({snippet.name for snippet in shipped()}) == len(shipped())
    assert all("a red fox" in apply(PromptPair("a red fox"), [snippet]).prompt for snippet in shipped())
