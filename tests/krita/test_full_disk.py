"""A disk that fills up in the real Krita: one sentence, the document as it was; with room again the run goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

import pytest
from tests.krita.panel import Panel

from scumble_bridge.places import write_core_command
from scumble_core.jobs.command import CORE

pytestmark = pytest.mark.krita

# Where the last run stands from now on: it may come back to the same place at once.
PHASES = "MET = []\nP.runner.runs[-1].changed.connect(lambda state: MET.append(state.phase))"


class Disk:
    """A small one of its own in the place of a folder."""

    def __init__(self, folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
        if mounted.returncode:
            pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.decode().strip()}")

    def resize(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def fill(self):
        """To the last byte, whoever writes beside it."""
        with (self.folder / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                os.posix_fallocate(file.fileno(), file.seek(0, 2), 4096)

    def free(self):
        (self.folder / "ballast").unlink()

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)


@pytest.fixture
def disk_of_the_core(krita):
    """For jobs, journal and spools; the core that comes next lives there."""
    krita.kill_core()
    disk = Disk(krita.data, "64m")
    try:
        write_core_command(krita.data, CORE)
        yield disk
    finally:
        krita.kill_core()
        disk.close()


def is_one_sentence(said):
    return said.count(". ") == 0 and said.endswith(".")


@pytest.mark.all  # a core of its own starts
def test_a_disk_that_fills_up_amid_a_job_costs_nothing_that_was_finished(disk_of_the_core, panel, krita):
    before, tree = panel.shown, panel.tree
    panel.in_tiles(12)
    panel.press_refine()
    panel.wait_for("Refining: tile 3 of 9")
    disk_of_the_core.fill()
    panel.wait_for_phase("offered", 60)
    assert "The disk is full" in panel.said
    assert is_one_sentence(panel.said)
    assert (panel.shown, panel.tree) == (before, tree)
    finished = panel.tiles_on_the_disk()
    assert len(finished) >= 2
    # Without room it can't go on, and says so again.
    krita.run(PHASES)
    panel.click("scumble_continue")
    krita.wait("'offered' in MET", 60)
    assert "disk is full" in panel.said
    disk_of_the_core.free()
    panel.click("scumble_continue")
    panel.wait_until_done()
    now = panel.tiles_on_the_disk()
    assert {name: now.get(name) for name in finished} == finished
    assert panel.size == [384, 256]


@pytest.mark.all  # a core of its own starts
def test_a_disk_that_is_full_before_anything_was_sent_is_told(disk_of_the_core, panel, krita):
    before, tree = panel.shown, panel.tree
    krita.run("P.core.ensure()")
    krita.wait("P.core.is_open", 60)
    disk_of_the_core.fill()
    panel.press_refine()
    panel.wait_for_phase("failed", 60)
    assert "full" in panel.said
    assert is_one_sentence(panel.said)
    assert (panel.shown, panel.tree) == (before, tree)
    disk_of_the_core.free()
    panel.press_refine()
    panel.wait_until_done()


def test_results_that_find_no_room_wait_in_the_core(panel: Panel, krita):
    """Where Krita keeps them on their way: the picture fits, its results don't."""
    before, tree = panel.shown, panel.tree
    disk = Disk(krita.data / "spool", "256k")
    try:
        panel.press_refine()
        panel.wait_for_phase("ready", 120)
        assert "free some room" in panel.said
        assert "No space left on device" in panel.said
        assert (panel.shown, panel.tree) == (before, tree)
        krita.run(PHASES)
        panel.click("scumble_place")
        krita.wait("'ready' in MET", 60)
        assert "free some room" in panel.said
        disk.resize("16m")
        panel.click("scumble_place")
        panel.wait_until_done()
        assert panel.size == [384, 256]
        assert len(panel.tree) == len(tree) + 1
    finally:
        disk.close()
        shutil.rmtree(krita.data / "spool", ignore_errors=True)
