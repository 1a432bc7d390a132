"""Measure the pipeline around the models: its working memory, and its seconds per megapixel, over growing pictures.

`python -m benchmarks.streaming [--sizes 2048 4096 8192 16384] [--json FILE] [--profile]`

Each size is the side of the result. A process of its own refines a textured source of half that side at scale 2, with
the planner's facts of SDXL and with stub models that cost next to nothing. All figures are measured in the run:
memory is the process's resident peak while the job runs, above what it held when the models stood ready.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]
import torch
from benchmarks.stub_models import Stopwatch, StubModels, write_stub_base

from scumble_core.events import Event, StageStarted, TileFinished
from scumble_core.picture.geometry import Extent
from scumble_core.picture.storage import Picture
from scumble_core.pipeline import run_job
from scumble_core.request import RefineRequest

SIZES = (2048, 4096, 8192, 16384)
SCALE = 2
MOST_MEMORY = 1.5e9
PROFILE_LINES = 30


@dataclass
class StageTimes:
    """Told of a job's events; `wall` and `models` are seconds by stage, "prepare" being all before the first."""

    folder: Path
    watch: Stopwatch
    wall: dict[str, float] = field(default_factory=dict)
    models: dict[str, float] = field(default_factory=dict)
    disk: int = 0
    _stage: str = "prepare"
    _since: tuple[float, float] = (0.0, 0.0)

    def start(self) -> None:
        self._since = (time.perf_counter(), self.watch.seconds)

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self.end()
            self._stage = event.stage
        if isinstance(event, StageStarted) or (isinstance(event, TileFinished) and event.tile == event.tiles):
            self.disk = max(self.disk, _bytes_in(self.folder))

    def end(self) -> None:
        """The stage under way is over."""
        wall, models = time.perf_counter(), self.watch.seconds
        self.wall[self._stage] = self.wall.get(self._stage, 0.0) + wall - self._since[0]
        self.models[self._stage] = self.models.get(self._stage, 0.0) + models - self._since[1]
        self._since = (wall, models)


@dataclass(frozen=True)
class Measured:
    """One size. Memory and disk in bytes; seconds of the whole job, of the models, and by stage outside of them.

    CPU seconds are the process's own: other work on the machine stretches them less than the clock's.
    """

    size: int
    idle: int
    peak_above_idle: int
    disk: int
    seconds: float
    model_seconds: float
    cpu_seconds: float
    model_cpu_seconds: float
    outside_by_stage: dict[str, float]

    @property
    def megapixels(self) -> float:
        return self.size * self.size / 1e6

    @property
    def outside_per_megapixel(self) -> float:
        return (self.seconds - self.model_seconds) / self.megapixels

    @property
    def cpu_outside_per_megapixel(self) -> float:
        return (self.cpu_seconds - self.model_cpu_seconds) / self.megapixels


class PeakMemory:
    """The highest resident memory of this process while it is entered: the kernel's own mark, else by sampling."""

    peak = 0

    def __enter__(self) -> PeakMemory:
        self._over = threading.Event()
        self._sampler: threading.Thread | None = None
        self.idle = int(psutil.Process().memory_info().rss)
        try:
            Path("/proc/self/clear_refs").write_text("5", "ascii")
        except OSError:
            self._sampler = threading.Thread(target=self._sample)
            self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._sampler is not None:
            self._sampler.join()
            return
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                self.peak = int(line.split()[1]) * 1024

    def _sample(self) -> None:
        process = psutil.Process()
        while not self._over.wait(0.005):
            self.peak = max(self.peak, int(process.memory_info().rss))


def make_job(folder: Path, side: int) -> None:
    """A job folder with a source of smooth shapes and grain, and beside it what names the models' family."""
    source = Picture.create(folder / "source.npy", Extent(side, side), 4, np.uint8)
    grain = np.random.default_rng(0)
    x = np.arange(side, dtype=np.float32)[None, :, None]
    waves = np.array([17, 29, 53], np.float32)
    for band in source.bounds.bands(256):
        y = np.arange(band.y, band.bottom, dtype=np.float32)[:, None, None]
        colour = 128 + 50 * np.sin(x / waves) + 50 * np.sin(y / waves[::-1])
        colour += grain.integers(-12, 13, colour.shape, np.int8)
        pixels = np.full((band.height, side, 4), 255, np.uint8)
        pixels[..., :3] = colour
        source.write_raw(band, pixels)
    write_stub_base(folder / "base")


def measure(folder: Path, fields: dict[str, Any], profile: bool) -> Measured:
    """Run the job in this process, which should be a fresh one."""
    # Threads that wait for each other on a busy machine would be measured too, and outside the models few are of use.
    torch.set_num_threads(1)
    models = StubModels()
    models.warm_up()
    values = {"base": str(folder / "base"), "refiner": "none", "upscaler": "starter-x2", "scale": SCALE}
    request = RefineRequest.from_dict({**values, **fields})
    times = StageTimes(folder, models.watch)
    profiler = cProfile.Profile() if profile else None
    with PeakMemory() as memory, profiler or contextlib.nullcontext():
        times.start()
        cpu = time.process_time()
        result = run_job(folder, request, models, times, lambda: False)  # type: ignore[arg-type]
        times.end()
        cpu = time.process_time() - cpu
    if profiler is not None:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(PROFILE_LINES)
    return Measured(
        size=result.width,
        idle=memory.idle,
        peak_above_idle=memory.peak - memory.idle,
        disk=times.disk,
        seconds=sum(times.wall.values()),
        model_seconds=models.watch.seconds,
        cpu_seconds=cpu,
        model_cpu_seconds=models.watch.cpu_seconds,
        outside_by_stage={stage: times.wall[stage] - times.models[stage] for stage in times.wall},
    )


def measure_apart(size: int, fields: dict[str, Any], profile: bool, folder: Path | None = None) -> Measured:
    """The same in a fresh process; the source is made here, so that it leaves no trace in what is measured."""
    with tempfile.TemporaryDirectory(prefix="scumble-streaming-", dir=folder) as work:
        make_job(Path(work), size // SCALE)
        command = [sys.executable, "-m", "benchmarks.streaming", "--job", work, "--request", json.dumps(fields)]
        if profile:
            command.append("--profile")
        root = Path(__file__).parents[1]
        output = subprocess.run(command, cwd=root, env={**os.environ}, stdout=subprocess.PIPE, check=True).stdout
        return Measured(**json.loads(output))


def _bytes_in(folder: Path) -> int:
    """What the folder's files take up on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _row(row: Measured) -> str:
    stages = ", ".join(f"{stage} {seconds / row.megapixels:.3f}" for stage, seconds in row.outside_by_stage.items())
    return (
        f"| {row.size} | {row.model_seconds:.1f} | {row.seconds - row.model_seconds:.1f} "
        f"| {row.outside_per_megapixel:.3f} | {row.cpu_outside_per_megapixel:.3f} | {stages} "
        f"| {row.peak_above_idle / 1e6:.0f} | {row.idle / 1e6:.0f} | {row.disk / 1e6:.0f} |"
    )


def main() -> int:
    """The table, the ratio of the last size to the first, and whether memory kept within its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="sides of the result, in pixels, even")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--profile", action="store_true", help="print the functions that take longest, per size")
    parser.add_argument("--request", type=json.loads, default={}, help='fields of the request, as {"steps": 2}')
    parser.add_argument("--folder", type=Path, help="where the jobs' files go (default: the system's temporary folder)")
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job is not None:
        print(json.dumps(asdict(measure(arguments.job, arguments.request, arguments.profile))))
        return 0
    print(
        "| side | models, s | outside, s | the same per Mpx | of that CPU | by stage, s/Mpx "
        "| peak above idle, MB | idle, MB | disk, MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    rows = []
    for size in sorted(arguments.sizes):
        rows.append(measure_apart(size, arguments.request, arguments.profile, arguments.folder))
        print(_row(rows[-1]), flush=True)
    ratio = rows[-1].outside_per_megapixel / rows[0].outside_per_megapixel
    highest = max(row.peak_above_idle for row in rows)
    within = highest <= MOST_MEMORY
    print(f"\nSeconds per megapixel outside the models, {rows[-1].size} to {rows[0].size}: {ratio:.2f}")
    print(f"Peak above idle {highest / 1e6:.0f} MB, allowed {MOST_MEMORY / 1e6:.0f} MB: {'pass' if within else 'FAIL'}")
    if arguments.json is not None:
        sizes = [{**asdict(row), "outside_per_megapixel": row.outside_per_megapixel} for row in rows]
        values = {"sizes": sizes, "ratio": ratio, "most_memory": MOST_MEMORY, "within_memory": within}
        arguments.json.write_text(json.dumps(values, indent=1), "utf-8")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
