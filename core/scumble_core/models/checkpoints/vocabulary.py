"""CLIP's tokenizers without a download: OpenCLIP's package has the vocabulary that OpenAI published, under MIT."""

import gzip
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import CLIPTokenizer

from scumble_core.errors import ScumbleError

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"
_SIZE = 49_408
_LONGEST = 77
# OpenAI's encoder pads with the end, OpenCLIP's with token 0.
_PADDING = {"clip": _END, "clip-zero": "!"}


@cache
def clip_tokenizer(kind: str) -> Any:
    """`kind`: "clip" or "clip-zero", by what shorter prompts are padded with. One serves all models: making it takes
    half a second.
    """
    words, merges = clip_vocabulary()
    with TemporaryDirectory() as folder:
        vocabulary, rules = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocabulary.write_text(json.dumps({word: place for place, word in enumerate(words)}), "utf-8")
        rules.write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")
        return CLIPTokenizer(
            str(vocabulary), str(rules), unk_token=_END, bos_token=_START, eos_token=_END, pad_token=_PADDING[kind],
            model_max_length=_LONGEST,
        )  # fmt: skip


@cache
def clip_vocabulary() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All tokens in order, and the pairs that are merged (Radford et al. 2021). Raises ScumbleError."""
    lines = gzip.decompress(_published().read_bytes()).decode("utf-8").split("\n")
    letters = _letters()
    merges = tuple(lines[1 : 1 + _SIZE - 2 - 2 * len(letters)])
    joined = ("".join(pair.split()) for pair in merges)
    return (*letters, *(letter + _WORD_END for letter in letters), *joined, _START, _END), merges


def _published() -> Path:
    # The package itself is not imported: that takes seconds.
    package = find_spec("open_clip")
    if package is None or package.origin is None:
        raise ScumbleError("internal", "CLIP's vocabulary is missing: install the package open_clip_torch.")
    return Path(package.origin).with_name("bpe_simple_vocab_16e6.txt.gz")


def _letters() -> tuple[str, ...]:
    """A printable letter for each byte: itself where it is printable, else the next ones from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = len(set(range(256)) - set(printable))
    return (*map(chr, printable), *map(chr, range(256, 256 + rest)))
