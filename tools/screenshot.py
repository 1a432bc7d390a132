"""Make docs/screenshot.png: the real plugin in the real Krita, after a run on the sample picture.

`python -m tools.screenshot [PICTURE] [-o FILE]` needs krita, Xvfb, xdotool and ImageMagick.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.krita.session import KritaSession

from scumble_bridge.places import write_core_command
from scumble_core.jobs.command import CORE
from scumble_core.krita.package import PLUGIN, plugin_files

ROOT = Path(__file__).resolve().parents[1]
TIDY = """
from PyQt5.QtWidgets import QDockWidget
w = K.activeWindow().qwindow()
docks = dict((d.objectName(), d) for d in w.findChildren(QDockWidget))
for name in ("PresetDocker", "ColorSelectorNg", "sharedtooldocker"):
    if name in docks: docks[name].hide()
w.resizeDocks([docks["scumble_docker"], docks["KisLayerBox"]], [620, 300], Qt.Vertical)
w.resizeDocks([docks["scumble_docker"]], [330], Qt.Horizontal)
K.action("zoom_to_100pct") and K.action("zoom_to_100pct").trigger()
"""


def main() -> None:
    """One run, one picture of the screen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path, nargs="?", default=ROOT / "docs/sample.png")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/screenshot.png")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = KritaSession(Path(folder))
        plugins = Path(folder, ".local/share/krita/pykrita")
        for place, content in plugin_files():
            copy = plugins / place
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        settings = Path(folder, ".config/kritarc")
        settings.write_text(settings.read_text() + f"enable_{PLUGIN}=true\n")
        write_core_command(session.data, CORE)
        try:
            session.start(arguments.picture.resolve())
            session.run("from PyQt5.QtCore import Qt\n" + TIDY)
            time.sleep(2)
            session.click("scumble_refine")
            session.wait(f"'Done' in {session.widget('scumble_status')}.text()", 600)
            session.run("K.action('view_fit_page_shortcut') and K.action('view_fit_page_shortcut').trigger()")
            time.sleep(3)
            session.screenshot(arguments.output)
        finally:
            session.close()
    print(arguments.output)


if __name__ == "__main__":
    main()
