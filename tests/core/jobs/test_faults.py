"""The faults benchmark in small: real cores, workers and models, struck at random instants; and the soak."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.faults import KINDS, VICTIMS, measure
from benchmarks.soak import run_soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the core's worker in /proc")


@pytest.mark.slow
def test_whatever_dies_no_job_is_lost_no_pixel_differs_and_no_finished_tile_is_done_twice(tmp_path: Path) -> None:
    tallies = asyncio.run(measure(tmp_path, 6, 7, print, set(KINDS)))
    assert {*VICTIMS} <= {tally.fault.split()[0] for tally in tallies}
    assert [tally for tally in tallies if not tally.is_good] == []


@pytest.mark.slow
def test_clients_who_cancel_pause_and_vanish_lose_no_job_and_double_none(tmp_path: Path) -> None:
    soaked = run_soak(tmp_path, 40, 3)
    assert soaked.jobs == 40 and soaked.is_good, soaked


@pytest.mark.all
def test_it_holds_for_many_instants_and_many_jobs(tmp_path: Path) -> None:
    tallies = asyncio.run(measure(tmp_path, 30, 11, print, set(KINDS)))
    assert [tally for tally in tallies if not tally.is_good] == []
    soaked = run_soak(tmp_path / "soak", 1000, 4)
    assert soaked.jobs == 1000 and soaked.is_good, soaked
