"""Several Kritas of one artist share settings: what one has under way is its own, until it is gone."""

import subprocess
import sys

from tests.krita_plugin.fake_host import FakeHost, noisy
from tests.krita_plugin.runs.settings import TILED

from scumble.runs.seat import Seat

CRASH = "from scumble.runs.seat import Seat; import os; print(Seat().number, flush=True); os._exit(1)"


def test_a_second_krita_takes_up_nothing_of_the_first_and_a_third_what_both_have_left(krita):
    host = FakeHost(noisy(400, 400, seed=21))
    first = krita(host)
    run = first.until_tiles(first.start(TILED))
    run.pause()
    first.until(run, "paused")
    second = krita(FakeHost(noisy(400, 400, seed=22), texts=host.texts))
    assert second.runner.restore() == ()
    assert second.runner.client_name != first.runner.client_name
    other = second.start(TILED)
    second.spin(lambda: other.state.phase in ("waiting", "running"))
    first.close()
    second.close()
    jobs = {run.order.job, other.order.job}
    third = krita(FakeHost(host.pixels, texts=host.texts))
    assert {each.order.job for each in third.runner.restore()} == jobs
    assert krita(FakeHost(host.pixels, texts=host.texts)).runner.restore() == ()


def test_the_seat_of_a_krita_that_crashed_is_free(places):
    own = Seat()
    crashed = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)
    assert (own.number, crashed.stdout.strip()) == (1, "2")
    with own.others() as empty:
        assert 2 in empty
    own.leave()
    again = Seat()
    assert again.number == 1
    again.leave()
