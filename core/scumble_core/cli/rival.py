"""The reference algorithm beside Scumble's own, fairly: the same models, upscaler and starting sigma for both.

The reference is the node "Mikey Sampler Tiled" as the preset `mikey-advanced-base-only` runs it: its boxes, its 20
steps of which the last ones are walked, its guidance of 7 in every step. The first phase and the complexity rule are
left out: the one would only add to its work, the other starts tiles at different sigmas.
"""

from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from scumble_core.models.facts import ModelFacts
from scumble_core.request import RefineRequest

STEPS, GUIDANCE = 20, 7.0


@dataclass(frozen=True)
class Pair:
    """Two requests that start their tiles at the same `sigma`."""

    own: RefineRequest
    reference: RefineRequest
    sigma: float


def pair(own: RefineRequest, facts: ModelFacts, reference_tile: int = 1024) -> Pair:
    """Scumble's request with its strength moved to the reference's nearest starting sigma, and the reference's.

    `facts`: of the request's base; `reference_tile`: the reference's tile in pixels, a multiple of 64.
    """
    import torch

    from scumble_core.sampling.schedules import SCHEDULES

    levels = facts.levels
    sigmas = SCHEDULES["exponential"](torch.from_numpy(levels), STEPS).double().numpy()[:-1]
    wanted = np.interp(own.strength * facts.reach * (len(levels) - 1), np.arange(len(levels)), np.log(levels))
    first = int(np.abs(np.log(sigmas) - wanted).argmin())
    sigma = float(sigmas[first])
    strength = float(np.interp(np.log(sigma), np.log(levels), np.arange(len(levels)))) / (len(levels) - 1)
    values = {
        "preset": "mikey-advanced-base-only", "base": own.base, "upscaler": own.upscaler, "scale": own.scale,
        "seed": own.seed, "prompt": own.prompt, "negative_prompt": own.negative_prompt, "denoise_image": 0.0,
        "steps": STEPS, "cfg": GUIDANCE, "tiler_denoise": _denoise(first), "tile_size": reference_tile,
    }  # fmt: skip
    return Pair(replace(own, strength=min(1.0, strength / facts.reach)), RefineRequest.from_dict(values), sigma)


def _denoise(first: int) -> float:
    """The reference's slider in its steps of 0.05, where it starts at step `first`: int(20 - 20 * slider)."""
    return next(slider for slider in (each / 20 for each in count()) if int(STEPS - STEPS * slider) <= first)
