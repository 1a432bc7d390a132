"""One real Krita under Xvfb, with a HOME of its own, driven by orders."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).parent / "driver"
SCREEN = "1600x1000x24"


class KritaSession:
    """Start with `start`, then `run` Python in Krita, `click` widgets and `press` keys as an artist does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self.runtime = home / "run" / "scumble"
        self._orders = home / "orders"
        self._numbers = itertools.count()
        self._screen: subprocess.Popen[bytes] | None = None
        self._krita: subprocess.Popen[bytes] | None = None
        for folder in (".config", ".cache", "run", "tmp", ".local/share/krita/pykrita", "orders", "data"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "run").chmod(0o700)
        plugins = home / ".local/share/krita/pykrita"
        shutil.copytree(DRIVER, plugins, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        config = home / ".config"
        if not (config / "kritarc").exists():
            # A document that was saved by itself would be offered in a dialog at the next start.
            (config / "kritarc").write_text("AutoSaveInterval=0\n\n[python]\nenable_scumbledriver=true\n")
            (config / "kritadisplayrc").write_text("OpenGLRenderer=none\n")

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the caller's Krita, Qt or Scumble settings gets through."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "QT_", "SCUMBLE_", "DBUS_", "PYTHON"))}
        kept.pop("VIRTUAL_ENV", None)
        # Krita's embedded Python takes its own place from the first python3 on the PATH: not from our .venv.
        ours = Path(sys.prefix, "bin")
        path = os.pathsep.join(part for part in kept.get("PATH", "").split(os.pathsep) if Path(part) != ours)
        home = str(self.home)
        return {
            **kept,
            "PATH": path,
            "HOME": home,
            "XDG_DATA_HOME": f"{home}/.local/share",
            "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_CACHE_HOME": f"{home}/.cache",
            "XDG_RUNTIME_DIR": f"{home}/run",
            "TMPDIR": f"{home}/tmp",
            "LC_ALL": "C.UTF-8",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "SCUMBLE_DATA_DIR": str(self.data),
            "SCUMBLE_RUNTIME_DIR": str(self.runtime),
            "SCUMBLE_TEST_ORDERS": str(self._orders),
            "DISPLAY": getattr(self, "_display", ""),
        }

    def start(self, *files: Path) -> None:
        """Start Krita (and the screen, if there is none yet) and wait until it takes orders."""
        if self._screen is None:
            reading, writing = os.pipe()
            # Without -noreset it may end with its last client, and Krita is closed and opened here.
            command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]
            self._screen = subprocess.Popen(
                command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            os.close(writing)
            with os.fdopen(reading) as answer:
                self._display = f":{answer.readline().strip()}"
        for stale in self._orders.iterdir():
            stale.unlink()
        with (self.home / "krita.log").open("ab") as log:
            self._krita = subprocess.Popen(
                ["krita", "--nosplash", *map(str, files)], env=self.environment, stdout=log, stderr=log
            )
        self.wait("K.activeWindow() is not None", seconds=120)
        self.run("K.activeWindow().qwindow().setGeometry(0, 0, 1600, 1000)")
        if files:
            self.wait("K.activeDocument() is not None")
        time.sleep(1)  # until the window has been painted once: clicks before that go nowhere

    @property
    def is_running(self) -> bool:
        return self._krita is not None and self._krita.poll() is None

    def second(self) -> KritaSession:
        """For another Krita of the same artist: settings as they are now, the same core and screen.

        In a home of its own, since Krita opens but once in each: as with a Krita 5 and a Krita 6 side by side.
        """
        home = self.home / "second"
        for folder in (".config", ".local"):
            shutil.copytree(self.home / folder, home / folder, dirs_exist_ok=True)
        shutil.copy(self.home / "in.png", home)
        other = KritaSession(home)
        other.data, other.runtime, other._screen, other._display = self.data, self.runtime, self._screen, self._display
        return other

    def run(self, code: str, seconds: float = 60) -> Any:
        """Run Python in Krita; what it leaves in `result` comes back. A single expression is its own result."""
        number = next(self._numbers)
        try:
            compile(code, "order", "eval")
        except SyntaxError:
            pass
        else:
            code = f"result = ({code})"
        name = f"{time.time_ns()}-{number}"
        side = self._orders / f"{name}.new"
        side.write_text(code)
        side.rename(self._orders / f"{name}.order")
        answer = self._orders / f"{name}.answer"
        until = time.monotonic() + seconds
        while not answer.exists():
            if not self.is_running:
                raise AssertionError(f"Krita is gone: {self.log()}")
            if time.monotonic() > until:
                raise AssertionError(f"Krita did not answer to: {code}\n{self.log()}")
            time.sleep(0.02)
        said = json.loads(answer.read_text())
        answer.unlink()
        if "error" in said:
            raise AssertionError(f"in Krita: {code}\n{said['error']}")
        self.check()
        return said["result"]

    def wait(self, expression: str, seconds: float = 60) -> None:
        """Until the expression is true in Krita."""
        until = time.monotonic() + seconds
        while not self.run(f"result = bool({expression})", seconds=max(5.0, until - time.monotonic())):
            if time.monotonic() > until:
                self.screenshot(self.home / "waiting.png")
                raise AssertionError(f"not true after {seconds:g} s: {expression}; picture: {self.home}/waiting.png")
            time.sleep(0.05)

    def check(self) -> None:
        """No slot in Krita has raised."""
        exceptions = self._orders / "exceptions.txt"
        if exceptions.exists():
            text = exceptions.read_text()
            exceptions.unlink()
            raise AssertionError(f"an exception in Krita:\n{text}")

    def widget(self, name: str) -> str:
        """A Python expression for the plugin's widget of that object name."""
        return f"K.activeWindow().qwindow().findChild(__import__('PyQt5.QtWidgets').QtWidgets.QWidget, {name!r})"

    def click(self, name: str) -> None:
        """Click the middle of the widget with the mouse; of a box to tick, the box itself."""
        where = self.run(
            f"w = {self.widget(name)}\nassert w and w.isVisible() and w.isEnabled(), (w, w and w.isEnabled())\n"
            "c = w.rect().center()\n"
            "if w.inherits('QCheckBox'): c.setX(w.rect().left() + 8)\n"
            "c = w.mapToGlobal(c)\nresult = [c.x(), c.y()]"
        )
        self._xdotool("mousemove", *map(str, where), "click", "1")

    def press(self, keys: str) -> None:
        """Press keys, with the canvas in focus."""
        self.run("K.activeWindow().activeView(); K.activeWindow().qwindow().activateWindow()")
        self._xdotool("mousemove", "700", "500")
        self._xdotool("key", keys)

    def screenshot(self, path: Path) -> None:
        """The whole screen; packed quickly, since there is one of each test."""
        subprocess.run(["import", "-window", "root", "-quality", "10", str(path)], env=self.environment, check=True)

    def quit(self) -> None:
        """As an artist does, without being asked to save."""
        self.run("for d in K.documents(): d.setModified(False)")
        self.run("from PyQt5.QtCore import QTimer\nQTimer.singleShot(50, lambda: K.action('file_quit').trigger())")
        assert self._krita is not None
        assert self._krita.wait(60) == 0, self.log()
        self._krita = None

    def end(self) -> None:
        """End this Krita alone, whatever state it is in."""
        if self._krita is not None and self._krita.poll() is None:
            self._krita.kill()
            self._krita.wait()

    def close(self) -> None:
        """End everything, whatever state it is in."""
        self.kill_core()
        for process in (self._krita, self._screen):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def core_pids(self) -> list[int]:
        """The front door and its workers: processes of this session's own data folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if b"scumble_core" in command and str(self.data).encode() in environment:
                    found.append(int(entry.name))
        return found

    def kill_core(self) -> None:
        """As a crash does."""
        for pid in self.core_pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def log(self) -> str:
        """The end of what Krita printed."""
        path = self.home / "krita.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self.environment, check=True)


def missing_programs() -> list[str]:
    """What a real Krita under Xvfb needs and is not here."""
    return [name for name in ("krita", "Xvfb", "xdotool", "import") if shutil.which(name) is None]
