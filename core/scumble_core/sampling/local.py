"""Strength that differs from place to place: each place joins the walk at a sigma of its own.

Levin and Fried 2023, "Differential diffusion", in variance-exploding form: a place that has not joined yet is told that
its clean value is right, and so only loses noise. Here a place joins within a step as far as the step lies below its
sigma, so that the result changes smoothly with the map, however few the steps.
"""

import math

import torch
from torch import Tensor

from scumble_core.sampling.walk import Denoiser


def locally(denoise: Denoiser, clean: Tensor, starts: Tensor, sigmas: tuple[float, ...]) -> Denoiser:
    """`clean`: B x C x H x W, what was there; `starts`: B x 1 x H x W, the sigma at which each place joins, 0 never."""

    def prediction(x: Tensor, sigma: float) -> Tensor:
        following = max((level for level in sigmas if level < sigma * (1 - 1e-6)), default=0.0)
        share = joined(starts, sigma, following)
        # lerp is exact where the share is 0 or 1.
        return torch.lerp(clean, denoise(x, sigma), share)

    return prediction


def joined(starts: Tensor, sigma: float, following: float) -> Tensor:
    """The share of the step from `sigma` to `following` that lies below each place's own sigma, 0 to 1, in log.

    The last step, to 0, has no log: there the share is that of the sigmas themselves. A start that equals `sigma` but
    for float32's rounding has all of the step.
    """
    if following <= 0:
        share = starts / sigma
    else:
        share = torch.log(starts.clamp(min=1e-12) / following) / math.log(sigma / following)
    # Not by that alone: its rounding would leave a trace of `clean`.
    return torch.where(starts >= sigma * (1 - 1e-6), 1.0, share.clamp(0, 1))
