"""A document's history: there and back, and within its size."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.history.book import Book, read
from scumble.history.entry import Entry
from scumble.host.contract import Placed
from scumble.runs.order import Asked, Reseeded
from scumble.settings import Settings

words = st.text(max_size=12)
reseeded = st.builds(Reseeded, st.integers(0, 99), st.integers(0, 99), st.integers(0, 2**64 - 1))
entries = st.builds(
    Entry,
    when=st.floats(0, 4e9),
    asked=st.builds(
        Asked,
        st.builds(Settings, seed=st.integers(0, 2**64 - 1), prompt=st.text(max_size=40)),
        st.none(),
        st.lists(
            st.builds(Reseeded, st.integers(0, 99), st.integers(0, 99), st.integers(0, 2**64 - 1)), max_size=2
        ).map(tuple),
    ),
    size=st.tuples(st.integers(1, 30000), st.integers(1, 30000)),
    seconds=st.floats(0, 1e6),
    placed=st.builds(Placed, st.just("here"), words, words, words),
    before=st.binary(max_size=300),
    after=st.binary(max_size=300),
)
books = st.lists(entries, max_size=6).map(Book.of)


def read_all(data, document):
    steps = read(data, document)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@given(books)
def test_a_history_survives_the_document(book):
    assert read_all(book.to_bytes(), "here") == book


@given(books)
def test_a_reopened_document_has_another_key(book):
    assert all(entry.placed.document == "later" for entry in read_all(book.to_bytes(), "later").entries)


@given(books, st.integers(100, 8000))
def test_within_a_size_the_oldest_pictures_go_first_and_then_the_oldest_entries(book, most):
    data = book.within(most).to_bytes()
    assert len(data) <= most
    kept = read_all(data, "here").entries
    newest = book.entries[len(book.entries) - len(kept) :]
    assert [entry.bare for entry in kept] == [entry.bare for entry in newest]
    pictured = [entry == was for entry, was in zip(kept, newest, strict=True)]
    assert pictured == sorted(pictured)  # once one has its pictures, all later ones do
    if len(kept) < len(book.entries):
        assert not any(entry.before or entry.after for entry in kept)


@given(books.filter(lambda book: book.entries), st.data())
def test_a_damaged_entry_costs_no_other(book, data):
    lines = book.to_bytes().split(b"\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    values = json.loads(lines[at])
    name = data.draw(st.sampled_from(sorted(values)))
    values[name] = data.draw(st.sampled_from([None, {"x": 1}, [[]]]))
    lines[at] = json.dumps(values).encode()
    found = read_all(b"\n".join(lines), "here")
    assert found.entries == book.entries[:at] + book.entries[at + 1 :]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"entries": 3}', b"[1]\nnull\n3", b"[" * 100000])
def test_what_is_no_history_is_an_empty_one(data):
    assert read_all(data, "here") == Book()


def test_an_entry_is_told_from_its_neighbours():
    entry = Entry(0, Asked(Settings(scale=1.5, strength=0.25, seed=12)), (30, 20), 3, Placed("d", "", "", ""))
    assert entry.sentence == "1.5×, strength 25%, seed 12"
    book = Book().with_entry(entry).with_entry(replace(entry, when=1))
    assert book.without(entry).entries == (replace(entry, when=1),)
