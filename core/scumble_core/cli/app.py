"""All commands of `scumble`, and how they fail: one sentence on stderr and a non-zero exit."""

import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Annotated

import typer

from scumble_bridge.errors import PlaceError
from scumble_core.errors import Cancelled, ScumbleError
from scumble_core.version import installed_version

EXIT_CANCELLED = 130


# Each command's module is imported only when it may be wanted: `serve` must answer in well under a second.
COMMANDS: Mapping[str, str] = {
    "refine": "refine", "generate": "generate", "plan": "plan", "doctor": "doctor", "bench": "bench",
}  # fmt: skip
GROUPS = ("jobs", "krita", "models")
SERVE = "serve"
DEVICE = re.compile(r"cpu|mps|cuda(:\d+)?")


def app(wanted: str | None = None) -> typer.Typer:
    """The command tree, or as much of it as the command `wanted` needs."""
    root = typer.Typer(
        name="scumble", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
    )
    root.callback(help="Upscale and refine pictures tile by tile, for Krita and from the command line.")(_common)
    known = {*COMMANDS, *GROUPS, SERVE}
    loaded = {wanted} if wanted in known else known
    for name, function in COMMANDS.items():
        if name in loaded:
            root.command(name)(getattr(_module(name), function))
    if SERVE in loaded:
        root.command(SERVE)(serve)
    for name in GROUPS:
        if name in loaded:
            root.add_typer(_module(name).app(), name=name)
    return root


def main() -> None:
    """Entry point of the console script."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    _stay_offline(words)
    try:
        app(words[0] if words else None)(standalone_mode=True)
    except Cancelled:
        print("Cancelled; nothing was written.", file=sys.stderr)
        sys.exit(EXIT_CANCELLED)
    except (ScumbleError, PlaceError) as error:
        print(f"scumble: {error}", file=sys.stderr)
        sys.exit(1)


def _stay_offline(words: Sequence[str]) -> None:
    """Nothing is fetched unless that is what was asked; workers take this over from their core."""
    if words[:2] != ["models", "pull"]:
        os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"scumble_core.cli.{name}")


def serve(
    started_by_plugin: Annotated[bool, typer.Option("--started-by-plugin", help="Log to a file, not here.")] = False,
    idle_seconds: Annotated[
        float | None,
        typer.Option(help="Exit after so long without client and job (default: never; 600 if started by the plugin)."),
    ] = None,
    worker_idle_seconds: Annotated[
        float, typer.Option(help="A worker that has been idle for so long ends, and frees its memory; 0: never.")
    ] = 600.0,
    keep_gb: Annotated[
        float, typer.Option(help="All jobs' folders together; the least recently used go first.")
    ] = 20.0,
    keep_days: Annotated[float, typer.Option(help="How long a job is kept that nobody asks for.")] = 7.0,
    devices: Annotated[
        str | None, typer.Option(help="One worker for each: cpu, or cuda:0,cuda:1 (default: every graphics card).")
    ] = None,
) -> None:
    """Run the core that Krita's docker talks to, until it is stopped."""
    from scumble_core.jobs.command import WORKER
    from scumble_core.jobs.eviction import DAY, GIGABYTE, Limits
    from scumble_core.jobs.serve import Settings
    from scumble_core.jobs.serve import serve as run

    limits = Limits(round(keep_gb * GIGABYTE), keep_days * DAY)
    settings = Settings(idle_seconds, worker_idle_seconds or None, limits)
    raise typer.Exit(run(started_by_plugin, settings, (*WORKER, *_devices(devices))))


def _devices(names: str | None) -> tuple[str, ...]:
    """As the worker takes them. Which of them are there is known where torch is."""
    if names is None:
        return ()
    listed = [name.strip() for name in names.split(",")]
    wrong = [name for name in listed if not DEVICE.fullmatch(name)]
    if wrong or len(set(listed)) != len(listed):
        raise ScumbleError("bad_request", f"--devices {names} can't be: give cpu, mps, or cuda:0,cuda:1, each once.")
    return ("--devices", ",".join(listed))


def _version(wanted: bool) -> None:
    if wanted:
        print(installed_version())
        raise typer.Exit


def _common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""
