"""What the artist has set in the panel: one comparable value, kept between sessions as JSON."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import NamedTuple, get_args

from scumble.host.contract import Destination, Guides, Placement, Source, Wanted
from scumble.limits import CHOICES, EMPTY_IS_AUTO, METHODS, RANGES, SCUMBLE, ZERO_IS_AUTO, widest, within
from scumble.prompts import (
    MOST_PROMPT,
    MOST_REGION_PROMPT,
    PromptPair,
    Snippet,
    apply,
    fitted,
    snippets_from,
)
from scumble.words import tr

__all__ = [
    "MOST_SEED",
    "Destination",
    "Lora",
    "Region",
    "Settings",
    "Source",
    "fresh_seed",
    "from_values",
    "to_values",
]

MOST_SEED = 2**64 - 1
MOST_LORAS = 16
MOST_STYLES = 16
MOST_REGIONS = 16
MOST_ID = 1000
LORA_WEIGHTS = (-2.0, 2.0)
NONE, AUTO = "none", "auto"
# These belong to a document: they name layers of it.
OF_A_DOCUMENT = ("strength_map", "regions")


class Lora(NamedTuple):
    """A small change to a model, and how much of it."""

    id: str
    weight: float = 1.0


class Region(NamedTuple):
    """Where the layer or mask of this id is painted, this prompt counts; the id is "" while none was chosen."""

    layer: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class Settings:
    """The panel's fields. `tile_size`, `overlap`, `grow`, `soft_edge` are pixels, `opacity` percent.

    `preset`: the core's preset, which the panel calls the method. Where `steps`, `guidance`, `tile_size` or `overlap`
    is 0, or `sampler` or `schedule` is "", the model chooses. Ranges are the core's: the widgets keep within them, and
    `request` does for the method that is chosen. `second_upscaler` goes on from what `upscaler` made; `strength_map` is
    the id of a layer or mask, "" for none; `without_guides`: such layers are left out of the picture that is sent.
    """

    source: Source = "canvas"
    layer: str = ""
    destination: Destination = "enlarge"
    group: bool = True
    keep_upscaled: bool = True
    mask: bool = True
    opacity: int = 100
    preset: str = SCUMBLE
    prompt: str = ""
    negative_prompt: str = ""
    styles: "tuple[Snippet, ...]" = ()
    scale: float = 2.0
    strength: float = 0.25
    seed: int = 0
    seed_locked: bool = True
    base: str = "starter"
    refiner: str = "starter-refiner"
    upscaler: str = "auto"
    second_upscaler: str = NONE
    restore: str = NONE
    vae: str = NONE
    controlnet: str = NONE
    controlnet_strength: float = 1.0
    controlnet_end: float = 1.0
    loras: "tuple[Lora, ...]" = ()
    strength_map: str = ""
    regions: "tuple[Region, ...]" = ()
    without_guides: bool = True
    steps: int = 0
    guidance: float = 0.0
    sampler: str = ""
    schedule: str = ""
    tile_size: int = 0
    overlap: int = 0
    colour_lock: float = 1.0
    complexity: bool = True
    skip_flat: bool = True
    grow: int = 0
    soft_edge: int = 8
    first_pass: bool = False
    first_pass_strength: float = 0.3

    @property
    def wanted(self) -> Wanted:
        """What is to be sent."""
        return Wanted(self.source, self.layer if self.source == "layer" else "", self.guides)

    @property
    def guides(self) -> Guides:
        """The layers that say where. A method that takes none still does not want them in its picture."""
        layers = tuple(region.layer for region in self.regions)
        own = tuple(layer for layer in (self.strength_map, *layers) if layer) if self.without_guides else ()
        is_taken = METHODS[self.preset].allows("regions")
        return Guides(self.strength_map, layers, own) if is_taken else Guides(left_out=own)

    @property
    def upscalers(self) -> str:
        """The core's name for what enlarges: one, or two after each other."""
        first, second = self.upscaler, self.second_upscaler
        is_chain = second != NONE and first not in (NONE, AUTO) and METHODS[self.preset].allows("second_upscaler")
        return f"{first}+{second}" if is_chain else first

    @property
    def placement(self) -> Placement:
        """How the results are to be placed."""
        return Placement(
            "keep" if self.keeps_size else self.destination, self.group, self.keep_upscaled, self.mask, self.opacity
        )

    @property
    def words(self) -> PromptPair:
        """The prompts as the model reads them, with the styles."""
        return apply(PromptPair(self.prompt, self.negative_prompt), self.styles)

    @property
    def keeps_size(self) -> bool:
        """Whether results come back at the canvas's own size; a selection's always do."""
        return self.source == "selection" or self.destination == "keep"

    @property
    def title(self) -> str:
        """What is worth knowing of a result by its layer's name."""
        return tr("{scale}x, strength {strength}%, seed {seed}").format(
            scale=f"{self.scale:g}", strength=round(100 * self.strength), seed=self.seed
        )

    def request(self, origin_x: int, origin_y: int) -> "dict[str, object]":
        """The core's RefineRequest, by its field names: what the method takes, within its ranges."""
        method = METHODS[self.preset]
        words = self.words
        asked: dict[str, object] = {"preset": self.preset, "prompt": words.prompt, "negative_prompt": words.negative}
        for name in _PLAIN:
            value = getattr(self, name)
            if method.allows(name) and not (name in ZERO_IS_AUTO | EMPTY_IS_AUTO and not value):
                asked[name] = within(method, name, value) if name in RANGES else value
        asked["upscaler"] = self.upscalers
        if self.loras:
            asked["loras"] = [lora._asdict() for lora in self.loras]
        if self.regions and method.allows("regions"):
            asked["regions"] = [{"prompt": prompt} for prompt in fitted([region.prompt for region in self.regions])]
        return {**asked, "keep_size": self.keeps_size, "origin_x": origin_x, "origin_y": origin_y}

    def for_run(self, draw: "Callable[[], int]") -> "Settings":
        """The settings of the next run: with the locked seed, or with one that is drawn."""
        return self if self.seed_locked else replace(self, seed=draw())

    def to_json(self) -> str:
        return json.dumps(to_values(self))

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """What `to_json` wrote; whatever can't be read in it is left at its default."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        return cls().with_values(values) if isinstance(values, dict) else cls()

    def with_values(self, values: "Mapping[str, object]") -> "Settings":
        """With those of the values that can be read."""
        return replace(self, **from_values(values))  # type: ignore[arg-type]  # checked field by field


def fresh_seed() -> int:
    """Any seed. From the system, not from a generator that somebody may have seeded."""
    return random.SystemRandom().randint(0, MOST_SEED)


def to_values(settings: Settings) -> "dict[str, object]":
    """All fields by name, fit for JSON."""
    values = asdict(settings)
    return {
        **values,
        "styles": [list(style) for style in settings.styles],
        "loras": [list(lora) for lora in settings.loras],
        "regions": [list(region) for region in settings.regions],
    }


def from_values(values: "Mapping[str, object]") -> "dict[str, object]":
    """Those fields that can be read; each by itself, so that one bad value costs no other."""
    found: dict[str, object] = {}
    for field in fields(Settings):
        value = _read(field.name, values.get(field.name))
        if value is not None:
            found[field.name] = value
    return found


# What goes to the core as it is.
_PLAIN = (
    "scale", "strength", "seed", "base", "refiner", "restore", "vae", "controlnet", "controlnet_strength",
    "controlnet_end", "steps", "guidance", "sampler", "schedule", "tile_size", "overlap", "colour_lock", "complexity",
    "skip_flat", "grow", "soft_edge", "first_pass", "first_pass_strength",
)  # fmt: skip
_WORDS: "Mapping[str, tuple[str, ...]]" = {
    "source": get_args(Source),
    "destination": get_args(Destination),
    "preset": tuple(METHODS),
    "sampler": ("", *CHOICES["sampler"]),
    "schedule": ("", *CHOICES["schedule"]),
}


def _read(name: str, value: object) -> object:
    """The value in its field's type, within its widest range; None if it isn't so."""
    if name == "styles":
        return snippets_from(value)[:MOST_STYLES] if isinstance(value, list) else None
    if name == "loras":
        return _loras(value)
    if name == "regions":
        return _regions(value)
    default = getattr(Settings, name)
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, str):
        return _text(name, value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    if isinstance(default, int) and not isinstance(value, int):
        return None
    low, high = (0, 100) if name == "opacity" else widest(name)
    if not (low <= value <= high or (value == 0 and name in ZERO_IS_AUTO)):
        return None  # NaN comes here, too
    return value if isinstance(default, int) else float(value)


def _text(name: str, value: object) -> "str | None":
    if not isinstance(value, str) or value not in _WORDS.get(name, (value,)):
        return None
    return value if len(value) <= (MOST_PROMPT if "prompt" in name else MOST_ID) else None


def _loras(value: object) -> "tuple[Lora, ...] | None":
    if not isinstance(value, list):
        return None
    found: dict[str, Lora] = {}
    for entry in value[:MOST_LORAS]:
        if not isinstance(entry, list) or len(entry) != 2:
            continue
        name, weight = entry
        known = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if _text("lora", name) and known and LORA_WEIGHTS[0] <= weight <= LORA_WEIGHTS[1]:
            found[name] = Lora(name, float(weight))
    return tuple(found.values())


def _regions(value: object) -> "tuple[Region, ...] | None":
    if not isinstance(value, list):
        return None
    found = []
    for entry in value[:MOST_REGIONS]:
        if isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry):
            layer, prompt = entry
            if len(layer) <= MOST_ID and len(prompt) <= MOST_REGION_PROMPT:
                found.append(Region(layer, prompt))
    return tuple(found)
