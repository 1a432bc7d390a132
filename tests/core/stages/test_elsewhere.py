"""What another job has finished is found by the journal's table of tasks, and taken over when its file is whole."""

import numpy as np
import pytest

from scumble_core.jobs.journal import Journal
from scumble_core.jobs.tasks import Task
from scumble_core.stages.elsewhere import Elsewhere, elsewhere_of, look_up
from scumble_core.stages.store import TileStore, taken_over


@pytest.fixture
def jobs(tmp_path):
    """The folder of the job folders of "own", which may ask elsewhere."""
    folder = tmp_path / "with space #?" / "jobs"
    look_up(folder / "own" / "tiles", Elsewhere(folder.parent / "jobs.sqlite", folder))
    return folder


def finish(jobs, job, *keys):
    """Tasks of a job, in its folder and in the journal."""
    journal = Journal.open(jobs.parent / "jobs.sqlite")
    for key in keys:
        TileStore(jobs / job / "tiles").put(key, np.ones((2, 2), np.float32))
    journal.note([Task.found(job, key) for key in keys])
    journal.close()
    return jobs / job / "tiles"


def test_what_any_job_has_finished_is_taken_over_and_outlives_it(jobs):
    for number in range(40):
        finish(jobs, f"other {number}", f"other {number}")
    holder, own = finish(jobs, "holder", "key"), jobs / "own" / "tiles"
    assert TileStore(own).look("key")[0] == "taken over" and taken_over(own) == {"key"}
    assert TileStore(own).look("key")[0] == "kept" and taken_over(own) == {"key"}  # it is our own now
    assert "other 0" in TileStore(own) and "nobody's" not in TileStore(own)
    (holder / "key.npy").unlink()
    assert (TileStore(own).get("key") == 1).all()


def test_a_damaged_tile_is_not_taken_over_and_the_next_job_is_asked(jobs):
    bad, own = finish(jobs, "bad", "key"), jobs / "own" / "tiles"
    (bad / "key.npy").write_bytes(b"no tile")
    assert "key" not in TileStore(own) and not taken_over(own) and not list(own.glob("*.npy"))
    finish(jobs, "good", "key")
    assert "key" in TileStore(own) and taken_over(own) == {"key"}
    assert (bad / "key.npy").exists()  # it is not ours to remove


def test_a_row_without_a_file_and_one_of_our_own_are_no_tile(jobs):
    finish(jobs, "gone", "key")
    (jobs / "gone" / "tiles" / "key.npy").unlink()
    own = finish(jobs, "own", "mine")
    (own / "mine.npy").unlink()
    assert "key" not in TileStore(own) and "mine" not in TileStore(own)


@pytest.mark.parametrize("journal", [None, b"no database", b""])
def test_without_a_journal_that_can_be_read_there_is_only_what_is_here(jobs, journal):
    if journal is not None:
        (jobs.parent / "jobs.sqlite").write_bytes(journal)
    assert "key" not in TileStore(jobs / "own" / "tiles")
    assert not (jobs.parent / "jobs.sqlite").exists() or (jobs.parent / "jobs.sqlite").read_bytes() == journal


@pytest.mark.parametrize("said", ["", "[]", "{}", "null", '{"journal": 1, "jobs": 2}'])
def test_what_an_older_scumble_wrote_there_says_nothing(tmp_path, said):
    (tmp_path / "elsewhere.json").write_text(said)
    assert elsewhere_of(tmp_path) is None and "key" not in TileStore(tmp_path)
