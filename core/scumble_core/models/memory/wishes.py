"""What the artist decides about memory, instead of the plan; and whether networks are compiled.

In the data folder's settings.json, under "memory", or in the environment's SCUMBLE_MEMORY, which counts more:
`SCUMBLE_MEMORY="offload=model,precision=float32"`. Both hold for `scumble refine`, `scumble serve` and the plugin's
core. No torch here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from scumble_core.errors import RequestError
from scumble_core.models.memory.facts import Precision

Offload = Literal["none", "model", "group", "sequential"]
VARIABLE = "SCUMBLE_MEMORY"
SETTINGS = "settings.json"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "precision": get_args(Precision),
    "offload": get_args(Offload),
    "compile": ("blocks",),
}
_RANGES: Mapping[str, tuple[float, float]] = {"vae_window": (128, 4096), "free": (0.1, 10_000.0)}


@dataclass(frozen=True)
class Wishes:
    """Empty, or 0, leaves it to the plan. `vae_window`: a side in pixels; `free`: gigabytes to count with; `compile`:
    see models/compiled.py.

    The size of tiles and how many go at once are fields of each request: tile_size and batch.
    """

    precision: Precision | Literal[""] = ""
    offload: Offload | Literal[""] = ""
    vae_window: int = 0
    free: float = 0.0
    compile: Literal["", "blocks"] = ""


def read_wishes(data: Path, environ: Mapping[str, str]) -> Wishes:
    """What is set. Raises RequestError, which names the place, the field and what it may be."""
    values: dict[str, Any] = {}
    path = data / SETTINGS
    try:
        told = json.loads(path.read_text("utf-8"))
        memory = told.get("memory", {}) if isinstance(told, dict) else None
        if not isinstance(memory, dict):
            raise ValueError("it holds no object 'memory'")
        values.update({name: _checked(str(path), name, value) for name, value in memory.items()})
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} can't be read ({error}): correct it, or take it away.") from error
    for entry in filter(None, (part.strip() for part in environ.get(VARIABLE, "").split(","))):
        name, equals, value = entry.partition("=")
        if not equals:
            raise RequestError(f"{VARIABLE} has '{entry}', but must be NAME=VALUE, with commas between them.")
        values[name.strip()] = _checked(VARIABLE, name.strip(), value.strip())
    return Wishes(**values)


def _checked(place: str, name: str, value: object) -> object:
    if name not in {field.name for field in fields(Wishes)}:
        known = ", ".join(field.name for field in fields(Wishes))
        raise RequestError(f"{place} sets {name!r}, but of memory only {known} can be set.")
    if name in _CHOICES:
        if value not in ("", *_CHOICES[name]):
            raise RequestError(f"{place} sets {name} to {value!r}, but it must be one of {', '.join(_CHOICES[name])}.")
        return value
    low, high = _RANGES[name]
    try:
        number = float(str(value)) if name == "free" else int(str(value))
    except ValueError:
        number = -1
    if number != 0 and not low <= number <= high:
        raise RequestError(f"{place} sets {name} to {value!r}, but it must lie between {low:g} and {high:g}, or be 0.")
    return number
