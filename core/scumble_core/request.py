"""What the artist asked: one frozen, comparable, serialisable value, validated once, at the edge."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

from scumble_core.errors import RequestError
from scumble_core.models.prompts.syntax import loras_in
from scumble_core.presets import PRESETS, SCUMBLE, Preset, Range, Scalar
from scumble_core.sampling.names import SAMPLER_NAMES, SCHEDULE_NAMES

# Field: lowest and highest value. A field that may also be 0 ("choose for me") is in ZERO_IS_AUTO.
RANGES: Mapping[str, Range] = {
    "scale": (0.1, 10.0),
    "strength": (0.0, 1.0),
    "seed": (0, 2**64 - 1),
    "tile_size": (128, 4096),
    "overlap": (16, 1024),
    "batch": (1, 64),
    "steps": (1, 1000),
    "smooth_step": (-1, 100),
    "guidance": (1.0, 30.0),
    "first_pass_strength": (0.0, 1.0),
    "colour_lock": (0.0, 1.0),
    "controlnet_strength": (0.0, 2.0),
    "controlnet_end": (0.0, 1.0),
    "grow": (0, 512),
    "soft_edge": (0, 256),
    "smallest_side": (64, 4096),
    "origin_x": (-(2**31), 2**31 - 1),
    "origin_y": (-(2**31), 2**31 - 1),
}
ZERO_IS_AUTO = frozenset({"tile_size", "overlap", "batch", "steps", "guidance", "smallest_side"})
CHOICES: Mapping[str, tuple[str, ...]] = {
    "preset": tuple(PRESETS),
    "start": ("image", "empty"),
    "sampler": SAMPLER_NAMES,
    "schedule": SCHEDULE_NAMES,
    "tiler_model": ("base", "refiner"),
}
EMPTY_IS_AUTO = frozenset({"sampler", "schedule", "tiler_model"})
ORIGIN_GRID = 8
# The reference node's names for our fields.
ALIASES: Mapping[str, str] = {
    "upscale_by": "scale",
    "tiler_denoise": "strength",
    "denoise_image": "first_pass_strength",
    "cfg": "guidance",
    "sampler_name": "sampler",
    "scheduler": "schedule",
    "model_name": "upscaler",
    "use_complexity_score": "complexity",
}
MOST_REGIONS = 16
MOST_LORAS = 16
LORA_WEIGHTS: Range = (-10.0, 10.0)
MOST_RESEEDED = 10_000


class Lora(NamedTuple):
    """A LoRA's id, and how much of it."""

    id: str
    weight: float = 1.0


@dataclass(frozen=True)
class Region:
    """A part of the picture with a prompt of its own. Its mask lies in the job folder, region-1.npy for the first."""

    prompt: str


@dataclass(frozen=True)
class Reseeded:
    """The tile that begins at x, y (as the plan names it, in pixels of the tile pass) is drawn from another seed."""

    x: int
    y: int
    seed: int


@dataclass(frozen=True)
class RefineRequest:
    """A refine job. `tile_size`, `overlap`, `grow`, `soft_edge`, `smallest_side` and `origin_*` are in pixels.

    Where `tile_size`, `overlap`, `batch`, `steps`, `guidance` or `smallest_side` is 0, or `sampler`, `schedule` or
    `tiler_model` is "", the model chooses. docs/presets.md says what each field does, and which preset takes which.
    """

    preset: str = SCUMBLE
    start: str = "image"
    scale: float = 2.0
    strength: float = 0.25
    seed: int = 0
    prompt: str = ""
    negative_prompt: str = ""
    base: str = "starter"
    refiner: str = "starter-refiner"
    upscaler: str = "auto"
    restore: str = "none"
    loras: tuple[Lora, ...] = ()
    controlnet: str = "none"
    controlnet_strength: float = 1.0
    controlnet_end: float = 1.0
    vae: str = "none"
    tiler_model: str = ""
    sampler: str = ""
    schedule: str = ""
    steps: int = 0
    smooth_step: int = 1
    guidance: float = 0.0
    guidance_interval: bool = True
    tile_size: int = 0
    overlap: int = 0
    batch: int = 0
    first_pass: bool = False
    first_pass_strength: float = 0.3
    complexity: bool = True
    skip_flat: bool = True
    colour_lock: float = 1.0
    grow: int = 0
    soft_edge: int = 8
    smallest_side: int = 0
    keep_size: bool = False
    origin_x: int = 0
    origin_y: int = 0
    regions: tuple[Region, ...] = ()
    reseeded: tuple[Reseeded, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, fit for JSON."""
        values = asdict(self)
        loras = [lora._asdict() for lora in self.loras]
        return {**values, "loras": loras, "regions": list(values["regions"]), "reseeded": list(values["reseeded"])}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "RefineRequest":
        """Check every field once. What is missing is the preset's own default.

        Fields may go by the reference node's names, too. Those that are not known are ignored, so that newer clients
        are understood. Raises RequestError, which names the field, the value and the range.
        """
        preset = PRESETS[str(_checked("preset", values.get("preset", SCUMBLE), SCUMBLE, PRESETS[SCUMBLE]))]
        given = {ALIASES.get(name, name): (name, value) for name, value in values.items()}
        checked: dict[str, Any] = {**preset.defaults}
        for field in fields(cls):
            if field.name not in given:
                continue
            name, value = given[field.name]
            if field.name in _LISTS:
                checked[field.name] = _LISTS[field.name](value)
                continue
            default = checked.get(field.name, getattr(cls, field.name))
            checked[field.name] = _checked(field.name, value, default, preset, name)
        request = _with_called(cls(**checked))
        _check_inputs(request, preset, frozenset(given))
        return request


def _with_called(request: RefineRequest) -> RefineRequest:
    """With the LoRAs that its prompts call (`<lora:name:weight>`) among its own, and the prompts without them."""
    prompts = [loras_in(prompt) for prompt in (request.prompt, *(region.prompt for region in request.regions))]
    called = [each for _, found in prompts for each in found]
    if not called:
        return request
    weighed = [{"id": name, "weight": _called_weight(name, weight)} for name, weight in called]
    (prompt, _), *others = prompts
    regions = tuple(Region(text) for text, _ in others)
    loras = _loras([*(lora._asdict() for lora in request.loras), *weighed])
    return replace(request, prompt=prompt, regions=regions, loras=loras)


def _called_weight(name: str, weight: str) -> float:
    try:
        return float(weight or 1)
    except ValueError:
        raise RequestError(
            f"The prompt wants the LoRA '{name[:80]}' with the weight '{weight[:20]}': write <lora:name:0.8>, with one "
            "number."
        ) from None


def _check_inputs(request: RefineRequest, preset: Preset, given: frozenset[str]) -> None:
    """A preset that fixes a field must not be told otherwise in silence."""
    for field in fields(request) if preset.inputs is not None else ():
        assert preset.inputs is not None
        if field.name not in given or field.name in preset.inputs:
            continue
        value, own = getattr(request, field.name), preset.defaults.get(field.name, field.default)
        auto = field.name in ZERO_IS_AUTO | EMPTY_IS_AUTO and not value
        if value != own and not auto:
            raise RequestError(
                f"{field.name} is {value!r}, but the preset {request.preset} has its own way there: leave it out, or "
                f"choose another preset."
            )


def _checked(field: str, value: object, default: Scalar, preset: Preset, name: str | None = None) -> Scalar:
    """The value in the type of the field's default, within its range. `name`: what the client called the field."""
    name = name or field
    typed = _typed(name, value, default)
    if field in CHOICES and not (typed == "" and field in EMPTY_IS_AUTO) and typed not in CHOICES[field]:
        empty = ", or empty" if field in EMPTY_IS_AUTO else ""
        raise RequestError(f"{name} is {value!r}, but must be one of {', '.join(CHOICES[field])}{empty}.")
    auto = field in ZERO_IS_AUTO and field not in preset.ranges
    low, high = preset.ranges.get(field, RANGES.get(field, (-math.inf, math.inf)))
    if field not in RANGES or isinstance(typed, str) or (typed == 0 and auto):
        return typed
    if not low <= typed <= high:
        or_auto = ", or 0 to leave the choice to Scumble" if auto else ""
        raise RequestError(f"{name} is {value!r}, but must lie between {low} and {high}{or_auto}.")
    multiple = ORIGIN_GRID if field.startswith("origin") else preset.multiples.get(field, 1)
    if multiple > 1 and typed % multiple:
        raise RequestError(f"{name} is {value!r}, but must be a multiple of {multiple}.")
    return typed


def _typed(name: str, value: object, default: Scalar) -> Scalar:
    if type(value) is type(default):
        if isinstance(value, float) and not math.isfinite(value):
            raise RequestError(f"{name} is {value!r}, but must be a finite number.")
        return value
    if isinstance(default, float) and type(value) is int:
        return _int_as_float(name, value)
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[type(default)]
    raise RequestError(f"{name} is {value!r}, but must be {kind}.")


def _int_as_float(name: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise RequestError(f"{name} is too large a number: give one within its range.") from None


def _regions(value: object) -> tuple[Region, ...]:
    entries = _entries("regions", value, MOST_REGIONS, frozenset({"prompt"}))
    for number, entry in enumerate(entries):
        if not isinstance(entry["prompt"], str):
            raise RequestError(f"regions[{number}].prompt is {entry['prompt']!r}, but must be text.")
    return tuple(Region(str(entry["prompt"])) for entry in entries)


def _reseeded(value: object) -> tuple[Reseeded, ...]:
    found = []
    limits = {"x": (0, 2**31 - 1), "y": (0, 2**31 - 1), "seed": RANGES["seed"]}
    for number, entry in enumerate(_entries("reseeded", value, MOST_RESEEDED, frozenset(limits))):
        for name, (low, high) in limits.items():
            inner = entry[name]
            if type(inner) is not int or not low <= inner <= high:
                raise RequestError(
                    f"reseeded[{number}].{name} is {inner!r}, but must be a whole number between {low} and {high}."
                )
        found.append(Reseeded(**entry))  # type: ignore[arg-type]  # checked above
    return tuple(found)


def _loras(value: object) -> tuple[Lora, ...]:
    found = []
    low, high = LORA_WEIGHTS
    for number, entry in enumerate(_entries("loras", value, MOST_LORAS, frozenset({"id", "weight"}))):
        model, weight = entry["id"], entry["weight"]
        if not isinstance(model, str) or not model:
            raise RequestError(f"loras[{number}].id is {model!r}, but must be a model's name or path.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not low <= weight <= high:
            raise RequestError(
                f"loras[{number}].weight is {weight!r}, but must be a number between {low:g} and {high:g}."
            )
        found.append(Lora(model, float(weight)))
    return tuple(found)


def _entries(name: str, value: object, most: int, wanted: frozenset[str]) -> list[dict[str, object]]:
    """A list of objects that have these fields; others are dropped."""
    if not isinstance(value, list | tuple) or len(value) > most:
        raise RequestError(f"{name} is no list of at most {most} entries: give it so.")
    for number, entry in enumerate(value):
        if not isinstance(entry, Mapping) or not wanted <= entry.keys():
            raise RequestError(f"{name}[{number}] is {entry!r}, but must have {', '.join(sorted(wanted))}.")
    return [{key: entry[key] for key in wanted} for entry in value]


_LISTS = {"loras": _loras, "regions": _regions, "reseeded": _reseeded}
