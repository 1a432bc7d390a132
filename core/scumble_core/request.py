"""What the artist asked: one frozen, comparable, serialisable value, validated once, at the edge."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from scumble_core.errors import RequestError
from scumble_core.sampling.names import SAMPLER_NAMES

Scalar = str | int | float | bool

# Field: lowest and highest value. A field that may also be 0 ("choose for me") is in ZERO_IS_AUTO.
RANGES: Mapping[str, tuple[float, float]] = {
    "scale": (0.1, 10.0),
    "strength": (0.0, 1.0),
    "seed": (0, 2**64 - 1),
    "tile_size": (128, 4096),
    "overlap": (16, 1024),
    "steps": (1, 200),
    "guidance": (1.0, 30.0),
    "first_pass_strength": (0.0, 1.0),
    "origin_x": (-(2**31), 2**31 - 1),
    "origin_y": (-(2**31), 2**31 - 1),
}
ZERO_IS_AUTO = frozenset({"tile_size", "overlap", "steps", "guidance"})
ORIGIN_GRID = 8


@dataclass(frozen=True)
class RefineRequest:
    """A refine job. `tile_size`, `overlap` and `origin_*` are in pixels; the rest is without unit.

    Where `tile_size`, `overlap`, `steps` or `guidance` is 0, or `sampler` is "", the model chooses.
    """

    scale: float = 2.0
    strength: float = 0.25
    seed: int = 0
    prompt: str = ""
    negative_prompt: str = ""
    base: str = "starter"
    refiner: str = "starter-refiner"
    upscaler: str = "auto"
    sampler: str = ""
    tile_size: int = 0
    overlap: int = 0
    steps: int = 0
    guidance: float = 0.0
    first_pass: bool = False
    first_pass_strength: float = 0.3
    keep_size: bool = False
    origin_x: int = 0
    origin_y: int = 0

    def to_dict(self) -> dict[str, Scalar]:
        """All fields by name, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "RefineRequest":
        """Check every field once. Fields that are not known are ignored, so that newer clients are understood.

        Raises RequestError, which names the field, the value and the range.
        """
        checked = {
            field.name: _checked(field.name, values[field.name], getattr(cls, field.name))
            for field in fields(cls)
            if field.name in values
        }
        return cls(**checked)  # type: ignore[arg-type]  # _checked gives each field its default's type


def _checked(name: str, value: object, default: Scalar) -> Scalar:
    """The value in the type of the field's default, within its range."""
    typed = _typed(name, value, default)
    if name == "sampler" and typed and typed not in SAMPLER_NAMES:
        raise RequestError(f"sampler is {value!r}, but must be one of {', '.join(SAMPLER_NAMES)}, or empty.")
    if name not in RANGES or (typed == 0 and name in ZERO_IS_AUTO):
        return typed
    low, high = RANGES[name]
    if isinstance(typed, str) or not low <= typed <= high:
        auto = ", or 0 to leave the choice to Scumble" if name in ZERO_IS_AUTO else ""
        raise RequestError(f"{name} is {value!r}, but must lie between {low} and {high}{auto}.")
    if name.startswith("origin") and typed % ORIGIN_GRID:
        raise RequestError(f"{name} is {value!r}, but must be a multiple of {ORIGIN_GRID}.")
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
