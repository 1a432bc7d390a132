"""A whole prompt through one or two CLIP encoders, kept for when it is asked for again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from scumble_core.models.prompts.chunks import Chunk, Word, chunked
from scumble_core.models.prompts.clip import ClipEncoder
from scumble_core.models.prompts.embeddings import Embedding, parts_of, read_embedding
from scumble_core.models.prompts.syntax import parse

# Conditionings that are kept: a hundred long prompts of SDXL take some 200 MB.
MOST_KEPT = 64


@dataclass(frozen=True, eq=False)
class Encoded:
    """`embeds`: 1 x tokens x the widths of all encoders; `pooled`: 1 x width, of the last encoder, if it projects."""

    embeds: Tensor
    pooled: Tensor | None


def no_embeddings() -> Mapping[str, Path]:
    """For a family without textual inversions."""
    return {}


class PromptEncoder:
    """Encodes prompts with all encoders of a model (SD 1.5 has one, SDXL two, its refiner one).

    `embeddings` tells which textual inversions there are, by names in lower case; it is asked for each prompt.
    """

    def __init__(
        self, encoders: Sequence[ClipEncoder], embeddings: Callable[[], Mapping[str, Path]] = no_embeddings
    ) -> None:
        self._encoders = tuple(encoders)
        self._embeddings = embeddings
        self._read: dict[tuple[Path, int], Embedding] = {}
        self._kept: dict[tuple[object, ...], Encoded] = {}

    def __call__(self, prompt: str) -> Encoded:
        """Raises ScumbleError for a textual inversion that can't be read or belongs to another family."""
        sections = [list(parts_of(section, self._embeddings())) for section in parse(prompt)]
        # By content: a file that was changed is another word.
        used = (_state(part) for parts in sections for part, _ in parts if isinstance(part, Path))
        key = (prompt, *used)
        if key not in self._kept:
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._encoded(sections)
        return self._kept[key]

    def _encoded(self, sections: Sequence[Sequence[tuple[str | Path, float]]]) -> Encoded:
        read = [encoder.encode(self._chunks(encoder, sections)) for encoder in self._encoders]
        return Encoded(torch.cat([hidden for hidden, _ in read], dim=-1), read[-1][1])

    def _chunks(
        self, encoder: ClipEncoder, sections: Sequence[Sequence[tuple[str | Path, float]]]
    ) -> tuple[Chunk, ...]:
        """All encoders of a model share a vocabulary, so that their chunks are as many."""
        words = [[word for part, weight in parts for word in self._words(encoder, part, weight)] for parts in sections]
        return chunked(words, encoder.capacity, encoder.comma)

    def _words(self, encoder: ClipEncoder, part: str | Path, weight: float) -> list[Word]:
        if isinstance(part, str):
            return [Word(each, weight) for each in encoder.ids(part)]
        embedding = self._embedding(part)
        rows = embedding.rows_for(encoder.name, encoder.width)
        return [Word(0, weight, embedding, row) for row in range(len(rows))]

    def _embedding(self, path: Path) -> Embedding:
        key = _state(path)
        if key not in self._read:
            self._read[key] = read_embedding(path)
        return self._read[key]


def _state(path: Path) -> tuple[Path, int]:
    try:
        return path, path.stat().st_mtime_ns
    except OSError:
        return path, 0  # reading it says what is wrong
