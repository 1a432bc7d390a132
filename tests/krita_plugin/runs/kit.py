"""What tests of runs share: private places, a core of their own, and a way to wait at the top of the event loop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.krita_plugin.fake_host import FakeHost

from scumble.core.link import Core
from scumble.qt import QtCore
from scumble.runs.order import Asked
from scumble.runs.runner import Runner
from scumble.settings import Settings
from scumble_bridge import messages as wire
from scumble_bridge.places import write_core_command

COMMAND = (sys.executable, "-m", "scumble_core", "serve", "--idle-seconds", "20")


def spin(qapp, until, seconds=120):
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it never came to that"
        qapp.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)


@dataclass
class Krita:
    """One life of the panel's inner parts."""

    qapp: object
    host: FakeHost
    core: Core = field(default_factory=Core)
    runner: Runner = None
    processes: list = field(default_factory=list)

    def __post_init__(self):
        self.runner = Runner(self.host, self.core)
        self.core.changed.connect(self.note)
        self.core.watch()

    def note(self, _state=None):
        process = self.core._process
        if process is not None and process not in self.processes:
            self.processes.append(process)

    def start(self, settings=None, **changed):
        return self.runner.start(Asked(settings or Settings(**changed)))

    def spin(self, until, seconds=120):
        spin(self.qapp, until, seconds)

    def until(self, run, *phases, seconds=120):
        self.spin(lambda: run.state.phase in phases or run.state.is_over, seconds)
        assert run.state.phase in phases, run.state
        return run

    def until_tiles(self, run, count=1):
        """So many tiles are finished, and others not."""
        self.spin(lambda: (run.state.stage == "tiles" and run.state.done >= count) or run.state.is_over)
        assert run.state.phase == "running", run.state
        return run

    def give_up(self):
        """A test that failed leaves nothing behind for the next one to wait for."""
        for run in self.runner.runs:
            if run.order is not None and not run.state.is_over:
                self.core.send(wire.Release(run.order.job))

    def close(self):
        self.runner.close()
        self.core.close()

    def kill_core(self):
        self.note()
        self.processes[-1].send_signal(signal.SIGKILL)
        self.processes[-1].wait(20)


def set_up_places(tmp_path, monkeypatch):
    monkeypatch.setenv("SCUMBLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SCUMBLE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_core_command(tmp_path / "data", COMMAND)
    return tmp_path


def workers_of(core: int) -> list[int]:
    """The processes that compute, of those that a core has started."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            is_child = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == core
            if is_child and b"jobs.worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def leave(process) -> None:
    """As a power cut would: at once."""
    os.kill(process, signal.SIGKILL)
