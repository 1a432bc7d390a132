"""Textual inversions: vectors of a text encoder's own width that stand for a word (Gal et al. 2022).

A prompt calls them by their file's name: as a word by itself, as A1111 does, or as `embedding:name`, as ComfyUI does.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scumble_core.errors import ScumbleError
from scumble_core.models.prompts.syntax import Section, parse

if TYPE_CHECKING:
    from torch import Tensor

_CALLED = r"(?<![\w-])embedding:(?P<called>[^\s,:()\[\]]+)"
_ENDINGS = (".safetensors", ".pt", ".bin", ".ckpt")
# A chunk's words between its first and last token.
MOST_VECTORS = 75


@dataclass(frozen=True, eq=False)
class Embedding:
    """`vectors`: N x width for each text encoder by its name ("clip_l", "clip_g"); for "" where a file names none."""

    path: Path
    vectors: Mapping[str, "Tensor"]

    @property
    def count(self) -> int:
        return max(len(rows) for rows in self.vectors.values())

    def rows_for(self, encoder: str, width: int) -> "Tensor":
        """N x width. Raises ScumbleError when it was made for another encoder."""
        rows = self.vectors.get(encoder, self.vectors.get(""))
        if rows is None or rows.shape[1] != width:
            raise ScumbleError(
                "unknown_model",
                f"The textual inversion {self.path} was made for another family of models: take its name out of the "
                "prompt.",
            )
        return rows


def split(text: str, known: Mapping[str, Path]) -> Iterator[str | Path]:
    """The text in pieces, with the path of each known textual inversion in the place of its name.

    `known`: by names in lower case. Raises ScumbleError for a name that is called with `embedding:`, and isn't there.
    """
    reached = 0
    for match in _pattern(known).finditer(text):
        called = match["called"]
        path = known[match["word"].lower()] if called is None else _called(called, known)
        if match.start() > reached:
            yield text[reached : match.start()]
        yield path
        reached = match.end()
    if reached < len(text) or not text:
        yield text[reached:]


def parts_of(section: Section, known: Mapping[str, Path]) -> Iterator[tuple[str | Path, float]]:
    """The section's texts and textual inversions with their weights."""
    for piece in section:
        for part in split(piece.text, known):
            yield part, piece.weight


def embeddings_in(prompt: str, known: Mapping[str, Path]) -> list[Path]:
    """The textual inversions that a prompt calls, in order. Raises ScumbleError for one that isn't there."""
    return [part for section in parse(prompt) for part, _ in parts_of(section, known) if isinstance(part, Path)]


def _called(name: str, known: Mapping[str, Path]) -> Path:
    """Names may have folders before them, and endings."""
    bare = re.split(r"[\\/]", name)[-1].lower()
    for ending in _ENDINGS:
        bare = bare.removesuffix(ending)
    if bare in known:
        return known[bare]
    if Path(name).expanduser().is_file():
        return Path(name).expanduser()
    raise ScumbleError(
        "unknown_model",
        f"The prompt wants the textual inversion '{name[:80]}', and there is none of that name for this family of "
        "models: add its file, or take it out of the prompt.",
    )


def _pattern(known: Mapping[str, Path]) -> re.Pattern[str]:
    longest_first = sorted(known, key=len, reverse=True)
    words = "|".join(re.escape(name) for name in longest_first if name)
    bare = rf"|(?<![\w-])(?P<word>{words})(?![\w-])" if words else r"|(?P<word>(?!))"
    return re.compile(_CALLED + bare, re.IGNORECASE)


def read_embedding(path: Path) -> Embedding:
    """From A1111's .pt, diffusers' .bin or a .safetensors, by restricted readers. Raises ScumbleError."""
    from torch import Tensor

    from scumble_core.models.weights import read_weights

    loaded: Mapping[str, object] = read_weights(path)
    inner = loaded.get("string_to_param")
    tensors = inner if isinstance(inner, Mapping) else loaded
    rows = {
        str(name): value.float().reshape(-1, value.shape[-1])
        for name, value in tensors.items()
        if isinstance(value, Tensor) and value.ndim in (1, 2) and value.is_floating_point()
    }
    vectors: dict[str, Tensor] = {name: rows[name] for name in ("clip_l", "clip_g") if name in rows}
    if not vectors and len(rows) == 1:
        vectors = {"": next(iter(rows.values()))}
    counts = {len(each) for each in vectors.values()}
    if len(counts) != 1 or not 1 <= counts.pop() <= MOST_VECTORS:
        raise ScumbleError(
            "unknown_model",
            f"{path} is no textual inversion of 1 to {MOST_VECTORS} vectors: take its name out of the prompt.",
        )
    return Embedding(path, vectors)
