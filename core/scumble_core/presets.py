"""What each preset is: the reference node's four forms, and Scumble's own way, which is the default.

The `mikey` presets take the inputs of the public ComfyUI nodes "Mikey Sampler Tiled", "... Base Only", "... Advanced"
and "... Advanced Base Only", with their ranges; docs/presets.md names each. No torch here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool
Range = tuple[float, float]

SCUMBLE = "scumble"

# Every preset takes these.
_COMMON = frozenset(
    {
        "preset", "start", "scale", "strength", "seed", "prompt", "negative_prompt", "base", "refiner", "upscaler",
        "loras", "vae", "keep_size", "origin_x", "origin_y", "grow", "soft_edge",
    }
)  # fmt: skip
_SAMPLING = frozenset({"first_pass_strength", "steps", "guidance", "sampler", "schedule"})
_REFERENCE_SAMPLING: Mapping[str, Scalar] = {
    "first_pass_strength": 1.0,
    "steps": 30,
    "guidance": 6.5,
    "sampler": "dpmpp_3m_sde",
    "schedule": "exponential",
}
_REFERENCE_RANGES: Mapping[str, Range] = {"steps": (1, 1000), "guidance": (0.0, 1000.0)}


@dataclass(frozen=True)
class Walking:
    """The sampler and the steps of a walk that starts at sigma `below` or lower.

    A stronger walk takes the model's own number of steps: fewer were not measured there.
    """

    sampler: str
    steps: int
    below: float = 1.0


@dataclass(frozen=True)
class Preset:
    """A way to run a job.

    `inputs`: the request's fields it takes, None for all; `defaults` and `ranges`: where they differ from the request's
    own; `multiples`: what a field must be a multiple of. A field in `ranges` can't be left at 0 for "choose for me".
    `walks`: how models of a family are walked where the request leaves that open and the model's own way is longer.
    """

    title: str
    inputs: frozenset[str] | None = None
    defaults: Mapping[str, Scalar] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    multiples: Mapping[str, int] = field(default_factory=dict)
    walks: Mapping[str, Walking] = field(default_factory=dict)


# Nearer to the solution than the reference's walk of 9 or 11 steps (docs/performance.md, "Fewer steps").
_FEW_STEPS: Mapping[str, Walking] = {
    "starter": Walking("dpmpp_2m", 4),
    **{family: Walking("dpmpp_2m", 6) for family in ("sd15", "sd21", "sdxl")},
}

PRESETS: Mapping[str, Preset] = {
    SCUMBLE: Preset("Scumble: anchored noise, no seams", walks=_FEW_STEPS),
    "mikey": Preset(
        "Mikey Sampler Tiled", _COMMON | {"tiler_model"}, {"scale": 1.0, "tiler_model": "base", "complexity": True}
    ),
    "mikey-base-only": Preset("Mikey Sampler Tiled, base only", _COMMON, {"scale": 1.0, "complexity": True}),
    "mikey-advanced": Preset(
        "Mikey Sampler Tiled, advanced",
        _COMMON | _SAMPLING | {"tiler_model", "smooth_step", "complexity"},
        {**_REFERENCE_SAMPLING, "scale": 1.0, "tiler_model": "base", "complexity": True},
        _REFERENCE_RANGES,
    ),
    "mikey-advanced-base-only": Preset(
        "Mikey Sampler Tiled, advanced, base only",
        _COMMON | _SAMPLING | {"tile_size"},
        {**_REFERENCE_SAMPLING, "scale": 1.0, "complexity": False, "tile_size": 1024},
        {**_REFERENCE_RANGES, "tile_size": (256, 4096)},
        {"tile_size": 64},
    ),
}
