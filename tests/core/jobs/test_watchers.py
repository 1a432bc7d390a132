"""The list of jobs: what is in it, in which order, and that it always fits."""

from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_bridge import messages as wire
from scumble_bridge.channel import Channel
from scumble_bridge.codec import encode
from scumble_bridge.fields import MOST_ROWS, PictureHeader
from scumble_bridge.frames import FULL_LIMITS
from scumble_core.jobs.client import MOST_UNSENT, Client
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.job import Job
from scumble_core.jobs.states import STATES, State
from scumble_core.jobs.watchers import RECENT_SECONDS, Watchers, queue_of

NOW = 1_000_000.0
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=1000)


def job_of(number: int, state: State = "queued", title: str = "", ago: float = 0.0, place: int = 0) -> Job:
    name, then = f"{number:032x}", NOW - ago
    source = PictureHeader(1, 1, "u8", "rgba")
    entry = Entry(name, state, {}, source, "me" * 500, 0, number, then, then, then, title=title)
    return Job(entry, Path("nowhere"), news=wire.Progress(name, "queued", place, 0))


class Line:
    """A channel whose other end may have stopped reading."""

    is_open = True

    def __init__(self) -> None:
        self.unsent = 0
        self.told: list[wire.Message] = []

    def post(self, message: wire.Message) -> None:
        self.told.append(message)


def client_on(line: Line) -> Client:
    return Client(cast(Channel, line))


def test_running_jobs_come_first_then_the_queue_in_its_order_then_paused_then_ended_ones_latest_first() -> None:
    jobs = [
        job_of(1, "finished", ago=60), job_of(2, "paused"), job_of(3, place=2), job_of(4, "failed", ago=5),
        job_of(5, place=1), job_of(6, "running"), job_of(7, "cancelled"), job_of(8, "uploading"),
        job_of(9, "finished", ago=RECENT_SECONDS + 1),
    ]  # fmt: skip
    released = job_of(10, "running")
    released.released = True
    rows = queue_of([*jobs, released], NOW).jobs
    assert [int(row.job, 16) for row in rows] == [6, 5, 3, 8, 2, 4, 1]


@given(st.lists(st.tuples(st.sampled_from(STATES), WORDS), max_size=30), st.sampled_from((1, 40)))
def test_any_list_fits_into_a_message_and_ids_and_states_stay(jobs: list[tuple[State, str]], times: int) -> None:
    many = [job_of(at, state, title) for at, (state, title) in enumerate(jobs * times)]
    queue = queue_of(many, NOW)
    assert len(encode(queue)[0]) < FULL_LIMITS.header
    assert len(queue.jobs) == min(MOST_ROWS, sum(state != "cancelled" for state, _ in jobs) * times)
    by_id = {job.id: job for job in many}
    for row in queue.jobs:
        assert row.state == by_id[row.job].state and by_id[row.job].entry.title.startswith(row.title)


@pytest.mark.parametrize("character", ["x", "é", "絵", "\U0001f58c", '"'])
def test_the_longest_list_of_the_longest_titles_fits(character: str) -> None:
    many = [job_of(at, "paused", character * 1000) for at in range(300)]
    queue = queue_of(many, NOW)
    assert len(queue.jobs) == MOST_ROWS and len(encode(queue)[0]) < FULL_LIMITS.header


def test_a_client_that_does_not_read_misses_lists_and_is_told_what_holds_when_it_reads_again() -> None:
    jobs: list[Job] = []
    watchers, line = Watchers(jobs, lambda: NOW), Line()
    client = client_on(line)
    watchers.add(client)
    line.unsent = MOST_UNSENT + 1
    for number in range(50):
        jobs.append(job_of(number))
        watchers.look()
    assert line.told == [wire.Queue(())]
    line.unsent = 0
    watchers.look()
    watchers.look()
    assert len(line.told) == 2 and line.told[1] == queue_of(jobs, NOW)
    watchers.discard(client)
    jobs.clear()
    watchers.look()
    assert len(line.told) == 2
