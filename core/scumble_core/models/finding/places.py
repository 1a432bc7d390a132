"""A folder in which models may lie, or a single model, and what the program that keeps it says that they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scumble_core.models.detect.found import Kind

Program = Literal["scumble", "added", "comfyui", "a1111", "invokeai", "hub"]


@dataclass(frozen=True)
class Place:
    """`holds`: what the program keeps there, for people and where tensors don't tell; "unknown": anything."""

    folder: Path
    program: Program
    holds: Kind = "unknown"


def existing(places: Iterable[Place]) -> list[Place]:
    """Those that are there, each folder once: what is named first counts."""
    found: dict[Path, Place] = {}
    for place in places:
        try:
            if place.folder.exists():
                found.setdefault(place.folder.resolve(), place)
        except OSError:
            continue  # a drive that is not there now, or not ours
    return list(found.values())
