"""Calls beside Krita's event loop: what they hold dies in the GUI thread, whoever waits for them."""

from __future__ import annotations

import pytest
from tests.krita import stalls

pytestmark = pytest.mark.krita

# In Krita: a call that takes a moment and holds a witness, which says in which thread it died.
WORDS = """
import gc, threading, time
from scumble.host.krita.aside import aside

class Witness:
    def __init__(self, deaths): self.deaths = deaths
    def __del__(self): self.deaths.append(threading.current_thread().name)

def holding(witness, seconds=0.3):
    def call():
        time.sleep(seconds)
        return witness.deaths is not None
    return call

deaths = []
"""


@pytest.fixture
def words(krita):
    krita.run(WORDS)
    stalls.install(krita)
    return krita


def test_what_a_dropped_call_holds_dies_in_the_gui_thread(words):
    words.run("steps = aside(holding(Witness(deaths)))\nnext(steps); steps.close(); del steps")
    words.wait("deaths")
    assert words.run("deaths") == ["MainThread"]
    words.wait("gc.isenabled()")


def test_no_garbage_is_collected_in_the_calls_thread(words):
    words.run(
        "def call():\n"
        "    witness = Witness(deaths); witness.itself = witness; del witness\n"
        "    kept = [[] for _ in range(1000)]\n"
        "usual = gc.get_threshold(); gc.set_threshold(1)"  # the next object but one begins a collection
    )
    try:
        stalls.finish(words, "steps = aside(call)\n")
    finally:
        words.run("gc.set_threshold(*usual); gc.collect()")
    assert words.run("[gc.isenabled(), deaths]") == [True, ["MainThread"]]


def test_collecting_goes_on_only_after_the_last_call(words):
    words.run("short, long = aside(holding(Witness(deaths), 0.1)), aside(holding(Witness(deaths), 1.0))")
    words.run("next(short); next(long)\nfor _ in short: pass")
    assert words.run("gc.isenabled()") is False
    words.run("for _ in long: pass\ndel short, long")
    assert words.run("[gc.isenabled(), deaths]") == [True, ["MainThread"] * 2]


def test_what_a_call_raises_comes_back_and_collecting_goes_on(words):
    stalls.finish(words, "def broken(): return 1 // 0\nsteps = aside(broken)\n")
    assert words.run("[type(meter.error).__name__, gc.isenabled()]") == ["ZeroDivisionError", True]
