"""What a request's additions do to a loaded pipeline, step by step."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from scumble_core.models.additions import Additions
from scumble_core.models.lora.merge import merge
from scumble_core.models.lora.names import parts_of
from scumble_core.models.vae import load_vae


def changes_of(additions: Additions, paths: Mapping[str, Path]) -> list[Callable[[Any], None]]:
    """`paths`: of the ids in there."""
    changes: list[Callable[[Any], None]] = []
    if additions.vae:
        changes.append(partial(_replace_vae, paths[additions.vae]))
    if additions.loras:
        changes.append(partial(_merge, [(paths[lora.id], lora.weight) for lora in additions.loras]))
    return changes


def _replace_vae(path: Path, pipe: Any) -> None:
    own = pipe.vae
    pipe.register_modules(vae=load_vae(path, own).to(own.device))


def _merge(loras: list[tuple[Path, float]], pipe: Any) -> None:
    merge(parts_of(pipe), loras)
