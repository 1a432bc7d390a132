"""A past run of a document: a value, fit for JSON."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scumble import checked
from scumble.amounts import number, percent
from scumble.host.contract import Placed
from scumble.runs.order import Asked, asked_from, asked_values
from scumble.words import tr


@dataclass(frozen=True)
class Entry:
    """`when`: seconds since 1970; `size`: of the results; `seconds`: that it took; `before`, `after`: small JPEGs, or
    nothing; `placed`: the layers (the document's key is the one under which it was read)."""

    when: float
    asked: Asked
    size: "tuple[int, int]"
    seconds: float
    placed: Placed
    before: bytes = b""
    after: bytes = b""

    @property
    def bare(self) -> "Entry":
        """Without its pictures."""
        return replace(self, before=b"", after=b"")

    @property
    def sentence(self) -> str:
        """What tells it from its neighbours."""
        settings = self.asked.settings
        text = tr("{scale}×, strength {strength}, seed {seed}").format(
            scale=number(settings.scale, 0 if settings.scale == int(settings.scale) else 1),
            strength=percent(settings.strength),
            seed=settings.seed,
        )
        return text if self.asked.tile is None else tr("One tile: {settings}").format(settings=text)

    def to_values(self) -> "dict[str, object]":
        """Fit for JSON."""
        placed = self.placed
        return {
            "when": self.when,
            "asked": asked_values(self.asked),
            "size": list(self.size),
            "seconds": self.seconds,
            "placed": [placed.group, placed.upscaled, placed.refined],
            "before": base64.b64encode(self.before).decode("ascii"),
            "after": base64.b64encode(self.after).decode("ascii"),
        }

    @classmethod
    def from_values(cls, values: Mapping[str, object], document: str) -> "Entry":
        """Raises ValueError for what `to_values` never wrote."""
        try:
            when, seconds, size, layers, asked = (
                values[name] for name in ("when", "seconds", "size", "placed", "asked")
            )
            pictures = [base64.b64decode(checked.text(values[name]), validate=True) for name in ("before", "after")]
            if not isinstance(asked, Mapping) or not isinstance(size, list) or not isinstance(layers, list):
                raise TypeError("a part is missing")
            width, height = (int(side) for side in size)
            group, upscaled, refined = (checked.text(layer) for layer in layers)
            return cls(
                checked.number(when),
                asked_from(asked),
                (width, height),
                checked.number(seconds),
                Placed(document, group, upscaled, refined),
                *pictures,
            )
        except (KeyError, TypeError, OverflowError, binascii.Error) as error:
            raise ValueError(f"no entry of a history: {error!r}") from error
