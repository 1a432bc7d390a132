"""How much faster or slower than planned this machine is."""

import json

from hypothesis import given
from hypothesis import strategies as st

from scumble_core.jobs.pace import FASTEST, LAST, MOST, SLOWEST, Run, from_list, noted, pace_of, run_of, to_list

SUMMARY = {"seconds_estimate": 100.0, "seconds": 25.0, "models": {"base": "starter"}, "device": "cuda:1"}
RUNS = st.builds(Run, st.sampled_from("ab"), st.sampled_from(["cpu", "cuda"]), st.floats(1e-6, 1e6))


def test_a_finished_job_tells_how_many_times_the_planned_seconds_it_took() -> None:
    run = run_of(SUMMARY)
    assert run == Run("starter", "cuda", 0.25)
    assert pace_of((run,), "starter", ("cuda:0", "cuda:1")) == 0.25
    assert pace_of((run,), "starter", ("cpu",)) is None
    assert pace_of((run,), "sdxl", ("cuda:0",)) is None


def test_a_job_that_tells_nothing_of_the_pace_is_left_out() -> None:
    for changed in (
        {"tiles_taken_over": 3},
        {"seconds": 0.2},
        {"seconds": float("inf")},
        {"seconds_estimate": 0.0},
        {"seconds_estimate": "soon"},
        {"models": None},
    ):
        assert run_of({**SUMMARY, **changed}) is None
    assert run_of({}) is None


def test_the_median_of_the_last_few_counts_so_that_one_slow_run_changes_little() -> None:
    runs: tuple[Run, ...] = ()
    for ratio in (9.0, 9.0, 9.0, 0.5, 0.4, 70.0, 0.6, 0.5):
        runs = noted(runs, Run("a", "cpu", ratio))
    assert pace_of(runs, "a", ("cpu",)) == 0.5


@given(st.lists(RUNS, max_size=3 * LAST), st.sampled_from("ab"))
def test_a_pace_is_within_reason_and_that_of_some_run_or_between_two(runs: list[Run], base: str) -> None:
    pace = pace_of(tuple(runs), base, ("cpu",))
    own = [run.ratio for run in runs if run.base == base and run.device == "cpu"]
    assert (pace is None) == (not own)
    if pace is not None:
        assert FASTEST <= pace <= SLOWEST
        assert min(max(min(own), FASTEST), SLOWEST) <= pace <= max([*own, FASTEST])


@given(st.lists(RUNS, max_size=5))
def test_runs_come_back_from_json(runs: list[Run]) -> None:
    assert from_list(json.loads(json.dumps(to_list(tuple(runs))))) == tuple(runs)


def test_what_makes_no_sense_in_the_file_is_left_out_and_no_more_than_a_hundred_are_kept() -> None:
    good = {"base": "a", "device": "cpu", "ratio": 2.0}
    assert from_list([good, {}, 3, None, {**good, "ratio": -1}, {**good, "ratio": "x"}]) == (Run("a", "cpu", 2.0),)
    assert from_list({"runs": []}) == ()
    assert len(from_list([good] * 2 * MOST)) == MOST
    assert len(noted(from_list([good] * MOST), Run("b", "cpu", 1.0))) == MOST
