"""What the planner must know of a model before it is loaded. No torch here: `scumble plan` starts at once."""

from dataclasses import dataclass, replace
from typing import Literal

Family = Literal["starter", "sdxl", "sdxl-refiner", "sd15"]
Kind = Literal["base", "refiner", "upscaler"]


@dataclass(frozen=True)
class ModelFacts:
    """A latent model. Sizes are in pixels; `grid` is what tile sides and starts must be multiples of.

    `grid` is the whole network's stride, so that overlapping tiles meet its strides at the same phase and agree.
    """

    family: Family
    channels: int
    factor: int
    grid: int
    tile: int
    steps: int
    sampler: str
    guidance: float
    uses_prompt: bool
    # The share of the training steps that strength 1 starts from. Small models invent nothing that holds at high sigma.
    reach: float
    # Below this sigma the refiner serves, above it the base.
    handover: float
    # The sigmas between which the negative prompt is asked: outside, it changes little (below) or harms (above).
    # Kynkaanniemi et al. 2024, "Applying guidance in a limited interval", measured for SDXL.
    guided_from: float
    guided_to: float
    # Above this sigma tiles don't agree on what they draw, and their predictions are merged at each step
    # (docs/presets.md has the measurement).
    merge_above: float
    # Steps for a picture from nothing.
    generating_steps: int
    # A picture whose shorter side is smaller is refined at a larger scale, and brought back.
    smallest_side: int
    # Working memory for a megapixel of a tile, in bytes, above the weights.
    tile_bytes: float
    # Seconds for a megapixel of one model call on the slowest device we plan for; corrected while a job runs.
    seconds_per_megapixel: float


STARTER = ModelFacts(
    family="starter",
    channels=48,
    factor=4,
    grid=16,
    tile=768,
    steps=5,
    sampler="euler",
    guidance=1.0,
    uses_prompt=False,
    reach=0.4,
    handover=0.7,
    guided_from=0.0,
    guided_to=0.0,
    merge_above=1.0,
    generating_steps=30,
    smallest_side=1,
    tile_bytes=1.0e9,
    seconds_per_megapixel=2.5,
)
SDXL = ModelFacts(
    family="sdxl",
    channels=4,
    factor=8,
    grid=32,
    tile=1024,
    steps=8,
    sampler="dpmpp_2m",
    guidance=5.0,
    uses_prompt=True,
    reach=1.0,
    handover=0.72,
    guided_from=0.28,
    guided_to=5.42,
    merge_above=1.0,
    generating_steps=30,
    smallest_side=768,
    tile_bytes=6.0e9,
    seconds_per_megapixel=45.0,
)
SDXL_REFINER = replace(SDXL, family="sdxl-refiner", guidance=3.5)
SD15 = replace(
    SDXL, family="sd15", grid=64, tile=768, guidance=6.0, handover=0.0, smallest_side=512, seconds_per_megapixel=20.0
)

FACTS: dict[Family, ModelFacts] = {
    "starter": STARTER,
    "sdxl": SDXL,
    "sdxl-refiner": SDXL_REFINER,
    "sd15": SD15,
}
REFINER_OF: dict[Family, Family] = {"starter": "starter", "sdxl": "sdxl-refiner"}


@dataclass(frozen=True)
class UpscalerFacts:
    """An upscaler: how much it enlarges (None: known only once it is loaded), and its tiles in source pixels."""

    scale: int | None
    tile: int = 512
    overlap: int = 48
    seconds_per_megapixel: float = 6.0
