"""Two real Kritas of one artist, and one core for both: each gets its own results, and leaves the other's alone."""

from __future__ import annotations

import json

import pytest
from tests.krita.panel import Panel
from tests.krita.session import KritaSession

pytestmark = pytest.mark.krita


@pytest.mark.all  # another Krita starts
def test_both_have_the_core_at_once_and_each_gets_its_own_results(panel: Panel, krita: KritaSession):
    panel.in_tiles(12)
    panel.choose("scumble_destination", "keep")
    panel.press_refine()
    panel.wait_for("Refining: tile 2 of 9")
    panel.click("scumble_pause")
    panel.wait_for_phase("paused", 60)
    job = krita.run("P.runner.runs[-1].order.job")
    other = krita.second()
    try:
        other.start(other.home / "in.png")
        theirs = Panel(other).roomy()
        # What the first one has under way is no affair of the second.
        assert other.run("len(P.runner.runs)") == 0
        theirs.in_tiles()
        theirs.press_refine()
        theirs.wait_for("Refining")
        # Not with the mouse: the second one's window lies over the first one's.
        krita.run(f"{krita.widget('scumble_pause')}.click()")
        theirs.wait_until_done()
        panel.wait_until_done()
        for each in (panel, theirs):
            assert [name[:7] for name, _ in each.tree][1:] == ["Scumble"]
        assert krita.run("P.runner.runs[-1].order.job") == job
        assert (panel.size, theirs.size) == ([192, 128], [384, 256])
        # One closes amid its run: the other's goes on.
        theirs.in_tiles(12)
        theirs.press_refine()
        theirs.wait_for("Refining: tile 2 of")
        panel.in_tiles()
        with panel.a_new_run():
            krita.run(f"{krita.widget('scumble_refine')}.click()")
        krita.wait("P.runner.runs[-1].state.phase in ('waiting', 'running')", 30)
        other.quit()
        panel.wait_until_done()
        assert len(panel.tree) == 3
        assert json.loads(krita.run("P._host.load('runs')")) == []
    finally:
        other.end()
