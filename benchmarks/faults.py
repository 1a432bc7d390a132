"""Faults at random instants over real small jobs, then a soak: `python -m benchmarks.faults [--instants 200] [--json]`.

Each instant is one job of six tiles with the starter models: at a random moment of it the worker or the core is
SIGKILLed, or the client's connection is cut. Then tile files are damaged, of jobs that are paused and of jobs that run
("live"), journals are truncated, and the disk is filled.
For each kind: how many jobs ended right, to the bit as an undisturbed run; how many finished tiles were done twice
(a tile's file has changed since the blow); and whether journal and folders agreed after each. At last --jobs small jobs
(1000; 0: none) of four clients who cancel, pause and vanish: benchmarks/soak.py. Linux only.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.fault_bench import Bench, Client, Outcome, Stamp, bench, small_disk
from benchmarks.soak import Soak, run_soak

SEEDS = (1, 2, 3, 4)
VICTIMS = ("worker", "core", "client")
KINDS = (*VICTIMS, "tiles", "live", "journal", "disk")
JOURNAL_SHARES = (0.0, 0.3, 0.7)
# With fewer instants than this the rest is shorter, too.
FEW = 15


@dataclass
class Tally:
    """What came of one kind of fault."""

    fault: str
    jobs: int = 0
    ended_right: int = 0
    identical: int = 0
    tiles_done_twice: int = 0
    tiles_kept: int = 0
    consistent: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome, wanted: bytes, twice: int, kept: int, consistent: bool, began: float) -> None:
        self.jobs += 1
        self.ended_right += bool(outcome.pixels)
        self.identical += outcome.pixels == wanted
        self.tiles_done_twice += twice
        self.tiles_kept += kept
        self.consistent += consistent
        self.seconds = round(self.seconds + time.monotonic() - began, 1)

    @property
    def is_good(self) -> bool:
        return self.jobs == self.ended_right == self.identical == self.consistent and not self.tiles_done_twice


class Faults:
    """All kinds of faults on one bench."""

    def __init__(self, bench: Bench, seed: int, say: Callable[[str], None], seeds: Sequence[int] = SEEDS) -> None:
        """`seeds`: of the pictures."""
        self._bench = bench
        self._seeds = seeds
        self._random = random.Random(seed)
        self._say = say
        self._wanted: dict[int, bytes] = {}
        self._length = 0.0

    async def undisturbed(self) -> None:
        """What each picture comes out as, and how long a job takes with a warm worker."""
        for seed in (self._seeds[0], *self._seeds):
            client, began = Client(self._bench, str(uuid.uuid4()), seed), time.monotonic()
            outcome = await client.see_through()
            assert outcome.pixels, outcome.failure
            self._wanted[seed], self._length = outcome.pixels, time.monotonic() - began
            await client.release()
        self._say(f"undisturbed: {self._length:.2f} s a job")

    async def kill(self, victim: str, instants: int) -> Tally:
        """So many jobs, each hit once, at a random instant of its run."""
        tally = Tally(f"{victim} killed" if victim != "client" else "client cut off")
        for _ in range(instants):
            seed, job, began = self._random.choice(self._seeds), str(uuid.uuid4()), time.monotonic()
            client, delay = Client(self._bench, job, seed), self._random.uniform(0, self._length)
            running = asyncio.create_task(client.see_through())
            await asyncio.sleep(delay)
            before = await asyncio.to_thread(self._strike, victim, client, job)
            outcome = await running
            await self._conclude(tally, client, job, outcome, seed, before, began)
            await client.release()
        return tally

    async def damage_tiles(self, times: int) -> Tally:
        """A finished tile of a paused job is cut short or changed: that one alone is done again."""
        tally = Tally("tile damaged")
        for number in range(times):
            began = time.monotonic()
            client, job, before = await self._paused(self._seeds[0])
            victim = self._random.choice(sorted(before))
            self._damage(self._bench.data / "jobs" / job / "tiles" / victim, cut=bool(number % 2))
            stamp = self._bench.tiles(job)[victim]
            del before[victim]
            outcome = await client.see_through()
            if self._bench.tiles(job).get(victim) == stamp:
                outcome = Outcome(failure="the damaged tile was taken for a good one")
            await self._conclude(tally, client, job, outcome, self._seeds[0], before, began)
            await client.release()
        return tally

    async def damage_live(self, times: int) -> Tally:
        """A finished tile is damaged while its job still runs, and before it is blended: it alone is done again."""
        tally = Tally("live tile damaged")
        for number in range(times):
            seed, job, began = self._random.choice(self._seeds), str(uuid.uuid4()), time.monotonic()
            client = Client(self._bench, job, seed)
            running = asyncio.create_task(client.see_through())
            wanted = self._random.randint(1, 4)
            while len(self._bench.tiles(job)) < wanted and not running.done():
                await asyncio.sleep(0.002)
            before = self._bench.tiles(job)
            victim = self._random.choice(sorted(before))
            del before[victim]
            self._damage(self._bench.data / "jobs" / job / "tiles" / victim, cut=bool(number % 2))
            await self._conclude(tally, client, job, await running, seed, before, began)
            await client.release()
        return tally

    async def truncate_journal(self, shares: Sequence[float]) -> Tally:
        """The core is killed amid a job, and its journal is cut short before the next one starts."""
        tally = Tally("journal truncated")
        for share in shares:
            seed, job, began = self._random.choice(self._seeds), str(uuid.uuid4()), time.monotonic()
            client = Client(self._bench, job, seed)
            running = asyncio.create_task(client.see_through())
            await asyncio.sleep(self._length * 0.6)
            await asyncio.to_thread(self._bench.stop, signal.SIGKILL)
            before, journal = self._bench.tiles(job), self._bench.data / "jobs.sqlite"
            for extra in ("-wal", "-shm"):
                journal.with_name(journal.name + extra).unlink(missing_ok=True)
            whole = journal.read_bytes()
            journal.write_bytes(whole[: int(len(whole) * share)])
            self._bench.start()
            await self._conclude(tally, client, job, await running, seed, before, began)
            await client.release()
        return tally

    async def fill_disk(self, times: int) -> Tally:
        """The disk is full at a random instant: the job says so, and goes on when there is room."""
        tally = Tally("disk full")
        ballast = self._bench.folder / "ballast"
        for _ in range(times):
            seed, job, began = self._random.choice(self._seeds), str(uuid.uuid4()), time.monotonic()
            client = Client(self._bench, job, seed)
            running = asyncio.create_task(client.see_through())
            await asyncio.sleep(self._random.uniform(0, self._length))
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            outcome = await running
            ballast.unlink()
            before = self._bench.tiles(job)
            if outcome.failure and "disk_full" in outcome.failure:
                outcome = await client.see_through()
            await self._conclude(tally, client, job, outcome, seed, before, began)
            await client.release()
        return tally

    def _damage(self, path: Path, cut: bool) -> None:
        """Cut the file short, or change a bit of it; in one step, so that nobody reads what is half damaged."""
        data = bytearray(path.read_bytes())
        if cut:
            del data[self._random.randrange(len(data)) :]
        else:
            data[self._random.randrange(len(data))] ^= 0x10
        path.with_suffix(".damaged").write_bytes(data)
        path.with_suffix(".damaged").replace(path)

    def _strike(self, victim: str, client: Client, job: str) -> dict[str, Stamp]:
        """The blow; the tiles that were finished by then."""
        if victim == "worker":
            self._bench.kill_worker()
        elif victim == "core":
            self._bench.stop(signal.SIGKILL)
        else:
            client.cut()
        before = self._bench.tiles(job)
        if victim == "core":
            self._bench.start()
        return before

    async def _paused(self, seed: int) -> tuple[Client, str, dict[str, Stamp]]:
        """A job that is held with some tiles finished."""
        job = str(uuid.uuid4())
        client = Client(self._bench, job, seed)
        running = asyncio.create_task(client.see_through())
        while len(self._bench.tiles(job)) < 2:
            await asyncio.sleep(0.01)
        await client.pause()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return client, job, self._bench.tiles(job)

    async def _conclude(
        self, tally: Tally, client: Client, job: str, outcome: Outcome, seed: int, before: dict[str, Stamp],
        began: float,
    ) -> None:  # fmt: skip
        await client.answered()  # a core that has just been started still looks through what the last one left
        after = self._bench.tiles(job)
        twice = sum(after.get(name) != stamp for name, stamp in before.items())
        wrong = self._bench.inconsistency()
        tally.add(outcome, self._wanted[seed], twice, len(before), not wrong, began)
        ended = outcome.failure or "ended"
        self._say(f"{tally.fault} {tally.jobs}: {ended}, {len(before)} tiles kept, {twice} twice {wrong}".rstrip())


async def measure(folder: Path, instants: int, seed: int, say: Callable[[str], None], kinds: set[str]) -> list[Tally]:
    """All kinds of faults; `instants` are shared out among the victims."""
    tallies = []
    seeds = SEEDS if instants >= FEW else SEEDS[:1]
    with bench(folder / "bench") as made:
        faults = Faults(made, seed, say, seeds)
        await faults.undisturbed()
        for number, victim in enumerate(VICTIMS):
            if victim in kinds:
                tallies.append(await faults.kill(victim, len(range(number, instants, len(VICTIMS)))))
        if "tiles" in kinds:
            tallies.append(await faults.damage_tiles(max(2, instants // 20)))
        if "live" in kinds:
            tallies.append(await faults.damage_live(max(2, instants // 20)))
        if "journal" in kinds:
            tallies.append(await faults.truncate_journal(JOURNAL_SHARES if instants >= FEW else JOURNAL_SHARES[1:2]))
    with small_disk(folder / "disk") as mounted:
        if mounted and "disk" in kinds:
            with bench(folder / "disk") as made:
                faults = Faults(made, seed, say, seeds)
                await faults.undisturbed()
                tallies.append(await faults.fill_disk(max(2, instants // 10)))
    return tallies


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--instants", type=int, default=20, help="kills in all (default: 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1000, help="of the soak (default: 1000)")
    parser.add_argument("--only", nargs="*", default=[*KINDS, "soak"], metavar="KIND", help=", ".join((*KINDS, "soak")))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    tallies: list[Tally] = []
    soaked: Soak | None = None
    with tempfile.TemporaryDirectory(prefix="scumble-faults-") as folder:
        if kinds := set(chosen.only) - {"soak"}:
            tallies = asyncio.run(measure(Path(folder), chosen.instants, chosen.seed, say, kinds))
        if "soak" in chosen.only and chosen.jobs:
            say(f"soak: {chosen.jobs} jobs")
            soaked = run_soak(Path(folder) / "soak", chosen.jobs, chosen.seed)
    if chosen.json:
        soak = None if soaked is None else asdict(soaked)
        print(json.dumps({"faults": [asdict(tally) for tally in tallies], "soak": soak}))
    else:
        _show(tallies, soaked)
    return 0 if all(tally.is_good for tally in tallies) and (soaked is None or soaked.is_good) else 1


def _show(tallies: Sequence[Tally], soaked: Soak | None) -> None:
    if tallies:
        rows = [list(asdict(tallies[0])), *([str(value) for value in asdict(tally).values()] for tally in tallies)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            print("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)))
    if soaked is not None:
        print("soak: " + ", ".join(f"{name} {value}" for name, value in asdict(soaked).items()))


if __name__ == "__main__":
    sys.exit(main())
