"""The faults benchmark in small: real cores, workers and models, struck at random instants."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.faults import VICTIMS, measure


@pytest.mark.all
@pytest.mark.skipif(sys.platform != "linux", reason="finds the core's worker in /proc")
def test_whatever_dies_no_job_is_lost_no_pixel_differs_and_no_finished_tile_is_done_twice(tmp_path: Path) -> None:
    kinds = {*VICTIMS, "tiles", "journal", "disk"}
    tallies = asyncio.run(measure(tmp_path, 6, 7, print, kinds))
    assert {*VICTIMS} <= {tally.fault.split()[0] for tally in tallies}
    assert [tally for tally in tallies if not tally.is_good] == []
