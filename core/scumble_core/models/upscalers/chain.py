"""Upscalers one after the other: "A+B" enlarges by A, then what came of it by B. No torch here."""

from collections.abc import Callable

SEPARATOR = "+"
MOST_PARTS = 4


def parts_of(upscaler: str, is_model: Callable[[str], bool]) -> tuple[str, ...]:
    """The ids in an id. A "+" may belong to a model's own name: the longest text that `is_model` knows is taken."""
    words = upscaler.split(SEPARATOR)
    parts = []
    while words:
        # One that nothing knows is a part of its own, and whoever looks for it says so.
        lengths = (count for count in range(len(words), 1, -1) if is_model(SEPARATOR.join(words[:count]).strip()))
        length = next(lengths, 1)
        parts.append(SEPARATOR.join(words[:length]).strip())
        words = words[length:]
    return tuple(parts)
