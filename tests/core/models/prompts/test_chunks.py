"""Where a long prompt is cut."""

from hypothesis import given
from hypothesis import strategies as st

from scumble_core.models.prompts.chunks import COMMA_REACH, Word, chunked
from scumble_core.models.prompts.embeddings import Embedding

COMMA = 267
ids = st.lists(st.integers(1, 9) | st.just(COMMA), max_size=400)


def words(numbers):
    return [Word(number) for number in numbers]


def told(chunks):
    return [[word.id for word in chunk] for chunk in chunks]


@given(st.lists(ids, min_size=1, max_size=3), st.integers(4, 75))
def test_no_word_is_lost_and_no_chunk_is_too_long(sections, capacity):
    chunks = told(chunked([words(section) for section in sections], capacity, COMMA))
    assert [number for chunk in chunks for number in chunk] == [number for section in sections for number in section]
    assert all(len(chunk) <= capacity for chunk in chunks)
    assert len(chunks) >= len(sections)


@given(ids.filter(lambda numbers: len(numbers) <= 75))
def test_a_short_prompt_is_one_chunk(numbers):
    assert told(chunked([words(numbers)], 75, COMMA)) == [numbers]


def test_a_full_chunk_ends_after_its_last_comma_if_one_is_near():
    near, far = 75 - COMMA_REACH, 75 - COMMA_REACH - 2
    numbers = [*[1] * near, COMMA, *[2] * 100]
    assert told(chunked([words(numbers)], 75, COMMA))[0] == numbers[: near + 1]
    numbers = [*[1] * far, COMMA, *[2] * 100]
    assert told(chunked([words(numbers)], 75, COMMA))[0] == numbers[:75]


def test_sections_begin_chunks_of_their_own():
    assert told(chunked([words([1, 2]), words([]), words([3])], 75)) == [[1, 2], [], [3]]


def test_a_textual_inversion_is_not_torn_apart(tmp_path):
    embedding = Embedding(tmp_path, {"": [None] * 10})
    inverted = [Word(0, 1.0, embedding, row) for row in range(10)]
    chunks = chunked([[*words([1] * 70), *inverted, *words([2])]], 75)
    assert [len(chunk) for chunk in chunks] == [70, 11]
