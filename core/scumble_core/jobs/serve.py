"""`scumble serve`: one core per runtime folder, until it is stopped or idle for long."""

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scumble_bridge.errors import PlaceError
from scumble_bridge.fields import ModelChoice
from scumble_bridge.messages import Described
from scumble_bridge.places import (
    Address,
    TcpAddress,
    UnixAddress,
    create_token,
    data_folder,
    make_private_folder,
    runtime_folder,
    socket_path,
    write_core_command,
    write_private,
)
from scumble_core.errors import ScumbleError
from scumble_core.jobs.command import CORE, WORKER
from scumble_core.jobs.desk import DATA_LOCK
from scumble_core.jobs.eviction import Limits
from scumble_core.jobs.front_door import FrontDoor
from scumble_core.jobs.locks import held
from scumble_core.jobs.offered import offered
from scumble_core.jobs.supervisor import Supervisor
from scumble_core.version import installed_version

# A core that the plugin started leaves when Krita has been gone for so long.
PLUGIN_IDLE_SECONDS = 600.0
# `scumble jobs` holds the data folder for moments only.
DATA_PATIENCE = 5.0
# A worker that has nothing to do gives its memory back: loading the models again takes seconds.
WORKER_IDLE_SECONDS = 600.0
LOG_BYTES = 2_000_000

_log = logging.getLogger("scumble.serve")


@dataclass(frozen=True)
class Settings:
    """How long the core, its workers and its jobs' folders stay. `idle_seconds` None: the core never leaves."""

    idle_seconds: float | None = None
    worker_idle_seconds: float | None = WORKER_IDLE_SECONDS
    limits: Limits = field(default_factory=Limits)


def serve(started_by_plugin: bool, settings: Settings, worker: Sequence[str] = WORKER) -> int:
    """Run the front door; the process's exit code. `worker` is the worker's command."""
    data, runtime = data_folder(), runtime_folder()
    try:
        make_private_folder(data)
        make_private_folder(runtime)
        _set_up_log(data if started_by_plugin else None)
        write_core_command(data, CORE)
        if settings.idle_seconds is None and started_by_plugin:
            settings = replace(settings, idle_seconds=PLUGIN_IDLE_SECONDS)
        with (
            _only_one(runtime, "core.lock"), _only_one(data, DATA_LOCK, DATA_PATIENCE), _address(runtime) as address,
            _indexing(data / "models"),
        ):  # fmt: skip
            asyncio.run(_run(data, runtime, address, settings, worker))
    except (PlaceError, ScumbleError, OSError) as error:
        _log.error("%s", error)
        return 1
    return 0


async def _run(data: Path, runtime: Path, address: Address, settings: Settings, worker: Sequence[str]) -> None:
    supervisor = Supervisor(worker, idle_seconds=settings.worker_idle_seconds)
    door = FrontDoor(
        data / "jobs", supervisor, lambda device: _described(device, data), settings.idle_seconds, settings.limits
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl+C ends asyncio.run by itself
            asyncio.get_running_loop().add_signal_handler(number, door.stop)
    _log.info("Scumble's core %s listens at %s.", installed_version(), address)
    await door.run(address, create_token(runtime), f"scumble {installed_version()}")


def _described(device: str, data: Path) -> Described:
    from scumble_core.models.library import choices
    from scumble_core.presets import PRESETS

    found = choices(data / "models")
    kinds = (
        found.bases, found.refiners, found.upscalers, found.loras, found.controlnets, found.vaes, found.restorers,
    )  # fmt: skip
    bases, refiners, upscalers, loras, controlnets, vaes, restorers = chosen = offered(kinds, found.used)
    presets = tuple(ModelChoice(name, preset.title) for name, preset in PRESETS.items())
    return Described(
        device, installed_version(), bases, refiners, upscalers, presets=presets, loras=loras,
        controlnets=controlnets, vaes=vaes, restorers=restorers, left_out=sum(map(len, kinds)) - sum(map(len, chosen)),
    )  # fmt: skip


@contextlib.contextmanager
def _indexing(models: Path) -> Iterator[None]:
    """While it lasts, models are looked for, asked about and hashed beside us, at low priority."""
    from scumble_core.models.indexing import start

    process = start(models)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _only_one(folder: Path, name: str, patience: float = 0.0) -> Iterator[None]:
    with held(folder / name, patience) as ours:
        if not ours:
            raise PlaceError(f"A core is already running for {folder}: use it, or stop it first.")
        yield


@contextlib.contextmanager
def _address(runtime: Path) -> Iterator[Address]:
    """A free address, and no trace of it afterwards. We hold the lock: a socket that is there is a dead core's."""
    if sys.platform == "win32":
        port_file = runtime / "core.port"
        address = TcpAddress(_free_port())
        write_private(port_file, str(address.port))
        try:
            yield address
        finally:
            port_file.unlink(missing_ok=True)
        return
    path = socket_path(runtime)
    make_private_folder(path.parent)
    path.unlink(missing_ok=True)
    os.umask(0o077)
    try:
        yield UnixAddress(path)
    finally:
        path.unlink(missing_ok=True)
        (runtime / "token").unlink(missing_ok=True)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _set_up_log(data: Path | None) -> None:
    """To a file in the data folder, else to stderr."""
    handler: logging.Handler = logging.StreamHandler()
    if data is not None:
        (data / "logs").mkdir(exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            data / "logs" / "core.log", maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8"
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", handlers=[handler], force=True)
