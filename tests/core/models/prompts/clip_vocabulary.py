"""CLIP's own 49,408 tokens, from the package that ships them, as transformers' tokenizer takes them."""

import gzip
import json
from pathlib import Path

import pytest
from transformers import CLIPTokenizer


def clip_tokenizer(folder: Path, pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """The tokenizer of SD 1.5; SDXL's second one pads with "!"."""
    package = pytest.importorskip("open_clip")
    packed = Path(package.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(packed.read_bytes()).decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    signs = _byte_signs()
    words = [*signs, *(sign + "</w>" for sign in signs), *(merge.replace(" ", "") for merge in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77, pad_token=pad,
    )  # fmt: skip


def _byte_signs() -> list[str]:
    """A printable sign for each byte, in CLIP's order: the printable ones themselves, then others from 256 on."""
    own = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = len([byte for byte in range(256) if byte not in own])
    return [chr(byte) for byte in own] + [chr(256 + number) for number in range(others)]
