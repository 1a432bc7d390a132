"""What running out of memory has taught, kept for the next time: by device and model, in the data folder. No torch.

What failed while other programs held the memory may do later: a lesson counts as long as not clearly more is free than
then.
"""

import contextlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from scumble_core.models.memory.wishes import Offload

NAME = "memory.json"
# So much more memory must be free for a lesson to be tried again.
CLEARLY_MORE = 1.25
_MOST_ENTRIES = 200

_log = logging.getLogger("scumble.memory")


@dataclass(frozen=True)
class Learnt:
    """How far to step down from the start; 0 or "none": not at all.

    `batch`: tiles at once; `vae_window`, `window`: sides in pixels of what the autoencoder, or all of the model, sees
    at once; `pixels`: of a tile, for an upscaler.
    """

    batch: int = 0
    vae_window: int = 0
    offload: Offload = "none"
    window: int = 0
    pixels: int = 0


class Lessons:
    """The lessons of one device. A file that is damaged, or can't be written, is as none: they are learnt again."""

    def __init__(self, data: Path, device: str, free: int | None) -> None:
        """`device`: its name for people and size; `free`: measured, in bytes."""
        self._path = data / NAME
        self._device = device
        self._free = free

    def of(self, model: str) -> Learnt:
        """What counts for this model now."""
        entry = self._read().get(self._device, {}).get(model, {})
        then = entry.get("free")
        if then and self._free and self._free > then * CLEARLY_MORE:
            return Learnt()
        known: dict[str, Any] = asdict(Learnt())
        kept = {name: value for name, value in entry.items() if name in known and type(value) is type(known[name])}
        if kept.get("offload", "none") not in get_args(Offload):
            del kept["offload"]
        return Learnt(**kept)

    def note(self, model: str, **step: Any) -> None:
        """A step down that helped; the fields of Learnt."""
        values = self._read()
        ours = values.setdefault(self._device, {})
        before = {name: value for name, value in ours.pop(model, {}).items() if name != "free"}
        if not before:
            before = {name: value for name, value in asdict(Learnt()).items() if name in step}
        ours[model] = {**before, **step, "free": self._free}
        for each in list(ours)[:-_MOST_ENTRIES]:
            del ours[each]
        part = self._path.with_suffix(f".{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(values, indent=1), "utf-8")
            part.replace(self._path)
        except OSError as error:
            _log.warning("%s was not written: %s", self._path, error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _read(self) -> dict[str, dict[str, dict[str, Any]]]:
        try:
            values = json.loads(self._path.read_text("utf-8"))
            assert all(isinstance(entry, dict) for models in values.values() for entry in models.values())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, AssertionError) as error:
            _log.warning("%s is damaged and begun anew: %s", self._path, error)
            return {}
        return dict(values)
