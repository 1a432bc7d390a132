from dataclasses import replace

from tests.krita_plugin.fake_host import FakeHost, noisy
from tests.krita_plugin.runs.settings import QUICK, TILED

from scumble.panel.queue import QueueList
from scumble.runs.queue import Queue, entries
from scumble_bridge.fields import JobRow


def row(job, state, client="me", **changed):
    return replace(JobRow(job, "A title", client, state, "", 0, 0, None, 0), **changed)


def test_what_runs_comes_first_and_what_waits_knows_its_place():
    found = entries(
        (row("1", "finished"), row("2", "running", stage="tiles", tile=1, tiles=4), row("3", "queued"),
         row("4", "queued", "another")),
        "me",
        frozenset(),
    )  # fmt: skip
    assert [(each.row.job, each.place, each.is_own) for each in found] == [
        ("2", 0, True), ("3", 2, True), ("4", 3, False), ("1", 0, True),
    ]  # fmt: skip
    assert [each.sentence for each in found] == [
        "Refining: tile 2 of 4", "Waiting: 1 job before this one", "Waiting: 2 jobs before this one", "Done.",
    ]  # fmt: skip
    assert [each.share for each in found] == [0.25, None, None, None]
    assert [each.can_run_next for each in found] == [False, True, True, False]


def test_the_list_shows_pauses_cancels_and_hastens_jobs_of_a_real_core(krita):
    host = FakeHost(noisy(512, 512, seed=30))
    life = krita(host)
    queue = Queue(life.core, life.runner.client_name)
    shown = QueueList(queue)
    runs = [life.start(TILED), life.start(replace(QUICK, seed=1)), life.start(replace(QUICK, seed=2))]

    def choose(run):
        at = [entry.row.job for entry in queue.entries].index(run.order.job)
        shown.rows.setCurrentRow(at)
        return queue.entries[at]

    life.spin(lambda: runs[2].state.stage == "queued" and [e.row.state for e in queue.entries].count("queued") == 2)
    assert choose(runs[2]).is_own
    assert shown.next.isEnabled()
    shown.next.click()
    life.spin(lambda: runs[1].state.done == 2)  # the third goes before the second now
    choose(runs[1])
    shown.cancel.click()
    life.spin(lambda: runs[1].state.is_over)
    choose(runs[0])
    assert shown.pause.text() == "Pause"
    shown.pause.click()
    life.until(runs[0], "paused")
    life.until(runs[2], "done")
    life.spin(lambda: choose(runs[0]).row.state == "paused")
    assert shown.pause.text() == "Resume"
    shown.resume.connect(life.runner.resume)
    shown.pause.click()
    life.until(runs[0], "done")
    life.spin(lambda: choose(runs[0]).row.state == "finished")
    assert shown.rows.currentItem().text().endswith("Done.")
    assert not (shown.pause.isEnabled() or shown.cancel.isEnabled() or shown.next.isEnabled())
