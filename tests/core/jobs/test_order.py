"""The queue's order: by priority, and in turns among clients."""

from hypothesis import given
from hypothesis import strategies as st

from scumble_core.jobs.order import Waiting, in_order

JOBS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1, 1)), max_size=12).map(
    lambda jobs: [Waiting(str(n), owner, priority, n) for n, (owner, priority) in enumerate(jobs)]
)
TURNS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9))


@given(JOBS, TURNS)
def test_every_job_has_one_place_and_higher_priorities_come_first(jobs: list[Waiting], turns: dict[str, int]) -> None:
    order = [jobs[int(each)] for each in in_order(jobs, turns)]
    assert sorted(order, key=lambda job: job.number) == jobs
    assert [job.priority for job in order] == sorted((job.priority for job in jobs), reverse=True)


@given(JOBS, TURNS)
def test_one_owners_jobs_of_one_priority_run_as_they_came(jobs: list[Waiting], turns: dict[str, int]) -> None:
    order = [jobs[int(each)] for each in in_order(jobs, turns)]
    for owner in "abc":
        for priority in (-1, 0, 1):
            own = [job.number for job in order if (job.owner, job.priority) == (owner, priority)]
            assert own == sorted(own)


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_client_with_many_jobs_does_not_keep_another_waiting(many: int, few: int) -> None:
    jobs = [Waiting(f"a{n}", "a", 0, n) for n in range(many)] + [Waiting(f"b{n}", "b", 0, many + n) for n in range(few)]
    order = in_order(jobs, {})
    both = 2 * min(many, few)
    assert [job[0] for job in order[:both]] == ["a", "b"] * (both // 2)


def test_whoever_has_just_had_a_turn_comes_last() -> None:
    jobs = [Waiting("1", "a", 0, 1), Waiting("2", "b", 0, 2), Waiting("3", "c", 0, 3)]
    assert in_order(jobs, {"a": 2, "b": 1}) == ["3", "2", "1"]
