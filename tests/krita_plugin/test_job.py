import pytest

from scumble.job import BUSY, JobState, time_left


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (JobState("running", "tiles", 2, 12, 40.4), "Refining: tile 3 of 12, 40 s left"),
        (JobState("running", "tiles", 12, 12, 0.2), "Refining: tile 12 of 12, 1 s left"),
        (JobState("running", "upscale", 0, 4), "Upscaling: tile 1 of 4"),
        (JobState("running", "compose", 0, 1), "Composing…"),
        (JobState("running", "merge", 1, 4), "Merging: step 2 of 4"),
        (JobState("running", "restarting", 1, 0), "Restarting the worker…"),
        (JobState("running", "paused", 3, 12), "Paused…"),
        (JobState("running", "queued", 2, 0), "Waiting: 2 jobs before this one"),
        (JobState("running", "queued", 0, 0), "Waiting for the core…"),
        (JobState("failed", message="No."), "No."),
    ],
)
def test_the_sentence_says_what_goes_on(state, sentence):
    assert state.sentence == sentence


def test_every_busy_phase_has_a_sentence():
    assert all(JobState(phase, "tiles", 0, 1).sentence for phase in BUSY)


def test_the_bar_counts_tiles_or_bytes():
    assert JobState("running", "tiles", 3, 12).share == 0.25
    assert JobState("sending", done=5, total=10).share == 0.5
    assert JobState("connecting").share is None


@pytest.mark.parametrize(("seconds", "text"), [(0.1, "1 s"), (59, "59 s"), (90, "2 min"), (7300, "2 h 2 min")])
def test_time_left(seconds, text):
    assert time_left(seconds) == text
