"""What an artist may choose among, and what a short name stands for: the index, seen from outside. No torch."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scumble_core.errors import ScumbleError
from scumble_core.models.detect import Found, Kind, detect
from scumble_core.models.finding import Place, all_places
from scumble_core.models.index import NAME, Entry, ModelIndex

# How long a first look at all places may take: the rest is left to the background.
FIRST_LOOK_SECONDS = 0.1
_TITLES = {
    "sd15": "SD 1.5", "sd21": "SD 2", "sdxl": "SDXL", "sdxl-refiner": "SDXL refiner", "flux": "Flux",
    "z-image": "Z-Image", "qwen-image": "Qwen-Image", "sd3": "SD 3", "sd-or-sdxl": "SD or SDXL",
    "flux-or-sd3": "Flux or SD 3",
}  # fmt: skip

_log = logging.getLogger("scumble.models")


@dataclass(frozen=True)
class Offer:
    """A model to choose: `id` is its path, `name` tells it from all others of its kind."""

    id: str
    name: str
    entry: Entry


def entries_of(models: Path) -> list[Entry]:
    """All that the index knows, our own folder looked through at once, others when the index is new.

    Milliseconds. Never fails for what lies in the index's place: then nothing is known.
    """
    try:
        new = not (models / NAME).exists()
        with ModelIndex.open(models) as index:
            if new:
                index.refresh(all_places(models), FIRST_LOOK_SECONDS)
            else:
                own = [Place(models / "upscalers", "scumble", "upscaler"), Place(models, "scumble")]
                index.refresh([place for place in own if place.folder.is_dir()], FIRST_LOOK_SECONDS, only=True)
            return index.entries()
    except (ScumbleError, OSError) as error:
        _log.warning("The models could not be looked through: %s", error)
        return []


def offers(entries: Iterable[Entry], kind: Kind) -> list[Offer]:
    """All of one kind by name; where names meet, the program or the folder tells them apart."""
    wanted = _once(entry for entry in entries if is_of_kind(entry, kind))
    titles = Counter(_title(entry) for entry in wanted)
    named = [
        Offer(entry.path, _title(entry) if titles[_title(entry)] == 1 else _longer(entry), entry) for entry in wanted
    ]
    return sorted(named, key=lambda offer: (offer.name.lower(), offer.id))


def is_of_kind(entry: Entry, kind: Kind) -> bool:
    """Where spandrel hasn't looked yet, what lies in a folder for upscalers is taken for one."""
    if entry.found is None:
        return False
    if entry.found.kind == "unknown" and not entry.asked and "holds" not in entry.found.detail:
        return kind == "upscaler" == entry.holds
    return entry.found.kind == kind


def path_of(model: str, models: Path) -> Path:
    """The path that an id stands for: itself, or the one model of that name. Raises ScumbleError."""
    path = Path(model).expanduser()
    if path.exists():
        return path
    found = named(model, _known(models))
    if len(found) == 1:
        return Path(found[0].path)
    if found:
        paths = ", ".join(entry.path for entry in found[:4])
        raise ScumbleError("unknown_model", f"{len(found)} models are named '{model}': give one's path ({paths}).")
    raise ScumbleError(
        "unknown_model",
        f"There is no model named '{model}', nor a file or folder of that name: "
        "`scumble models list` names the models there are.",
    )


def named(name: str, entries: Iterable[Entry]) -> list[Entry]:
    """All models of this name: the title, or the file's name with or without its ending."""
    wanted = name.strip().lower()
    return _once(
        entry
        for entry in entries
        if entry.found is not None
        and wanted in (entry.found.title.lower(), Path(entry.path).name.lower(), Path(entry.path).stem.lower())
    )


def found_at(path: Path, models: Path) -> Found:
    """What lies there, from the index if there is one. Raises ScumbleError, which says what is wrong with it."""
    if not (models / NAME).exists():
        return detect(path)
    with ModelIndex.open(models) as index:
        entry = index.look(path)
    if entry.found is None:
        raise ScumbleError("unsafe_model" if "could run code" in entry.problem else "unknown_model", entry.problem)
    return entry.found


def described(found: Found) -> str:
    """In a few words: "SDXL, inpainting, v-prediction"."""
    prediction = {"v_prediction": "v-prediction", "edm": "EDM"}.get(found.prediction, "")
    task = str(found.detail.get("task", ""))
    words = [
        _TITLES.get(found.family, found.family),
        found.variant,
        task,
        prediction,
        str(found.detail.get("holds", "")),
    ]
    if "scale" in found.detail:
        words.append(f"{found.detail['scale']}x")
    return ", ".join(word for word in words if word)


def _known(models: Path) -> list[Entry]:
    if not (models / NAME).exists():
        return []
    with ModelIndex.open(models) as index:
        return index.entries()


def _once(entries: Iterable[Entry]) -> list[Entry]:
    """A file that two programs share by links is one model."""
    unique: dict[tuple[int, int, str], Entry] = {}
    for entry in entries:
        unique.setdefault((entry.size, entry.mtime_ns, Path(entry.path).name), entry)
    return list(unique.values())


def _title(entry: Entry) -> str:
    assert entry.found is not None
    told = described(entry.found)
    return f"{entry.found.title} ({told})" if told else entry.found.title


def _longer(entry: Entry) -> str:
    return f"{_title(entry)}, {Path(entry.path).parent}"


def pairs(found: Sequence[Offer]) -> tuple[tuple[str, str], ...]:
    """As the panel takes them: (id, name)."""
    return tuple((offer.id, offer.name) for offer in found)
