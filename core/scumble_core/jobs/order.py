"""Which job runs next. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A job in the queue. `number` counts up in the order in which jobs came; a higher `priority` goes first."""

    id: str
    owner: str
    priority: int
    number: int


def in_order(waiting: Iterable[Waiting], turns: Mapping[str, int]) -> list[str]:
    """The jobs' ids as they will run if nothing else comes.

    Highest priority first. Among equals the owners take turns, however many jobs each has: the one whose last turn
    is longest ago goes first (`turns`: the number of each owner's last turn). An owner's own jobs run as they came.
    """
    left, last, order = list(waiting), dict(turns), []
    while left:
        chosen = min(left, key=lambda job: (-job.priority, last.get(job.owner, -1), job.number))
        left.remove(chosen)
        last[chosen.owner] = max(last.values(), default=-1) + 1
        order.append(chosen.id)
    return order
