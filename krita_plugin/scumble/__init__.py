"""Scumble in Krita: a docker that sends the canvas or a selection to Scumble's core and places what comes back.

The way of a picture: `panel` (the button) -> `host` (reads the document) -> `runner` (job and link) -> the core
-> `runner` (spool) -> `host` (places the layers).
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_BUNDLED = Path(__file__).parent / "_bundled"

# A packed plugin carries scumble_bridge with it; in a checkout it is installed.
if _BUNDLED.is_dir() and str(_BUNDLED) not in sys.path:
    sys.path.insert(0, str(_BUNDLED))

if find_spec("krita") is not None:
    from scumble.register import register

    register()
