"""Run a job in this process: with a bar, and with Ctrl+C to end it between model calls."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from scumble_core.events import Event, JobResult, StageStarted, TileFinished
from scumble_core.request import RefineRequest

STAGE_NAMES = {
    "restore": "Restoring",
    "first_pass": "First pass",
    "upscale": "Upscaling",
    "merge": "Merging",
    "tiles": "Refining",
    "compose": "Composing",
}


def run_folder(folder: Path, request: RefineRequest, cancelled: Callable[[], bool]) -> JobResult:
    """The job in this folder."""
    with _progress() as emit:
        # Here, since it takes seconds: by now all that can be wrong with the input has been said.
        from scumble_core.models.cache import ModelCache
        from scumble_core.pipeline import run_job

        return run_job(folder, request, ModelCache(), emit, cancelled)


def report(result: JobResult, output: Path, as_json: bool) -> None:
    """What came of it."""
    if as_json:
        print(json.dumps({"output": str(output.resolve()), **result.to_dict()}))
        return
    seconds = result.summary["seconds"]
    Console(stderr=True, soft_wrap=True).print(
        f"{result.width} x {result.height} pixels in {seconds:.0f} s: {output.resolve()}"
    )


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl+C asks the job to stop between model calls; a second one stops at once."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress() -> Iterator[Callable[[Event], None]]:
    """A bar on stderr; where that is no terminal, a line a stage."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TextColumn("tiles {task.fields[left]}")
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def show(event: Event) -> None:
            if isinstance(event, StageStarted):
                name = STAGE_NAMES[event.stage]
                if not console.is_terminal:
                    console.print(f"{name}: {event.tiles} {'tile' if event.tiles == 1 else 'tiles'}")
                tasks[event.stage] = bar.add_task(name, total=event.tiles, left="")
            elif isinstance(event, TileFinished):
                left = "" if event.seconds_left is None else f"- {event.seconds_left:.0f} s left"
                bar.update(tasks[event.stage], completed=event.tile, left=left if event.tile < event.tiles else "")

        yield show
