"""Measure a job where it runs: seconds inside the models, seconds around them by stage, calls, and the first tile.

Models are put into wrappers that hold a stopwatch; the job itself is run as it always is. No torch here.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scumble_core.errors import Cancelled
from scumble_core.events import Event, JobResult, StageStarted, TaskFinished, TileFinished
from scumble_core.models.facts import ModelFacts
from scumble_core.picture.geometry import Extent
from scumble_core.request import RefineRequest
from scumble_core.stages.beside import NAME

if TYPE_CHECKING:
    from torch import Tensor

    from scumble_core.models.additions import Additions
    from scumble_core.models.cache import ModelCache
    from scumble_core.models.interface import Conditioning, LatentModel
    from scumble_core.models.upscalers.network import Upscaler

# All before the first stage: the plan, the source's colour, what there is to see in it.
PREPARE = "prepare"


@dataclass
class Stopwatch:
    """Seconds inside the models, by the clock and of CPU time: the process's, but for the thread beside the model.

    `calls`: of the diffusion network, one for each picture of a batch and each prompt; `worked`: the megapixels that
    all these calls saw together.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    calls: int = 0
    worked: float = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Put around work inside a model."""
        began, cpu = time.perf_counter(), _cpu_of_models()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began
            self.cpu_seconds += _cpu_of_models() - cpu


def _cpu_of_models() -> float:
    """CPU seconds of all threads but the one that reads and writes meanwhile, where the system tells threads apart."""
    spent = time.process_time()
    if sys.platform != "win32" and sys.platform != "darwin":
        for thread in threading.enumerate():
            if thread.name.startswith(NAME) and thread.ident is not None:
                spent -= time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    return spent


class TimedModel:
    """A LatentModel with a stopwatch."""

    def __init__(self, model: "LatentModel", watch: Stopwatch) -> None:
        self._model = model
        self._watch = watch

    @property
    def facts(self) -> ModelFacts:
        return self._model.facts

    @property
    def device(self) -> str:
        return self._model.device

    @property
    def sigma_table(self) -> "Tensor":
        return self._model.sigma_table

    def encode(self, pixels: "Tensor") -> "Tensor":
        with self._watch.running():
            return self._model.encode(pixels)

    def decode(self, latents: "Tensor") -> "Tensor":
        with self._watch.running():
            return self._finished(self._model.decode(latents))

    def encode_prompt(
        self, prompt: str, extent: Extent, *, negative: bool = False, guidance: float | None = None
    ) -> "Conditioning":
        with self._watch.running():
            return self._model.encode_prompt(prompt, extent, negative=negative, guidance=guidance)

    def denoise(self, x: "Tensor", sigma: float, conditioning: "Conditioning") -> "Tensor":
        self._watch.calls += x.shape[0]
        self._watch.worked += x.shape[0] * x.shape[2] * x.shape[3] * self.facts.factor**2 / 1e6
        with self._watch.running():
            return self._finished(self._model.denoise(x, sigma, conditioning))

    def precise(self) -> AbstractContextManager[None]:
        return self._model.precise()

    def _finished(self, values: "Tensor") -> "Tensor":
        """A graphics card answers before it is done: wait for it, or its time would be counted elsewhere."""
        if values.device.type != "cpu":
            import torch

            getattr(torch, values.device.type).synchronize()
        return values


class TimedUpscaler:
    """An upscaler with a stopwatch."""

    def __init__(self, upscaler: "Upscaler", watch: Stopwatch) -> None:
        self._upscaler = upscaler
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upscaler, name)

    def __call__(self, pixels: "Tensor") -> "Tensor":
        with self._watch.running():
            return self._upscaler(pixels)


class TimedModels:
    """A ModelCache whose models hold `watch`."""

    def __init__(self, models: "ModelCache", watch: Stopwatch) -> None:
        self._models = models
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)

    def latent_model(self, base: str, refiner: str, additions: "Additions | None" = None) -> TimedModel:
        added = () if additions is None else (additions,)
        return TimedModel(self._models.latent_model(base, refiner, *added), self._watch)

    def upscaler(self, upscaler: str) -> TimedUpscaler:
        return TimedUpscaler(self._models.upscaler(upscaler), self._watch)


@dataclass(frozen=True)
class Measured:
    """One run of a job. All seconds are of this run; `outside` and `outside_cpu` are by stage.

    `calls`, `worked`: as in Stopwatch. `tiles`: those of the tile pass that were finished. `first_tile`: from the
    start to the first of them, None where none was. `tasks`: how many tasks of each stage were done, and how many were
    found done. `whole`: it was not stopped before its end.
    """

    seconds: float
    cpu_seconds: float
    model_seconds: float
    model_cpu_seconds: float
    calls: int
    worked: float
    tiles: int
    first_tile: float | None
    outside: dict[str, float]
    outside_cpu: dict[str, float]
    tasks: dict[str, dict[str, int]]
    whole: bool
    summary: dict[str, Any]

    @property
    def outside_seconds(self) -> float:
        return self.seconds - self.model_seconds

    @property
    def outside_share(self) -> float:
        """The share of the time that is not spent inside the models."""
        return self.outside_seconds / self.seconds

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class _Stages:
    """Told of a job's events: splits its seconds by stage."""

    watch: Stopwatch
    outside: dict[str, float] = field(default_factory=dict)
    outside_cpu: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, dict[str, int]] = field(default_factory=dict)
    tiles: int = 0
    first_tile: float | None = None
    stage: str = PREPARE

    def __post_init__(self) -> None:
        self.began = time.perf_counter()
        self._since = self._now()

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self.end()
            self.stage = event.stage
        elif isinstance(event, TileFinished) and event.stage == "tiles":
            self.tiles += 1
            if self.first_tile is None:
                self.first_tile = time.perf_counter() - self.began
        elif isinstance(event, TaskFinished):
            counted = self.tasks.setdefault(event.stage, {"done": 0, "found": 0})
            counted["done" if event.how == "done" else "found"] += 1

    def end(self) -> None:
        """The stage under way is over."""
        now = self._now()
        wall, cpu = (after - before for after, before in zip(now, self._since, strict=True))
        self.outside[self.stage] = self.outside.get(self.stage, 0.0) + wall
        self.outside_cpu[self.stage] = self.outside_cpu.get(self.stage, 0.0) + cpu
        self._since = now

    def _now(self) -> tuple[float, float]:
        """By the clock and of CPU time, what models took left out."""
        return time.perf_counter() - self.watch.seconds, time.process_time() - self.watch.cpu_seconds


def measure(folder: Path, request: RefineRequest, models: "ModelCache", most_seconds: float | None = None) -> Measured:
    """Run the job in this folder, stopped after `most_seconds`. Raises ScumbleError as the job itself does."""
    from scumble_core.pipeline import run_job

    watch = Stopwatch()
    timed = cast("ModelCache", TimedModels(models, watch))
    cpu, stages = time.process_time(), _Stages(watch)
    result: JobResult | None = None
    with contextlib.suppress(Cancelled):
        result = run_job(folder, request, timed, stages, _after(most_seconds, stages.began))
    stages.end()
    return Measured(
        seconds=time.perf_counter() - stages.began,
        cpu_seconds=time.process_time() - cpu,
        model_seconds=watch.seconds,
        model_cpu_seconds=watch.cpu_seconds,
        calls=watch.calls,
        worked=watch.worked,
        tiles=stages.tiles,
        first_tile=stages.first_tile,
        outside=stages.outside,
        outside_cpu=stages.outside_cpu,
        tasks=stages.tasks,
        whole=result is not None,
        summary={} if result is None else dict(result.summary),
    )


def _after(seconds: float | None, began: float) -> Callable[[], bool]:
    return lambda: seconds is not None and time.perf_counter() - began > seconds
