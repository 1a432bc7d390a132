"""Words for what an artist does with the panel in the real Krita, and for what there is to see."""

from __future__ import annotations

from typing import Any

from tests.krita.session import KritaSession

TREE = "[[n.name(), [c.name() for c in n.childNodes()]] for n in K.activeDocument().topLevelNodes()]"
SIZE = "[K.activeDocument().width(), K.activeDocument().height()]"
CHILDREN = "K.activeDocument().topLevelNodes()[-1].childNodes()"
# A hash of what the canvas shows.
SHOWN = """
import hashlib
d = K.activeDocument(); d.waitForDone()
result = hashlib.sha256(d.pixelData(0, 0, d.width(), d.height()).data()).hexdigest()
"""
FRESH = """
for d in K.documents():
    d.setModified(False); d.close()
d = K.openDocument({path!r}); K.activeWindow().addView(d); d.waitForDone()
"""
SELECT = """
s = krita.Selection(); s.select({0}, {1}, {2}, {3}, 255)
K.activeDocument().setSelection(s)
"""
# Everything back to how a new user finds it; what is left of earlier runs is thrown away.
DEFAULTS = """
from scumble.settings import Settings
for run in P.runner.runs:
    run.cancel(); run.discard()
P.form.show_settings(Settings())
P.form.show_sections('')
for section in P.sections:
    section.set_open(False)
P._edited()
"""


class Panel:
    """On a fresh picture of 192 x 128, with the panel at its defaults."""

    def __init__(self, krita: KritaSession) -> None:
        self.krita = krita
        krita.run(f"P = {krita.widget('scumble_panel')}")
        krita.run(DEFAULTS)
        krita.wait("all(run.state.is_over for run in P.runner.runs)", 30)
        krita.run(FRESH.format(path=str(krita.home / "in.png")))
        krita.wait("K.activeDocument() is not None")
        krita.wait(f"{krita.widget('scumble_refine')}.isEnabled()")

    def choose(self, name: str, value: str) -> None:
        """An entry of a combo box, by what it stands for."""
        self.krita.run(f"w = {self.krita.widget(name)}\nw.setCurrentIndex(w.findData({value!r}))")

    def set(self, name: str, value: object) -> None:
        self.krita.run(f"{self.krita.widget(name)}.setValue({value!r})")

    def unfold(self, section: str) -> None:
        """Open one of the panel's sections, and bring it into sight."""
        self.krita.run(f"w = {self.krita.widget(section)}\nw.set_open(True)")
        self.into_sight(section)

    def into_sight(self, name: str) -> None:
        self.krita.run(f"{self.krita.widget('scumble_scroll')}.ensureWidgetVisible({self.krita.widget(name)})")

    def press_refine(self) -> None:
        """Click, once the button takes clicks, and wait until a run has begun."""
        self.press("scumble_refine")

    def press(self, name: str) -> None:
        """Click a button that begins a run."""
        self.krita.wait(f"{self.krita.widget(name)}.isEnabled()")
        runs = self.krita.run("id(P.runner.runs[-1]) if P.runner.runs else 0")
        self.krita.click(name)
        self.krita.wait(f"P.runner.runs and id(P.runner.runs[-1]) != {runs}", 10)

    def wait_for(self, words: str, seconds: float = 120) -> None:
        """Until the panel says this."""
        self.krita.wait(f"{words!r} in {self.krita.widget('scumble_status')}.text()", seconds)

    def wait_until_done(self) -> None:
        self.krita.wait("P.runner.runs[-1].state.is_over or P.runner.runs[-1].state.phase == 'ready'", 180)
        phase, said = self.krita.run("[P.runner.runs[-1].state.phase, P.runner.runs[-1].state.sentence]")
        assert phase == "done", said

    def wait_for_phase(self, phase: str, seconds: float = 120) -> None:
        """Until the last run stands there (see runs/state.py)."""
        self.krita.wait(f"P.runner.runs[-1].state.phase == {phase!r}", seconds)

    @property
    def said(self) -> str:
        return str(self.krita.run(f"{self.krita.widget('scumble_status')}.text()"))

    @property
    def shown(self) -> Any:
        return self.krita.run(SHOWN)

    @property
    def tree(self) -> Any:
        return self.krita.run(TREE)

    @property
    def size(self) -> Any:
        return self.krita.run(SIZE)

    def large(self) -> None:
        """A document of grain, which keeps the core busy for a while: nothing in it is flat."""
        self.krita.run(
            "import os\nfrom PyQt5.QtCore import QByteArray\n"
            "d = K.createDocument(1000, 800, 'large', 'RGBA', 'U8', 'sRGB-elle-V2-srgbtrc.icc', 300.0)\n"
            "n = d.createNode('grain', 'paintlayer')\n"
            "p = bytearray(os.urandom(1000 * 800 * 4)); p[3::4] = bytes([255]) * (1000 * 800)\n"
            "n.setPixelData(QByteArray(bytes(p)), 0, 0, 1000, 800)\n"
            "d.rootNode().addChildNode(n, None)\n"
            "K.activeWindow().addView(d); d.waitForDone()"
        )
        self.krita.wait(f"{SIZE} == [1000, 800]")
        self.krita.wait("P.watcher.seen.offer is not None and P.watcher.seen.offer.target.canvas.width == 1000")
