"""`scumble bench`, as a user runs it."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def scumble(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")

    def run(*arguments):
        places = {"SCUMBLE_DATA_DIR": str(home / "data"), "HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        command = [sys.executable, "-m", "scumble_core", "bench", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **places}, timeout=600)

    return run


@pytest.mark.all
def test_it_compares_both_ways_and_says_where_the_time_goes(scumble):
    done = scumble("--tile", "256", "--seconds", "500", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    own, other = shown["scumble"], shown["mikey"]
    for way in (own, other):
        assert way["whole"]
        assert way["tiles"] == way["tiles_planned"] > 1
        assert way["tiles_per_second"] == pytest.approx(way["tiles"] / way["seconds"])
        assert 0 < way["share_in_models"] < 1
    assert shown["times_less_work"] == pytest.approx(
        other["megapixels_seen_by_calls"] / own["megapixels_seen_by_calls"]
    )
    assert shown["times_faster"] == pytest.approx(other["seconds"] / own["seconds"])
    assert shown["times_less_work"] > 3


def test_what_was_not_finished_in_the_time_is_not_compared(scumble):
    done = scumble("--tile", "256", "--seconds", "0")
    assert done.returncode == 0, done.stderr
    assert "stopped there for want of time" in done.stdout
    assert "Not compared" in done.stdout


def test_a_model_that_is_not_there_is_one_sentence(scumble):
    done = scumble("--model", "/nowhere/at/all")
    assert done.returncode == 1
    assert done.stderr.startswith("scumble: ")
    assert len(done.stderr.splitlines()) == 1
