"""The journal: what is put comes back, also after a crash, and a damaged one is put aside."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_bridge.fields import PictureHeader
from scumble_core.jobs.entry import Entry
from scumble_core.jobs.journal import VERSION, Journal, read_entries, read_tasks
from scumble_core.jobs.states import STATES
from scumble_core.jobs.tasks import MOST_IN_BATCH, Batches, Task, fared
from scumble_core.picture.geometry import Bounds

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
MOMENTS = st.floats(0, 1e11)
ENTRIES = st.builds(
    Entry,
    id=st.uuids().map(str),
    state=st.sampled_from(STATES),
    request=st.dictionaries(WORDS, WORDS | st.integers() | st.booleans(), max_size=4),
    source=st.builds(PictureHeader, st.integers(1, 99), st.integers(1, 99), st.just("u8"), st.just("bgra")),
    owner=WORDS,
    priority=st.integers(-100, 100),
    number=st.integers(0, 2**40),
    created=MOMENTS,
    updated=MOMENTS,
    used=MOMENTS,
    result=st.none() | st.just({"x": 1, "summary": {"models": ["a"]}}),
    error=st.none() | st.tuples(WORDS, WORDS),
    fetched=st.booleans(),
    title=WORDS,
)
JOB = Entry("a", "queued", {}, PictureHeader(1, 1, "u8", "rgba"), "me", 0, 1, 1.0, 1.0, 1.0)


@given(st.lists(ENTRIES, max_size=4, unique_by=(lambda each: each.id, lambda each: each.number)), ENTRIES)
def test_what_is_put_comes_back_in_the_order_of_the_numbers(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], other: Entry
) -> None:
    path = tmp_path_factory.mktemp("journal") / "jobs.sqlite"
    journal = Journal.open(path)
    for entry in entries:
        journal.put(replace(other, id=entry.id))  # the last word counts
        journal.put(entry)
    assert read_entries(path) == sorted(entries, key=lambda each: each.number)  # from beside, while it is open
    journal.close()
    journal = Journal.open(path)
    for entry in entries[1:]:
        journal.remove(entry.id)
    assert journal.entries() == entries[:1]
    journal.close()


def test_there_is_nothing_to_read_where_no_journal_is_and_none_is_made(tmp_path: Path) -> None:
    assert read_entries(tmp_path / "jobs.sqlite") == [] and not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.03, 0.3, 0.6, 0.9])
def test_a_truncated_journal_is_put_aside_with_a_line_in_the_log(
    tmp_path: Path, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "jobs.sqlite"
    journal = Journal.open(path)
    for number in range(200):
        journal.put(replace(JOB, id=str(number), number=number))
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    journal = Journal.open(path)
    assert journal.entries() == [] and "put aside" in caplog.text
    journal.put(JOB)
    journal.close()
    assert read_entries(path) == [JOB]
    assert [aside.suffix for aside in tmp_path.glob("jobs.sqlite.*")] == [".damaged"]


def test_what_is_no_database_at_all_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(b"once upon a time " * 1000)
    journal = Journal.open(tmp_path / "jobs.sqlite")
    assert journal.entries() == []
    journal.close()


def test_a_newer_scumbles_journal_is_not_touched_but_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.execute("CREATE TABLE dreams (id)")
    newer.commit()
    newer.close()
    Journal.open(path).close()
    (aside,) = tmp_path.glob("*.damaged")
    assert sqlite3.connect(aside).execute("SELECT name FROM sqlite_master").fetchall() == [("dreams",)]


def test_an_older_scumbles_journal_keeps_its_jobs_and_learns_the_new_columns(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    older = sqlite3.connect(path)
    with older:
        older.execute(
            "CREATE TABLE jobs (id TEXT PRIMARY KEY, state TEXT NOT NULL, request TEXT NOT NULL, source TEXT NOT NULL, "
            "owner TEXT NOT NULL, priority INTEGER NOT NULL, number INTEGER NOT NULL, created REAL NOT NULL, "
            "updated REAL NOT NULL, used REAL NOT NULL, result TEXT, error TEXT, fetched INTEGER NOT NULL)"
        )
        source = '{"width": 1, "height": 1, "depth": "u8", "layout": "rgba"}'
        row = ("a", "queued", "{}", source, "me", 0, 1, 1.0, 1.0, 1.0, "null", "null", 0)
        older.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(row))})", row)
        older.execute("PRAGMA user_version = 1")
    older.close()
    journal = Journal.open(path)
    assert journal.entries() == [JOB] and not list(tmp_path.glob("*.damaged"))
    journal.put(replace(JOB, title="Sunset.kra"))
    journal.close()
    assert [entry.title for entry in read_entries(path)] == ["Sunset.kra"]


def test_what_a_task_took_stays_when_it_is_only_found_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "jobs.sqlite")
    box, other = Bounds(1, 2, 3, 4), Bounds(0, 0, 9, 9)
    journal.put(JOB)
    journal.note([Task("a", "tiles", "k", box, 2.5, "done"), Task("b", "tiles", "k", other, 0.0, "taken over")])
    journal.note([Task("a", "tiles", "k", box, 0.0, "kept"), Task("a", "upscale", "l", other, 1.0, "done")])
    assert journal.tasks("a") == [Task("a", "upscale", "l", other, 1.0, "done"),
                                  Task("a", "tiles", "k", box, 2.5, "kept")]  # fmt: skip
    assert read_tasks(tmp_path / "jobs.sqlite", "b") == [Task("b", "tiles", "k", other, 0.0, "taken over")]
    journal.remove("a")
    assert journal.tasks("a") == [] and journal.jobs_with_tasks() == {"b"}
    journal.close()


def test_how_tasks_fared_is_told_by_stage() -> None:
    box = Bounds(0, 0, 1, 1)
    tasks = [Task("a", "tiles", f"{number}", box, float(number), "done") for number in range(1, 4)]
    tasks += [Task("a", "tiles", "k", box, 9.0, "kept"), Task("a", "upscale", "l", box, 0.0, "taken over")]
    assert fared(tasks) == {
        "tiles": {"done": 3, "kept": 1, "taken_over": 0, "median_seconds": 2.5},
        "upscale": {"done": 0, "kept": 0, "taken_over": 1, "median_seconds": None},
    }


def test_tasks_are_written_many_at_once_and_at_the_latest_when_the_run_is_over() -> None:
    async def work() -> None:
        batches = Batches(lambda tasks: written.append(len(tasks)))
        for number in range(MOST_IN_BATCH + 3):
            batches.add(Task.found("a", str(number)))
        assert written == [MOST_IN_BATCH]
        batches.flush()
        batches.flush()
        assert written == [MOST_IN_BATCH, 3]

    written: list[int] = []
    asyncio.run(work())


def test_a_row_that_makes_no_sense_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "jobs.sqlite"
    journal = Journal.open(path)
    journal.put(JOB)
    journal.put(replace(JOB, id="b", number=2))
    journal.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE jobs SET source = '{' WHERE id = 'a'")
    other.close()
    assert [entry.id for entry in read_entries(path)] == ["b"]
    assert "row of job a makes no sense" in caplog.text
