"""What the core takes: its presets, here called methods, with the fields, ranges and choices of each.

The plugin can't import the core, so this is a copy; tests/krita_plugin/test_limits.py holds it against the core's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Range = tuple[float, float]
SCUMBLE = "scumble"

RANGES: "Mapping[str, Range]" = {
    "scale": (0.1, 10.0),
    "strength": (0.0, 1.0),
    "seed": (0, 2**64 - 1),
    "tile_size": (128, 4096),
    "overlap": (16, 1024),
    "steps": (1, 1000),
    "guidance": (1.0, 30.0),
    "first_pass_strength": (0.0, 1.0),
    "colour_lock": (0.0, 1.0),
    "controlnet_strength": (0.0, 2.0),
    "controlnet_end": (0.0, 1.0),
    "grow": (0, 512),
    "soft_edge": (0, 256),
}
# At 0, or "", the model chooses; so these are left out of the request then.
ZERO_IS_AUTO = frozenset({"tile_size", "overlap", "steps", "guidance"})
EMPTY_IS_AUTO = frozenset({"sampler", "schedule"})
CHOICES: "Mapping[str, tuple[str, ...]]" = {
    "sampler": (
        "euler", "euler_ancestral", "heun", "ddim", "lcm", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_2m",
        "dpmpp_2m_sde", "dpmpp_3m_sde", "uni_pc",
    ),
    "schedule": ("exponential", "karras", "normal", "simple", "sgm_uniform", "ddim_uniform", "beta"),
}  # fmt: skip

_ALWAYS = frozenset(
    {
        "scale", "strength", "seed", "prompt", "negative_prompt", "base", "refiner", "upscaler", "loras", "vae", "grow",
        "soft_edge",
    }
)  # fmt: skip
_SAMPLING = frozenset({"first_pass_strength", "steps", "guidance", "sampler", "schedule"})


@dataclass(frozen=True)
class Method:
    """One of the core's presets.

    `takes`: which of the panel's fields may be asked of it; None for all. `ranges` and `multiples`: where they differ.
    """

    title: str
    takes: "frozenset[str] | None" = None
    ranges: "Mapping[str, Range]" = field(default_factory=dict)
    multiples: "Mapping[str, int]" = field(default_factory=dict)

    def allows(self, name: str) -> bool:
        return self.takes is None or name in self.takes

    def range(self, name: str) -> Range:
        return self.ranges.get(name, RANGES[name])


_REFERENCE_RANGES: "Mapping[str, Range]" = {"guidance": (0.0, 1000.0)}
METHODS: "Mapping[str, Method]" = {
    SCUMBLE: Method("Scumble"),
    "mikey": Method("Mikey Sampler Tiled", _ALWAYS),
    "mikey-base-only": Method("Mikey Tiled, base only", _ALWAYS),
    "mikey-advanced": Method("Mikey Tiled, advanced", _ALWAYS | _SAMPLING | {"complexity"}, _REFERENCE_RANGES),
    "mikey-advanced-base-only": Method(
        "Mikey Tiled, advanced, base only",
        _ALWAYS | _SAMPLING | {"tile_size"},
        {**_REFERENCE_RANGES, "tile_size": (256, 4096)},
        {"tile_size": 64},
    ),
}


def within(method: Method, name: str, value: float) -> float:
    """The nearest value that the method takes. A whole number stays one."""
    low, high = method.range(name)
    step = method.multiples.get(name, 1)
    if step > 1:
        value = round(value / step) * step
    kept = min(max(value, low), high)
    return int(kept) if isinstance(value, int) else float(kept)


def widest(name: str) -> Range:
    """The range that holds every method's."""
    ranges = [method.range(name) for method in METHODS.values()]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
