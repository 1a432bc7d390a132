"""Long prompts in chunks: a CLIP text encoder reads 75 tokens at a time, a network's attention any number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scumble_core.models.prompts.embeddings import Embedding

# So far back a comma is looked for, so that no thought is torn apart where a chunk is full.
COMMA_REACH = 20


@dataclass(frozen=True, eq=False)
class Word:
    """A token, or one row of a textual inversion in its place (`id` is meaningless then)."""

    id: int
    weight: float = 1.0
    embedding: Embedding | None = None
    row: int = 0


Chunk = tuple[Word, ...]


def chunked(sections: Iterable[Sequence[Word]], capacity: int, comma: int | None = None) -> tuple[Chunk, ...]:
    """Each section in chunks of at most `capacity` words; an empty prompt is one empty chunk.

    A full chunk ends after its last comma (that token's id), if one is near; a textual inversion stays in one piece.
    """
    chunks = [chunk for section in sections for chunk in _of_section(section, capacity, comma)]
    return tuple(chunks)


def _of_section(words: Sequence[Word], capacity: int, comma: int | None) -> list[Chunk]:
    chunks = []
    start = 0
    while len(words) - start > capacity:
        end = _end(words, start, start + capacity, comma)
        chunks.append(tuple(words[start:end]))
        start = end
    chunks.append(tuple(words[start:]))
    return chunks


def _end(words: Sequence[Word], start: int, full: int, comma: int | None) -> int:
    """Where a chunk that begins at `start` and may reach to `full` ends."""
    for place in range(full, max(start, full - COMMA_REACH), -1):
        if words[place - 1].embedding is None and words[place - 1].id == comma:
            return place
    # Not within an embedding, unless it alone is longer than a chunk, which reading it has refused.
    whole = full - words[full].row if words[full].embedding is not None else full
    return whole if whole > start else full
