"""The notation of prompts: weights by brackets, BREAK, and plain text as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.models.prompts.syntax import MOST_WEIGHT, STRONGER, WEAKER, Piece, parse

plain = st.text(st.characters(exclude_characters="\\()[]", exclude_categories=["Cs"])).filter(
    lambda t: "BREAK" not in t
)
words = st.text(st.sampled_from("abc ,é猫"), min_size=1)
weights = st.floats(-5, 5).map(lambda weight: round(weight, 3))


def one(prompt):
    (section,) = parse(prompt)
    return [(piece.text, pytest.approx(piece.weight)) for piece in section]


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("(a)", [("a", 1.1)]),
        ("((a))", [("a", 1.21)]),
        ("[a]", [("a", 1 / 1.1)]),
        ("[[a]]", [("a", 1 / 1.21)]),
        ("(a:1.5)", [("a", 1.5)]),
        ("(a: -.5 )", [("a", -0.5)]),
        ("(a:0)", [("a", 0.0)]),
        ("a (b:1.5) c", [("a ", 1.0), ("b", 1.5), (" c", 1.0)]),
        ("(a (b:2) c:0.5)", [("a ", 0.5), ("b", 1.0), (" c", 0.5)]),
        ("([a])", [("a", 1.0)]),
        (r"\(a\)", [("(a)", 1.0)]),
        (r"(\(a\):1.3)", [("(a)", 1.3)]),
        (r"\[a\] \\ b", [(r"[a] \ b", 1.0)]),
        (r"a \ b", [(r"a \ b", 1.0)]),
        ("(a", [("a", 1.1)]),
        ("b [a", [("b ", 1.0), ("a", 1 / 1.1)]),
        ("a) b]", [("a) b]", 1.0)]),
        ("a:1.5)", [("a:1.5)", 1.0)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
        ("(a:1.5) at 12:30", [("a", 1.5), (" at 12:30", 1.0)]),
        ("()", [("", 1.0)]),
        ("", [("", 1.0)]),
    ],
)
def test_the_notation_is_a1111s(prompt, pieces):
    assert one(prompt) == pieces


def test_break_parts_a_prompt_and_takes_the_spaces_around_it():
    assert parse("a BREAK b\nBREAK\n(c:2)") == ((Piece("a"),), (Piece("b"),), (Piece("c", 2.0),))
    assert parse("(a BREAK b:2)") == ((Piece("a", 2.0),), (Piece("b", 2.0),))
    assert parse("BREAKFAST") == ((Piece("BREAKFAST"),),)
    assert parse("BREAK") == ((Piece(""),), (Piece(""),))


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("()[]\\:ab1.5 BREAK"))
def test_every_prompt_can_be_read(prompt):
    sections = parse(prompt)
    assert sections and all(sections)
    assert all(-MOST_WEIGHT <= piece.weight <= MOST_WEIGHT for section in sections for piece in section)


@given(plain)
def test_text_without_notation_is_left_as_it_is(prompt):
    assert parse(prompt) == ((Piece(prompt),),)


@given(st.lists(st.tuples(words, weights), min_size=1))
def test_what_was_weighed_comes_back_with_its_weight(parts):
    sections = parse("|".join(f"({text}:{weight})" for text, weight in parts))
    spread = [(sign, piece.weight) for piece in sections[0] for sign in piece.text]
    wanted = [(sign, weight) for text, weight in parts for sign in [*text, None]]
    assert [each for each in spread if each[0] != "|"] == [
        (sign, weight) for sign, weight in wanted if sign is not None
    ]


@given(words, st.lists(st.sampled_from("(["), max_size=5))
def test_nested_brackets_multiply(text, brackets):
    prompt = text
    expected = 1.0
    for bracket in brackets:
        prompt = f"({prompt})" if bracket == "(" else f"[{prompt}]"
        expected *= STRONGER if bracket == "(" else WEAKER
    assert one(prompt) == [(text, pytest.approx(expected))]


@given(st.text("()[]\\ab "))
def test_escaped_signs_are_text(text):
    escaped = "".join(f"\\{sign}" if sign in "()[]\\" else sign for sign in text)
    assert parse(escaped) == ((Piece(text),),)


def test_thousands_of_open_brackets_are_read_and_weights_stay_within_bounds():
    assert parse("(" * 50_000 + "a") == ((Piece("a", MOST_WEIGHT),),)
    assert parse("(" * 50_000 + "a:0)") == ((Piece("a", 0.0),),)
