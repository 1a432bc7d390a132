"""What the artist has set in the panel: one comparable value, kept between sessions as JSON."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, get_args

Source = Literal["canvas", "layer", "selection"]
Destination = Literal["enlarge", "new", "keep"]
MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Settings:
    """The panel's fields. Ranges are the core's to check; the widgets keep within them."""

    source: Source = "canvas"
    destination: Destination = "enlarge"
    prompt: str = ""
    negative_prompt: str = ""
    scale: float = 2.0
    strength: float = 0.25
    seed: int = 0
    base: str = "starter"
    refiner: str = "starter-refiner"
    upscaler: str = "auto"

    @property
    def keeps_size(self) -> bool:
        """Whether results come back at the canvas's own size; a selection's always do."""
        return self.source == "selection" or self.destination == "keep"

    def request(self, origin_x: int, origin_y: int) -> "dict[str, object]":
        """The core's RefineRequest, by its field names."""
        values = asdict(self)
        del values["source"], values["destination"]
        return {**values, "keep_size": self.keeps_size, "origin_x": origin_x, "origin_y": origin_y}

    @property
    def title(self) -> str:
        """What is worth knowing of a result by its layer's name."""
        return f"{self.scale:g}x, strength {self.strength:.0%}, seed {self.seed}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """What `to_json` wrote; whatever can't be read in it is left at its default."""
        try:
            values = json.loads(text)
        except ValueError:
            return cls()
        settings = cls()
        for field in fields(cls) if isinstance(values, dict) else ():
            value = values.get(field.name)
            if type(value) is type(getattr(settings, field.name)):
                settings = replace(settings, **{field.name: value})
        if settings.source not in get_args(Source) or settings.destination not in get_args(Destination):
            return replace(settings, source="canvas", destination="enlarge")
        return settings
