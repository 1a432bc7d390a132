"""What is dropped to make room: the least recently used, never what runs, no more than needed."""

from hypothesis import given
from hypothesis import strategies as st

from scumble_core.jobs.eviction import Kept, Limits, soon_too_old, to_evict

NOW = 1000.0
KEPT = st.lists(st.tuples(st.integers(0, 50), st.floats(0, NOW), st.booleans(), st.booleans()), max_size=10).map(
    lambda all_: [Kept(str(n), *each) for n, each in enumerate(all_)]
)
LIMITS = st.builds(Limits, st.integers(0, 200), st.floats(1, NOW), st.integers(0, 10), st.just(0.0))


@given(KEPT, LIMITS)
def test_what_stays_keeps_the_limits_unless_it_runs(kept: list[Kept], limits: Limits) -> None:
    dropped = to_evict(kept, limits, NOW)
    assert not any(each.is_active for each in dropped)
    idle = [each for each in kept if each not in dropped and not each.is_active]
    if idle:
        stays = [each for each in kept if each not in dropped]
        assert sum(each.size for each in stays) <= limits.total_bytes and len(stays) <= limits.jobs
        assert all(NOW - each.used <= limits.seconds for each in idle)


@given(KEPT, LIMITS)
def test_the_least_recently_used_goes_first_and_nothing_goes_without_need(kept: list[Kept], limits: Limits) -> None:
    dropped = to_evict(kept, limits, NOW)
    idle = [each for each in kept if each not in dropped and not each.is_active]
    assert all(gone.used <= stays.used for gone in dropped for stays in idle)
    if dropped and NOW - dropped[-1].used <= limits.seconds:
        before = [each for each in kept if each not in dropped[:-1]]
        assert sum(each.size for each in before) > limits.total_bytes or len(before) > limits.jobs


def test_one_job_that_alone_is_too_much_stays_until_its_client_had_time_to_fetch_it() -> None:
    huge = [Kept("huge", 30, NOW - 59), Kept("old", 1, NOW - 61)]
    limits = Limits(total_bytes=20, grace=60.0)
    assert [each.id for each in to_evict(huge, limits, NOW)] == ["old"]
    assert [each.id for each in to_evict(huge, limits, NOW + 2)] == ["old", "huge"]


def test_unfetched_results_are_warned_of_in_the_last_day_of_a_week() -> None:
    day = 24 * 3600.0
    ages = {"young": 5.0, "soon": 6.5, "gone": 7.5}
    kept = [Kept(name, 1, (10 - age) * day, unfetched=True) for name, age in ages.items()]
    kept.append(Kept("fetched", 1, 3.5 * day))
    assert [each.id for each in soon_too_old(kept, Limits(), 10 * day)] == ["soon"]
    assert [each.id for each in to_evict(kept, Limits(), 10 * day)] == ["gone"]
