"""Words for what an artist does with the panel in the real Krita, and for what there is to see."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
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
ROOMY = """
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDockWidget
w = K.activeWindow().qwindow()
docks = {d.objectName(): d for d in w.findChildren(QDockWidget)}
for name in ('PresetDocker', 'ColorSelectorNg', 'sharedtooldocker'):
    if name in docks: docks[name].hide()
w.resizeDocks([docks['scumble_docker'], docks['KisLayerBox']], [700, 150], Qt.Vertical)
w.resizeDocks([docks['scumble_docker']], [330], Qt.Horizontal)
"""
_FIND = """
found = [a for a in menu.actions() if a.text().replace('&', '').split('\\t')[0].rstrip('.…') == {words!r}]
assert found and found[0].isEnabled(), [(a.text(), a.isEnabled()) for a in menu.actions()]
c = menu.mapToGlobal(menu.actionGeometry(found[0]).center())
result = [c.x(), c.y()]
"""
ENTRY = "from PyQt5.QtWidgets import QApplication\nmenu = QApplication.activePopupWidget()" + _FIND
BAR_ENTRY = "menu = K.activeWindow().qwindow().menuBar()" + _FIND
# Where a place of the document is on the screen.
PLACE = """
from PyQt5.QtCore import QPointF
f = P.drawing._overlay._follower
p = f.placed.map(QPointF({x} + 0.5, {y} + 0.5)).toPoint()
p = f.view.widget.mapToGlobal(p)
result = [p.x(), p.y()]
"""
# Where a widget's middle is on the screen; nowhere, where it is scrolled out of sight.
PLACE_OF = """
w, view = {widget}, {scroll}.viewport()
c = w.rect().center()
is_seen = not view.isAncestorOf(w) or view.rect().contains(w.mapTo(view, c))
c = w.mapToGlobal(c)
result = [c.x(), c.y()] if is_seen else None
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
P.tiles.grid.setChecked(False)
P.tiles.previews.setChecked(False)
P._edited()
"""


class Panel:
    """On a fresh picture of 192 x 128, with the panel at its defaults."""

    def __init__(self, krita: KritaSession) -> None:
        self.krita = krita
        krita.run(f"P = {krita.widget('scumble_panel')}")
        krita.run(DEFAULTS)
        # One that stops is offered only after its tile.
        krita.wait("all([run.discard() or run.state.is_over for run in P.runner.runs])", 60)
        krita.run(FRESH.format(path=str(krita.home / "in.png")))
        krita.wait("K.activeDocument() is not None")
        krita.wait(f"{krita.widget('scumble_refine')}.isEnabled()")

    def choose(self, name: str, value: str) -> None:
        """An entry of a combo box, by what it stands for."""
        self.krita.run(f"w = {self.krita.widget(name)}\nw.setCurrentIndex(w.findData({value!r}))")

    def set(self, name: str, value: object) -> None:
        self.krita.run(f"{self.krita.widget(name)}.setValue({value!r})")

    def roomy(self) -> Panel:
        """Drag the docks so that the panel is high and wide enough to be worked with."""
        self.krita.run(ROOMY)
        return self

    def unfold(self, section: str) -> None:
        """Open one of the panel's sections by its heading, and bring it into sight."""
        if not self.krita.run(f"{self.krita.widget(section)}.parent().is_open"):
            self.click(section)
            self.krita.wait(f"{self.krita.widget(section)}.parent().is_open", 5)
        self.krita.run(
            f"{self.krita.widget('scumble_scroll')}.ensureWidgetVisible({self.krita.widget(section)}.parent())"
        )

    def click(self, name: str) -> None:
        """With the mouse, wherever the widget is scrolled to, once it has come to rest."""
        self.krita.wait(f"{self.krita.widget(name)}.isEnabled()", 10)
        self.come_to_rest(name)
        self.krita.click(name)

    def keys(self, *keys: str) -> None:
        """To whatever has the focus."""
        for key in keys:
            self.krita._xdotool("key", key)

    def write(self, name: str, text: str) -> None:
        """Click the field twice (a slider is written in then), and type over what is in it."""
        self.click(name)
        self.krita._xdotool("click", "1")
        self.keys("ctrl+a")
        self.krita._xdotool("type", "--delay", "5", text)

    def write_in_dialog(self, name: str, text: str) -> None:
        """In a dialog nothing scrolls."""
        self.krita.wait(f"{self.krita.widget(name)} is not None and {self.krita.widget(name)}.isVisible()", 5)
        time.sleep(0.3)
        self.krita.click(name)
        self.keys("ctrl+a")
        self.krita._xdotool("type", "--delay", "5", text)

    def choose_in_menu(self, button: str, words: str) -> None:
        """Click a button with a menu, and the entry of these words in it."""
        self.click(button)
        self.click_entry(words)

    def click_entry(self, words: str) -> None:
        """Of the menu that is open."""
        self.krita.wait("__import__('PyQt5.QtWidgets').QtWidgets.QApplication.activePopupWidget() is not None", 5)
        time.sleep(0.3)  # until the menu is drawn: a click before that goes nowhere
        self.krita._xdotool("mousemove", *map(str, self.krita.run(ENTRY.format(words=words))), "click", "1")

    def menu_of_krita(self, *titles: str) -> None:
        """Krita's own menus, from the bar on."""
        for depth, title in enumerate(titles):
            if depth:
                self.click_entry(title)
            else:
                self.krita._xdotool("mousemove", *map(str, self.krita.run(BAR_ENTRY.format(words=title))), "click", "1")

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer over this place of the document."""
        self.krita.run("P.drawing._overlay.follow()")
        where = [str(round(each)) for each in self.krita.run(PLACE.format(x=x, y=y))]
        # From beside it: what doesn't move tells nobody.
        self.krita._xdotool("mousemove", str(int(where[0]) + 3), where[1], "mousemove", *where)
        time.sleep(0.3)

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """With the tool that is chosen, over the document."""
        self.point_at(*begin)
        self.krita._xdotool("mousedown", "1")
        for share in (0.25, 0.5, 0.75, 1.0):
            at = [
                str(round(v))
                for v in self.krita.run(
                    PLACE.format(x=begin[0] + (end[0] - begin[0]) * share, y=begin[1] + (end[1] - begin[1]) * share)
                )
            ]
            self.krita._xdotool("mousemove", *at)
            time.sleep(0.05)
        self.krita._xdotool("mouseup", "1")

    def shortcut(self, keys: str) -> None:
        """Without moving the pointer."""
        self.krita.run("K.activeWindow().qwindow().activateWindow()")
        self.krita._xdotool("key", keys)

    def in_tiles(self, steps: int = 0) -> None:
        """Many small tiles, that no other test has made: more `steps` keep the core busy for longer."""
        self.set("scumble_seed", random.randrange(1, 2**64))
        self.set("scumble_tile_size", 128)
        if steps:
            self.set("scumble_steps", steps)

    def text(self, name: str) -> str:
        return str(self.krita.run(f"{self.krita.widget(name)}.text()"))

    def value(self, expression: str) -> Any:
        """Of something in Krita; `P` is the panel, `S` its settings."""
        return self.krita.run(f"S = P.form.settings\nresult = ({expression})")

    def into_sight(self, name: str) -> None:
        self.krita.run(f"{self.krita.widget('scumble_scroll')}.ensureWidgetVisible({self.krita.widget(name)})")

    def come_to_rest(self, name: str) -> None:
        """Until the widget has stayed in its place for a while: lines that come and go above it move it about."""
        before = None
        for _ in range(100):
            self.into_sight(name)
            time.sleep(0.1)
            widget, scroll = self.krita.widget(name), self.krita.widget("scumble_scroll")
            place = self.krita.run(PLACE_OF.format(widget=widget, scroll=scroll))
            if place is not None and place == before:
                return
            before = place
        raise AssertionError(f"{name} goes on moving")

    def press_refine(self) -> None:
        """Click, once the button takes clicks, and wait until a run has begun."""
        self.press("scumble_refine")

    def press(self, name: str) -> None:
        """Click a button that begins a run."""
        with self.a_new_run():
            self.click(name)

    @contextlib.contextmanager
    def a_new_run(self) -> Iterator[None]:
        """What is done within begins one."""
        self.krita.run("OLD = P.runner.runs[-1] if P.runner.runs else None")
        yield
        self.krita.wait("P.runner.runs and P.runner.runs[-1] is not OLD", 10)

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

    def tiles_on_the_disk(self) -> dict[str, int]:
        """Of the last run's job: when each was written."""
        job = self.krita.run("P.runner.runs[-1].order.job")
        return {file.name: file.stat().st_mtime_ns for file in self.krita.data.glob(f"jobs/{job}/tiles/*.npy")}

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
