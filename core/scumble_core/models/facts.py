"""What the planner must know of a model before it is loaded. No torch here: `scumble plan` starts at once."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scumble_core.sampling.levels import falling, flow_levels, trailing, training_levels

Family = str


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
    # How a walk's steps are spread: evenly in log sigma, or evenly in training time.
    spacing: Literal["log", "trailing"] = "log"
    # The noise levels it was trained on: SD's, those without signal at the end, or a flow's with this shift.
    zero_snr: bool = False
    flow_shift: float | None = None
    # Told its guidance as a number (Flux dev), and never asked about a negative prompt.
    told_guidance: bool = False

    @property
    def levels(self) -> NDArray[np.float64]:
        """The training sigmas, rising: strength is a share of the way up these."""
        return training_levels(self.zero_snr) if self.flow_shift is None else flow_levels(self.flow_shift)

    def spread(self, highest: float, steps: int) -> tuple[float, ...]:
        """The sigmas of a walk that no schedule was named for: `steps` from `highest` down, then 0."""
        return (trailing if self.spacing == "trailing" else falling)(self.levels, highest, steps)


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
