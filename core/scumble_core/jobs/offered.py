"""How many models go into one message, of each kind."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scumble_bridge.fields import ModelChoice

# A message's header has 64 KiB; the rest of it is for what else is told.
ROOM_FOR_CHOICES = 56 * 1024
LONGEST = 1000


def offered(
    kinds: Sequence[Sequence[tuple[str, str]]], used: Mapping[str, int], room: int = ROOM_FOR_CHOICES
) -> list[tuple[ModelChoice, ...]]:
    """Of each kind's (id, name) as many as go into one message, in their order.

    Where there are more, those that are built in, then those used last (`used`: when, by id), then the first; each kind
    in turn, so that none is left out for another's sake.
    """
    turns = [sorted(range(len(kind)), key=lambda row, kind=kind: _rank(kind[row][0], used)) for kind in kinds]  # type: ignore[misc]
    taken: list[set[int]] = [set() for _ in kinds]
    for turn in range(max(map(len, kinds), default=0)):
        for kind, order, rows in zip(kinds, turns, taken, strict=True):
            if turn >= len(kind) or len(kind[order[turn]][0]) > LONGEST:
                continue
            room -= _bytes(_choice(kind[order[turn]]))
            if room < 0:
                return _in_order(kinds, taken)
            rows.add(order[turn])
    return _in_order(kinds, taken)


def _rank(model: str, used: Mapping[str, int]) -> tuple[bool, int]:
    return Path(model).is_absolute(), -used.get(model, 0)


def _choice(pair: tuple[str, str]) -> ModelChoice:
    return ModelChoice(pair[0], pair[1][:LONGEST])


def _bytes(choice: ModelChoice) -> int:
    return len(json.dumps({"id": choice.id, "name": choice.name})) + 1


def _in_order(kinds: Sequence[Sequence[tuple[str, str]]], taken: Sequence[set[int]]) -> list[tuple[ModelChoice, ...]]:
    return [tuple(_choice(kind[row]) for row in sorted(rows)) for kind, rows in zip(kinds, taken, strict=True)]
