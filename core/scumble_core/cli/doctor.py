"""`scumble doctor`: what is here, what is missing, and what to do about it."""

import math
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from scumble_bridge.places import data_folder
from scumble_core.errors import ScumbleError
from scumble_core.krita.places import krita_folders
from scumble_core.models.library import base_facts, choices, models_folder
from scumble_core.models.memory.facts import DeviceFacts, TileNeeds
from scumble_core.models.memory.learnt import Lessons
from scumble_core.models.memory.needs import needs_of
from scumble_core.models.memory.plan import plan_memory
from scumble_core.models.memory.wishes import read_wishes
from scumble_core.models.starter.places import AUTOENCODER, unet_folder, upscaler_path
from scumble_core.plan.passes import tile_limits
from scumble_core.request import RefineRequest

MOST_PLANS = 12
PACKAGES = ("scumble", "torch", "torchvision", "diffusers", "spandrel", "numpy", "pillow", "pyqt6")


def doctor() -> None:
    """Check the installation; the exit code is 1 when something is missing."""
    console = Console(highlight=False, soft_wrap=True)
    bad = [*_packages(console), *_weights()]
    console.print(f"Python {platform.python_version()} on {platform.platform()}")
    if not bad:
        bad += _device(console)
    _models(console)
    krita = shutil.which("krita")
    console.print(f"Krita: {krita or 'not on the PATH (fine, if it is installed in another way)'}")
    plugin = krita_folders().plugins / "scumble"
    console.print(f"Plugin: {plugin if plugin.is_dir() else 'not installed: run `scumble krita install`'}")
    for problem in bad:
        console.print(f"[red]{escape(problem)}[/red]")
    raise typer.Exit(1 if bad else 0)


def _models(console: Console) -> None:
    """What there is to choose, by name; `scumble models list` has more."""
    models = choices(models_folder())
    for kind, found in (("Models", models.bases), ("Refiners", models.refiners), ("Upscalers", models.upscalers)):
        console.print(f"{kind}: {escape(', '.join(_short(*each) for each in found))}")
    counts = {
        "LoRA": len(models.loras), "ControlNets": len(models.controlnets), "autoencoders": len(models.vaes),
        "embeddings": len(models.embeddings),
    }  # fmt: skip
    if any(counts.values()):
        console.print(f"Also {', '.join(f'{count} {kind}' for kind, count in counts.items() if count)}")


def _short(model: str, title: str) -> str:
    """What stands for a model in a request: a starter's name is its id, a path is too long to read."""
    return title if Path(model).is_absolute() else model


def _packages(console: Console) -> list[str]:
    missing = []
    for name in PACKAGES:
        try:
            console.print(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(f"The package {name} is missing: install Scumble again.")
    return missing


def _weights() -> list[str]:
    files = [AUTOENCODER, upscaler_path(2), upscaler_path(4)]
    files += [unet_folder(kind) / "diffusion_pytorch_model.safetensors" for kind in ("base", "refiner")]
    return [f"The starter model {path} is missing: install Scumble again." for path in files if not path.exists()]


def _device(console: Console) -> list[str]:
    """The device, and how each base model would run there; what is wrong with the settings."""
    from scumble_core.models.cache import ModelCache
    from scumble_core.models.memory.known import note_device

    try:
        device = ModelCache().device.facts
    except ScumbleError as error:
        return [error.message]
    note_device(data_folder(), device)
    sizes = [f"{size / 1e9:.1f} GB {word}" for size, word in ((device.total, "in all"), (device.free, "free")) if size]
    console.print(f"Device: {device.title}{', ' * bool(sizes)}{', '.join(sizes)}")
    for plan in memory_plans(device, data_folder()):
        console.print(f"Memory for {escape(plan)}")
    return []


def memory_plans(device: DeviceFacts, data: Path) -> list[str]:
    """How the models that are here would run on this device, at default settings; of many, some."""
    told = []
    for base, title in choices(models_folder()).bases[:MOST_PLANS]:
        try:
            facts, needs = base_facts(base), needs_of(base)
        except ScumbleError:
            continue
        side = math.isqrt(tile_limits(RefineRequest(), facts, device.total).largest_area)
        tile = TileNeeds(side, int(side**2 / 1e6 * facts.tile_bytes))
        learnt = Lessons(data, device.name, device.free).of(base)
        plan = plan_memory(device, [needs] if needs else [], tile, 1, read_wishes(data, os.environ), learnt)
        told.append(f"{_short(base, title)} on {plan.problem or plan.sentence}")
    return told
