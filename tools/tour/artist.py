"""An artist at a real Krita: mouse and keys only, each click and each typed line counted."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tests.krita.session import KritaSession

_MENU = """
from PyQt5.QtWidgets import QApplication
menu = QApplication.activePopupWidget() if {inner} else K.activeWindow().qwindow().menuBar()
found = [a for a in menu.actions() if a.text().replace("&", "").split("\\t")[0].rstrip(".…") == {title!r}]
assert found, [a.text() for a in menu.actions()]
c = menu.mapToGlobal(menu.actionGeometry(found[0]).center())
result = [c.x(), c.y()]
"""
_ROW = """
w = {widget}
v = w.view()
c = v.viewport().mapToGlobal(v.visualRect(w.model().index(w.findData({value!r}), 0)).center())
result = [c.x(), c.y()]
"""
_PLACE = """
w = {widget}
c = w.mapToGlobal(w.rect().topLeft())
result = [c.x(), c.y(), w.width(), w.height()]
"""
# The canvas' own widget, by its place on the screen.
_CANVAS = "K.activeWindow().qwindow().centralWidget()"
_TYPING_MS = "2"


@dataclass(frozen=True)
class Effort:
    """What something took."""

    clicks: int
    lines: int
    seconds: float

    def __add__(self, more: Effort) -> Effort:
        return Effort(self.clicks + more.clicks, self.lines + more.lines, self.seconds + more.seconds)

    def __sub__(self, before: Effort) -> Effort:
        return Effort(self.clicks - before.clicks, self.lines - before.lines, self.seconds - before.seconds)


class Artist:
    """Everything here is done with the mouse or the keyboard, at the places where a person would."""

    def __init__(self, session: KritaSession) -> None:
        self.session = session
        self._clicks = self._lines = 0
        self._looked = 0.0
        self._began = time.monotonic()

    @property
    def effort(self) -> Effort:
        """So far."""
        return Effort(self._clicks, self._lines, time.monotonic() - self._began - self._looked)

    def looks(self, seconds: float) -> None:
        """Until the screen is drawn; this time counts for nothing."""
        time.sleep(seconds)
        self._looked += seconds

    def sees(self, *names: str) -> bool:
        """All of these are there: widgets that are shown, by object name, or actions of the menus."""
        return all(self._sees(name) for name in names)

    def _sees(self, name: str) -> bool:
        widget = self.session.widget(name)
        return bool(self.session.run(f"bool({widget} and {widget}.isVisible()) or K.action({name!r}) is not None"))

    def click(self, name: str) -> None:
        """The middle of the widget of that object name."""
        self.session.wait(f"{self.session.widget(name)}.isEnabled()")
        self.bring_into_sight(name)
        self.session.click(name)
        self._clicks += 1

    def choose(self, name: str, value: str) -> None:
        """In a list that opens: the row with that value."""
        self.click(name)
        self.looks(0.5)
        self.click_at(*self.session.run(_ROW.format(widget=self.session.widget(name), value=value)))

    def click_at(self, x: int, y: int) -> None:
        self._xdotool("mousemove", str(x), str(y), "click", "1")
        self._clicks += 1

    def menu(self, *titles: str) -> None:
        """Open the menu of the first title, and in it those that follow."""
        for number, title in enumerate(titles):
            self.click_at(*self.session.run(_MENU.format(inner=number > 0, title=title)))
            self.looks(0.5)  # until the menu is drawn: a click before that goes nowhere

    def press(self, keys: str) -> None:
        """A shortcut, with the canvas in focus."""
        self.session.press(keys)
        self._clicks += 1

    def write(self, text: str) -> None:
        """Type a line where the focus is, and Enter."""
        self._xdotool("type", "--delay", _TYPING_MS, text)
        self._xdotool("key", "Return")
        self._lines += 1

    def types_in_a_terminal(self) -> None:
        """A line outside of Krita, which the tour itself carries out."""
        self._lines += 1

    def starts_krita_anew(self, picture: Path) -> None:
        """Closes it, and opens the picture with it: two clicks."""
        self.session.quit()
        self.session.start(picture)
        self._clicks += 2

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Over the canvas; both places as shares of its width and height."""
        x, y, width, height = self.session.run(_PLACE.format(widget=_CANVAS))
        (x0, y0), (x1, y1) = ((round(x + width * a), round(y + height * b)) for a, b in (begin, end))
        self._xdotool("mousemove", str(x0), str(y0), "mousedown", "1")
        for step in range(1, 6):
            self._xdotool("mousemove", str(x0 + (x1 - x0) * step // 5), str(y0 + (y1 - y0) * step // 5))
        self._xdotool("mouseup", "1")
        self._clicks += 1

    def bring_into_sight(self, name: str) -> None:
        """Scrolls the docker until the widget's middle shows."""
        for down in (*[2] * 15, *[-2] * 30):
            widget = self.session.widget(name)
            if self.session.run(f"{widget}.visibleRegion().contains({widget}.rect().center())"):
                return
            self.scroll(down)

    def scroll(self, down: int) -> None:
        """Turns the wheel over the docker's settings, so many notches down; negative: up."""
        x, y, _, height = self.session.run(_PLACE.format(widget=self.session.widget("scumble_scroll")))
        button = "5" if down > 0 else "4"
        # At the left edge, where labels are: a wheel over a slider would turn the slider.
        place = (str(x + 8), str(y + height // 2))
        self._xdotool("mousemove", *place, "click", "--repeat", str(abs(down)), "--delay", "10", button)
        self.looks(0.2)

    def points_at(self, x: float, y: float) -> None:
        """Moves the pointer over the canvas, without a click."""
        left, top, width, height = self.session.run(_PLACE.format(widget=_CANVAS))
        self._xdotool("mousemove", str(round(left + width * x)), str(round(top + height * y)))

    def waits_for(self, words: str, seconds: float = 60, widget: str = "scumble_status") -> None:
        """Until the widget says these words."""
        self.session.wait(f"{words!r} in {self.session.widget(widget)}.text()", seconds)

    def picture(self, path: Path, of: str = "") -> None:
        """The screen, or the widget of that object name, or the dialog in front ("dialog")."""
        with tempfile.TemporaryDirectory() as folder:
            screen = Path(folder, "screen.png")
            self.session.screenshot(screen)
            with Image.open(screen) as shot:
                shot.crop(self._area(of, shot.size)).convert("RGB").save(path)

    def _area(self, of: str, size: tuple[int, int]) -> tuple[int, int, int, int]:
        if not of:
            return (0, 0, *size)
        dialog = "__import__('PyQt5.QtWidgets').QtWidgets.QApplication.activeModalWidget()"
        widget = dialog if of == "dialog" else self.session.widget(of)
        x, y, width, height = self.session.run(_PLACE.format(widget=widget))
        return (max(0, x), max(0, y), min(size[0], x + width), min(size[1], y + height))

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self.session.environment, check=True)
