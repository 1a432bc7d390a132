"""How many models go into one message, of each kind."""

import json
from collections.abc import Sequence

from scumble_bridge.fields import ModelChoice

# A message's header has 64 KiB; the rest of it is for what else is told.
ROOM_FOR_CHOICES = 56 * 1024
LONGEST = 1000


def offered(kinds: Sequence[Sequence[tuple[str, str]]], room: int = ROOM_FOR_CHOICES) -> list[tuple[ModelChoice, ...]]:
    """Of each kind's (id, name) the first ones, as many as go into one message; each kind in turn, so that none is left
    out for another's sake.
    """
    taken: list[list[ModelChoice]] = [[] for _ in kinds]
    for row in range(max(map(len, kinds), default=0)):
        for kind, choices in zip(kinds, taken, strict=True):
            if row >= len(kind):
                continue
            model, name = kind[row]
            if len(model) > LONGEST:
                continue
            room -= len(json.dumps({"id": model, "name": name[:LONGEST]})) + 1
            if room < 0:
                return [tuple(each) for each in taken]
            choices.append(ModelChoice(model, name[:LONGEST]))
    return [tuple(each) for each in taken]
