"""Takes out of a text what is nobody else's business: who and where somebody is, and what they work on. Pure.

Rather too much goes than too little: a path's own name is private, its place within Scumble's or Python's files isn't.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# A token, a job's name, a tile's key: long runs of hex digits, with or without hyphens.
_HEX = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{16,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?![0-9A-Za-z])"
)
# What ends like a picture, a document or a model, with the spaces that may be in a quoted or a bare name.
_FILE = re.compile(
    r"[^\s'\"/\\:;,()<>\[\]]+\.(?:kra|krz|ora|png|jpe?g|webp|tiff?|exr|psd|gif|bmp|svg|npy|icc|icm|safetensors|ckpt|pth?|"
    r"bin|gguf|json|txt)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"""(['"])((?:/|~|[A-Za-z]:[\\/]|\\\\|file:)[^'"\n]*)\1""")
_PATH = re.compile(r"(?:file://)?(?:(?<![\w.~>])[/~]|(?<!\w)[A-Za-z]:[\\/]|\\\\)[^\s'\":;,()<>\[\]]+")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# From here on a path tells of the program, not of its user.
_OURS = re.compile(r"(?:^|[/\\])((?:scumble|scumble_core|scumble_bridge|site-packages|dist-packages)[/\\].*\.py)$")
_LEAST = 3


@dataclass(frozen=True)
class Secrets:
    """`home`: the home folder; `names`: of user and machine; `words`: prompts, titles, files, whatever was typed."""

    home: str = ""
    names: "tuple[str, ...]" = ()
    words: "tuple[str, ...]" = ()


def without(text: str, secrets: Secrets) -> str:
    """The text without them."""
    for word in _by_length(_pieces(secrets.words)):
        text = re.sub(_loosely(word), "<private>", text, flags=re.IGNORECASE)
    if len(secrets.home) > 1:
        text = re.sub(re.escape(secrets.home) + r"(?![\w.-])", "~", text)
    text = _QUOTED.sub(lambda found: found[1] + _path(found[2]) + found[1], text)
    text = _PATH.sub(lambda found: _path(found[0]), text)
    text = _FILE.sub("<file>", text)
    text = _ADDRESS.sub("<address>", text)
    text = _HEX.sub("<hex>", text)
    for name in _by_length(secrets.names):
        if name:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "<name>", text, flags=re.IGNORECASE)
    return text


def _path(path: str) -> str:
    ours = _OURS.search(path)
    if ours is not None:
        return f"<path>/{ours[1]}"
    return "~/<path>" if path.startswith("~") else "<path>"


def _pieces(words: Iterable[str]) -> "set[str]":
    """Each text, and its lines and parts: they may be logged by themselves."""
    found: set[str] = set()
    for word in words:
        found.update(part.strip() for part in (word, *re.split(r"[\n,;]", word)))
    return {part for part in found if len(part) >= _LEAST}


def _loosely(word: str) -> str:
    """Also where a log has written it with escapes or other spaces."""
    return r"(?:\s|\\n)+".join(re.escape(part) for part in word.split())


def _by_length(words: Iterable[str]) -> "list[str]":
    return sorted(words, key=lambda word: (-len(word), word))
