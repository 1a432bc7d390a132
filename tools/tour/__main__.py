"""`python -m tools.tour [--out FOLDER] [--docs]`: the real Krita in a fresh HOME, scene by scene.

Needs krita, Xvfb, xdotool and ImageMagick. Pictures of all scenes go to FOLDER (build/tour), and what it took to
tour.json beside them. --docs puts them, made small, where the manual has them: krita_plugin/scumble/manual.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from PIL import Image
from tests.krita.session import KritaSession, missing_programs
from tools.tour.artist import Artist, Effort
from tools.tour.scenes import SCENES
from tools.tour.start import import_plugin

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "krita_plugin/scumble/manual"
WIDEST = 900  # of a picture in the manual, in pixels: as wide as Krita's own help shows without scrolling
COLOURS = 128
JPEG_QUALITY = 82
_ROOM = """
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDockWidget
w = K.activeWindow().qwindow()
docks = dict((d.objectName(), d) for d in w.findChildren(QDockWidget))
for name in ("PresetDocker", "ColorSelectorNg", "sharedtooldocker"):
    if name in docks: docks[name].hide()
w.resizeDocks([docks["scumble_docker"], docks["KisLayerBox"]], [650, 270], Qt.Vertical)
w.resizeDocks([docks["scumble_docker"]], [360], Qt.Horizontal)
"""


def main() -> int:
    """1 when a scene could not be played."""
    parser = argparse.ArgumentParser(prog="tools.tour", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build/tour")
    parser.add_argument("--docs", action="store_true", help="renew the manual's pictures")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/sample.png")
    arguments = parser.parse_args()
    if missing := missing_programs():
        print(f"The tour needs these programs, which are not here: {', '.join(missing)}.", file=sys.stderr)
        return 1
    shutil.rmtree(arguments.out, ignore_errors=True)
    arguments.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as home:
        session = KritaSession(Path(home))
        try:
            session.start()
            left_out = tour(session, arguments.picture.resolve(), arguments.out)
        finally:
            session.close()
    if arguments.docs:
        renew_manual(arguments.out)
    for name in left_out:
        print(f"left out, since it isn't there yet: {name}", file=sys.stderr)
    return 1 if left_out else 0


def tour(session: KritaSession, picture: Path, out: Path) -> list[str]:
    """All scenes; the names of those that could not be played."""
    artist = Artist(session)
    took = {"import the plugin": import_plugin(artist, session, picture)}
    session.run(_ROOM)
    artist.looks(2)
    left_out, way = [], Effort(0, 0, 0.0)
    for scene in SCENES:
        if scene.needs and not artist.sees(*scene.needs):
            left_out.append(scene.name)
            continue
        print(f"{scene.name} ...", file=sys.stderr)
        before = artist.effort
        scene.play(artist)
        if scene.counts:
            way += artist.effort - before
        artist.picture(out / f"{scene.name}.png", scene.of)
        if scene.after is not None:
            scene.after(artist)
    took["from no core to two layers"] = way
    report(took, out / "tour.json")
    return left_out


def report(took: dict[str, Effort], path: Path) -> None:
    """Into a file and onto the terminal."""
    path.write_text(json.dumps({what: asdict(effort) for what, effort in took.items()}, indent=2) + "\n", "utf-8")
    for what, effort in took.items():
        print(f"{what}: {effort.clicks} clicks, {effort.lines} lines typed, {effort.seconds:.0f} s")


def renew_manual(pictures: Path) -> None:
    """Put all of them, made small, where the manual has them, and take away what was there."""
    shutil.rmtree(MANUAL, ignore_errors=True)
    MANUAL.mkdir()
    for scene in SCENES:
        source = pictures / f"{scene.name}.png"
        if source.exists():
            make_small(source, MANUAL / scene.manual_name)


def make_small(source: Path, target: Path) -> None:
    """No wider than the manual's page. A docker is drawn in few colours; a whole screen is mostly a photograph."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
    if target.suffix == ".jpg":
        picture.save(target, quality=JPEG_QUALITY, optimize=True)
    else:
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
