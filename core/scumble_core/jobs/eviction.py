"""Which kept jobs have to go, by age and by size. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

DAY = 24 * 3600.0
GIGABYTE = 10**9


@dataclass(frozen=True)
class Limits:
    """What may be kept: bytes of all job folders together, seconds since a job was last of use, number of jobs.

    Within `grace` seconds of its use a job doesn't make room for others: its client must have a chance to fetch it,
    also where one job alone is too much.
    """

    total_bytes: int = 20 * GIGABYTE
    seconds: float = 7 * DAY
    jobs: int = 500
    grace: float = 3600.0


@dataclass(frozen=True)
class Kept:
    """A job's folder. `used`: when somebody last cared, in seconds of the clock; `unfetched`: results wait in it."""

    id: str
    size: int
    used: float
    is_active: bool = False
    unfetched: bool = False


def to_evict(kept: Iterable[Kept], limits: Limits, now: float) -> list[Kept]:
    """Those to drop, the least recently used first; never one that waits or runs."""
    everything = list(kept)
    total, number = sum(each.size for each in everything), len(everything)
    dropped = []
    for each in sorted((each for each in everything if not each.is_active), key=lambda each: each.used):
        age = now - each.used
        fits = (total <= limits.total_bytes and number <= limits.jobs) or age < limits.grace
        if fits and age <= limits.seconds:
            continue
        dropped.append(each)
        total, number = total - each.size, number - 1
    return dropped


def soon_too_old(kept: Iterable[Kept], limits: Limits, now: float) -> list[Kept]:
    """Unfetched results in the last seventh of their time: within a day where they are kept for a week."""
    return [each for each in kept if each.unfetched and limits.seconds * 6 / 7 < now - each.used <= limits.seconds]
