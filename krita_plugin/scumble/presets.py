"""The artist's presets: named parts of the settings, as JSON files that can be shared.

Those that come with Scumble lie in `shipped/`, an artist's own in a folder of the user's data. What stands in a file
is foreign until it was read here: sizes are bounded, and a value that can't be read is left out.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scumble.settings import Settings, from_values, to_values
from scumble.words import tr

FORMAT = "scumble_preset"
VERSION = 1
SUFFIX = ".json"
MOST_BYTES = 256 * 1024
MOST_OWN = 200
MOST_NAME = 60

# What a preset may hold, as an artist thinks of it.
PARTS: "Mapping[str, tuple[str, ...]]" = {
    "look": (
        "preset", "strength", "steps", "guidance", "sampler", "schedule", "tile_size", "overlap", "colour_lock",
        "complexity", "skip_flat", "grow", "soft_edge", "first_pass", "first_pass_strength",
    ),
    "size": ("scale",),
    "prompt": ("prompt", "negative_prompt", "styles"),
    "models": (
        "base", "refiner", "upscaler", "second_upscaler", "restore", "vae", "controlnet", "controlnet_strength",
        "controlnet_end", "loras",
    ),
    "seed": ("seed", "seed_locked"),
    "placement": ("source", "destination", "group", "keep_upscaled", "mask", "opacity"),
}  # fmt: skip


class PresetError(Exception):
    """It can't be done; the message says what, where, and what to do."""


@dataclass(frozen=True)
class Preset:
    """`values`: fields of the settings, all of them readable. `is_own`: the artist may rename and delete it."""

    name: str
    values: "Mapping[str, object]" = field(default_factory=dict)
    is_own: bool = True

    def apply(self, settings: Settings) -> Settings:
        """The settings with what the preset holds; the rest stays."""
        return settings.with_values(self.values)

    def fits(self, settings: Settings) -> bool:
        """Whether the settings are what the preset would make of them."""
        return self.apply(settings) == settings


def part_of(settings: Settings, parts: "frozenset[str]") -> "dict[str, object]":
    """The fields of these PARTS, by name."""
    values = to_values(settings)
    return {name: values[name] for part, names in PARTS.items() if part in parts for name in names}


def to_text(preset: Preset) -> str:
    """A file's content. Plain ASCII, so that no program breaks it."""
    return json.dumps({FORMAT: VERSION, "name": preset.name, "settings": dict(preset.values)}, indent=2) + "\n"


def from_text(text: str, where: str) -> Preset:
    """What `to_text` wrote, or a stranger. `where`: the file's name, for people. Raises PresetError."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or FORMAT not in content:
        raise PresetError(
            tr("{file} is no preset of Scumble's: choose a file that was exported here.").format(file=where)
        )
    if content[FORMAT] != VERSION:
        raise PresetError(tr("{file} was made by a newer Scumble: update this one first.").format(file=where))
    name, values = content.get("name"), content.get("settings")
    if not isinstance(name, str) or not isinstance(values, dict) or not clean_name(name):
        raise PresetError(tr("{file} is damaged: its name or its settings are missing.").format(file=where))
    # Read and written again, so that what is kept is what will be used.
    readable = from_values(values)
    whole = to_values(Settings().with_values(values))
    found = {field: whole[field] for field in readable if any(field in names for names in PARTS.values())}
    if not found:
        raise PresetError(tr("{file} holds no setting that this Scumble knows.").format(file=where))
    return Preset(clean_name(name), found)


def clean_name(name: str) -> str:
    """Without line breaks and control characters, of bounded length."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:MOST_NAME].strip()


def shipped() -> "tuple[Preset, ...]":
    """The presets that come with Scumble, in the artist's language."""
    folder = Path(__file__).parent / "shipped"
    titles = {
        "gentle": tr("Gentle"),
        "standard": tr("Standard"),
        "strong-detail": tr("Strong detail"),
        "soft-photo": tr("Soft photo"),
        "line-art": tr("Line art"),
        "reference": tr("Reference (Mikey)"),
    }
    found = []
    for file, title in titles.items():
        # One that was lost or damaged must not keep the docker from opening.
        with contextlib.suppress(PresetError):
            found.append(Preset(title, read(folder / f"{file}{SUFFIX}").values, is_own=False))
    return tuple(found)


class PresetFolder:
    """An artist's own presets, beside the shipped ones. Names differ in more than the case of their letters."""

    def __init__(self, folder: Path, given: "tuple[Preset, ...] | None" = None) -> None:
        self._folder = folder
        self._shipped = shipped() if given is None else given

    def all(self) -> "tuple[Preset, ...]":
        """The shipped ones, then the artist's own by name. A file that can't be read is passed over."""
        return (*self._shipped, *(preset for preset, _ in self._own()))

    def find(self, name: str) -> "Preset | None":
        return next((preset for preset in self.all() if _same(preset.name, name)), None)

    def save(self, name: str, values: "Mapping[str, object]") -> Preset:
        """Keep it; one of the artist's own that has this name is replaced. Raises PresetError."""
        preset = Preset(self._usable(name), dict(values))
        old = {known.name.casefold(): file for known, file in self._own()}.get(preset.name.casefold())
        self._write(old or self._free_file(preset.name), preset)
        return preset

    def rename(self, name: str, new: str) -> Preset:
        """Raises PresetError."""
        preset, file = self._get(name)
        renamed = Preset(self._usable(new), preset.values)
        taken = self.find(renamed.name)
        if taken is not None and not _same(taken.name, name):
            raise PresetError(tr("There is a preset “{name}” already: choose another name.").format(name=taken.name))
        self._write(file, renamed)
        return renamed

    def delete(self, name: str) -> None:
        """Raises PresetError."""
        _, file = self._get(name)
        try:
            file.unlink()
        except OSError as error:
            raise _failed(file, error) from error

    def take_in(self, file: Path) -> Preset:
        """Import a file; a name that is taken gets a number. Raises PresetError."""
        preset = read(file)
        taken = {known.name.casefold() for known in self.all()}
        name, number = preset.name, 2
        while name.casefold() in taken:
            ending = f" {number}"
            name, number = preset.name[: MOST_NAME - len(ending)] + ending, number + 1
        return self.save(name, preset.values)

    def give_out(self, name: str, file: Path) -> None:
        """Export any preset to a file of the artist's choice. Raises PresetError."""
        preset = self.find(name)
        if preset is None:
            raise _gone(name)
        _write_whole(file, to_text(preset))

    def _own(self) -> "list[tuple[Preset, Path]]":
        found: dict[str, tuple[Preset, Path]] = {}
        with contextlib.suppress(OSError):
            for file in sorted(self._folder.glob(f"*{SUFFIX}"))[:MOST_OWN]:
                with contextlib.suppress(PresetError):
                    preset = read(file)
                    found.setdefault(preset.name.casefold(), (preset, file))
        return [found[key] for key in sorted(found) if not any(_same(key, preset.name) for preset in self._shipped)]

    def _get(self, name: str) -> "tuple[Preset, Path]":
        found = next((entry for entry in self._own() if _same(entry[0].name, name)), None)
        if found is None:
            raise _gone(name)
        return found

    def _usable(self, name: str) -> str:
        name = clean_name(name)
        if not name:
            raise PresetError(tr("The preset has no name: type one."))
        if any(_same(preset.name, name) for preset in self._shipped):
            raise PresetError(
                tr("“{name}” comes with Scumble and stays as it is: choose another name.").format(name=name)
            )
        return name

    def _free_file(self, name: str) -> Path:
        if len(self._own()) >= MOST_OWN:
            raise PresetError(tr("There are {number} presets already: delete some first.").format(number=MOST_OWN))
        # The letters that every file system takes; the name itself stands in the file.
        stem = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name).strip("-").lower()
        stem = f"preset-{stem}" if stem else "preset"
        taken: set[str] = set()
        with contextlib.suppress(OSError):
            taken = {file.stem.lower() for file in self._folder.glob(f"*{SUFFIX}")}
        free = (f"{stem}-{number}" if number > 1 else stem for number in range(1, len(taken) + 2))
        return self._folder / (next(stem for stem in free if stem not in taken) + SUFFIX)

    def _write(self, file: Path, preset: Preset) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failed(self._folder, error) from error
        _write_whole(file, to_text(preset))


def read(file: Path) -> Preset:
    """A preset's file, whoever made it. Raises PresetError."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise PresetError(tr("{file} can’t be read: {why}.").format(file=file.name, why=error.strerror)) from error
    if len(data) > MOST_BYTES:
        raise PresetError(tr("{file} is too large for a preset: choose another file.").format(file=file.name))
    return from_text(data.decode("utf-8", "replace"), file.name)


def _write_whole(file: Path, text: str) -> None:
    """All of it or nothing: what was there before stays until the new one lies on the disk."""
    side = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with side.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        side.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            side.unlink()
        raise _failed(file, error) from error


def _failed(file: Path, error: OSError) -> PresetError:
    return PresetError(
        tr("{file} can’t be written: {why}. See to the folder, or choose another.").format(
            file=file.name, why=error.strerror or error
        )
    )


def _gone(name: str) -> PresetError:
    return PresetError(tr("There is no preset “{name}” of yours any more.").format(name=name))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
