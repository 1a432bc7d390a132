"""How long Krita's event loop stands still from button to placed layers: `python -m benchmarks.stalls [--json]`.

The real Krita under Xvfb, a real core, a document of `--side` pixels squared. The job changes nothing (strength 0), so
that reading, sending, fetching and placing are all there is. A heartbeat every few milliseconds notes how late it
comes. Each way of placing runs `--repeats` times, and the quietest is shown: other programs make stalls of their own.

Beside each, in the same session, how long Krita stands still by itself when an artist does the like by hand: makes a
new group above a single layer (which composes the whole picture anew), has a picture of that size shown in a tab, or
has one scaled (waited for in a thread, since Krita's own dialog stands still for all of it). `--enlarge` takes that
way too, from half the side; the core then has some minutes of work.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.krita import stalls as meter
from tests.krita.panel import Panel
from tests.krita.session import KritaSession

from scumble_bridge.places import write_core_command
from scumble_core.jobs.command import CORE
from scumble_core.krita.package import PLUGIN, plugin_files

BEAT_MS = 4
PATIENCE = 600.0
HEART = f"""
import time
from PyQt5.QtCore import QTimer, Qt
class Heart:
    def __init__(self):
        self.gaps = []
        self.timer = QTimer()
        self.timer.setTimerType(Qt.PreciseTimer)
        self.timer.timeout.connect(self.beat)
    def start(self):
        self.gaps, self.phases = [], {{}}
        self.earlier = P.runner.runs[-1] if P.runner.runs else None
        self.last = self.begun = time.perf_counter()
        self.timer.start({BEAT_MS})
    def beat(self):
        now = time.perf_counter()
        gap, self.last = max(0.0, now - self.last - {BEAT_MS} / 1000), now
        run = P.runner.runs[-1] if P.runner.runs else None
        if run is self.earlier:
            return
        phase = run.state.phase
        self.gaps.append(gap)
        self.phases[phase] = max(self.phases.get(phase, 0.0), gap)
        if phase in ('done', 'failed', 'ready'):
            self.timer.stop()
heart = Heart()
"""
DOCUMENT = """
import os
from PyQt5.QtCore import QByteArray
for d in K.documents():
    d.setModified(False); d.close()
d = K.createDocument({side}, {side}, 'large', 'RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc', 300.0)
n = d.topLevelNodes()[0]
band = bytearray(os.urandom({side} * 4 * 64)); band[3::4] = bytes([255]) * ({side} * 64)
for y in range(0, {side}, 64):
    n.setPixelData(QByteArray(bytes(band)), 0, y, {side}, 64)
d.refreshProjection(); d.waitForDone()
"""
SHOW = "K.activeWindow().addView(d); d.waitForDone(); d.refreshProjection(); d.waitForDone()"
# What has Krita do as much as placing does: before the clock runs, and then.
BY_HAND = {
    "keep": (SHOW, "K.action('add_new_group_layer').trigger()"),
    "new": ("", "K.activeWindow().addView(d)"),
    "enlarge": (
        SHOW,
        "import threading\nside = 2 * d.width()\n"
        "threading.Thread(target=lambda: d.scaleImage(side, side, 300, 300, 'Bicubic')).start()\ntime.sleep(0.02)",
    ),
}
QUIET_SECONDS = 3.0
IDLE = f"""
def by_hand(code):
    exec(code, globals())
    yield
    until = time.monotonic() + {QUIET_SECONDS}
    while time.monotonic() < until:
        if d.tryBarrierLock(): d.unlock()
        else: until = time.monotonic() + {QUIET_SECONDS}
        time.sleep(0.002)
        yield
"""


@dataclass(frozen=True)
class Stalls:
    """In milliseconds, of the quietest repeat. `by_phase`: the longest in each phase of the run."""

    placing: str
    side: int
    longest: float
    p99: float
    seconds: float
    by_phase: dict[str, float]


def measure(session: KritaSession, panel: Panel, destination: str, side: int) -> Stalls:
    """One run from the button to the layers."""
    session.run(DOCUMENT.format(side=side) + SHOW, seconds=PATIENCE)
    session.wait(f"P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == {side}", PATIENCE)
    panel.choose("scumble_destination", destination)
    session.run("heart.start()")
    panel.press_refine()
    session.wait("not heart.timer.isActive()", PATIENCE)
    phase, said = session.run("[P.runner.runs[-1].state.phase, P.runner.runs[-1].state.sentence]")
    assert phase == "done", said
    gaps, seconds = session.run("[sorted(heart.gaps), heart.last - heart.begun]")
    phases = session.run("{name: round(gap * 1000, 1) for name, gap in heart.phases.items() if gap > 0.01}")
    p99 = gaps[min(len(gaps) - 1, int(0.99 * len(gaps)))]
    return Stalls(destination, side, round(gaps[-1] * 1000, 1), round(p99 * 1000, 1), round(seconds, 1), phases)


def by_hand(session: KritaSession, destination: str, side: int) -> Stalls:
    """The like of it without the plugin's help."""
    before, code = BY_HAND[destination]
    session.run(DOCUMENT.format(side=side) + before, seconds=PATIENCE)
    time.sleep(1)
    session.run(IDLE)
    found = meter.finish(session, f"by_hand({code!r})", PATIENCE)
    return Stalls(
        f"{destination}, by hand", side, round(found.longest, 1), round(found.p99, 1), round(found.seconds, 1), {}
    )


def run(folder: Path, side: int, repeats: int, destinations: tuple[str, ...]) -> list[Stalls]:
    """These ways of placing, each followed by the like of it done by hand."""
    session = KritaSession(folder)
    plugins = folder / ".local/share/krita/pykrita"
    for place, data in plugin_files():
        copy = plugins / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
    settings = folder / ".config/kritarc"
    settings.write_text(settings.read_text() + f"enable_{PLUGIN}=true\n")
    write_core_command(session.data, CORE)
    picture = folder / "in.png"
    shutil.copyfile(Path(__file__).parents[1] / "docs/sample.png", picture)
    try:
        session.start(picture)
        panel = Panel(session)
        session.run(HEART)
        meter.install(session)
        session.run(f"{session.widget('scumble_strength')}.show_exact(0)\nP.form.amount._edited()")
        panel.choose("scumble_upscaler", "none")
        found = []
        for destination in destinations:
            grows = destination == "enlarge"
            panel.set("scumble_scale", 2.0 if grows else 1.0)
            side = side // 2 if grows else side
            ours, theirs = [], []
            for _ in range(repeats):  # in turns: the machine is as busy for the one as for the other
                ours.append(measure(session, panel, destination, side))
                theirs.append(by_hand(session, destination, side))
            found.extend(min(tries, key=lambda each: each.longest) for tries in (ours, theirs))
        return found
    finally:
        session.close()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--side", type=int, default=8192)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--enlarge", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scumble-stalls-") as folder:
        found = run(
            Path(folder), chosen.side, chosen.repeats, ("keep", "new", *(["enlarge"] if chosen.enlarge else []))
        )
    if chosen.json:
        print(json.dumps([asdict(each) for each in found]))
        return 0
    for each in found:
        phases = ", ".join(f"{name} {gap:g}" for name, gap in each.by_phase.items())
        within = f" ({phases})" if phases else ""
        print(f"{each.placing}: longest {each.longest:g} ms, p99 {each.p99:g} ms, {each.seconds:g} s{within}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
