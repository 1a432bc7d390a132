"""Inside the Krita under test: runs Python orders that the test leaves as files, at the top of the event loop."""

import faulthandler
import json
import os
import sys
import traceback
from pathlib import Path

import krita
from PyQt5.QtCore import QTimer

ORDERS = Path(os.environ["SCUMBLE_TEST_ORDERS"])
FAULTS = (ORDERS / "faults.txt").open("w")
SPACE = {"krita": krita, "K": krita.Krita.instance()}


def look():
    for order in sorted(ORDERS.glob("*.order")):
        text = order.read_text()
        order.unlink()
        SPACE["result"] = None
        try:
            exec(compile(text, order.name, "exec"), SPACE)
            answer = {"result": SPACE["result"]}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        side = order.with_suffix(".part")
        side.write_text(json.dumps(answer))
        side.rename(order.with_suffix(".answer"))


def note(*error):
    """An exception in a slot would open a dialog that blocks everything: it is noted, and the test fails by it."""
    with (ORDERS / "exceptions.txt").open("a") as file:
        file.write("".join(traceback.format_exception(*error)))


faulthandler.enable(FAULTS)
sys.excepthook = note
TIMER = QTimer()
TIMER.timeout.connect(look)
# No sooner: Krita's layer list looks at changed layers after a moment, also at those of a document closed meanwhile.
TIMER.start(30)
