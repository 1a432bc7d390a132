"""Keep tiles to what the picture shows: a ControlNet is shown each tile while that is walked."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from scumble_core.models.interface import Conditioning, Control

Denoise = Callable[[Tensor, float, Conditioning], Tensor]


class Steers(Protocol):
    """A ControlNet."""

    def control(self, pixels: Tensor, strength: float) -> Control:
        """What steers a batch to these pixels, B x 3 x H x W in 0 to 1."""


@dataclass(frozen=True, eq=False)
class Steering:
    """How a pass is steered. `until`: the sigma below which tiles go on unsteered."""

    net: Steers
    strength: float
    until: float = 0.0

    def of(self, denoise: Denoise, pixels: Tensor) -> Denoise:
        """The denoiser for tiles with these pixels."""
        control = self.net.control(pixels, self.strength)

        def steered(x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
            return denoise(x, sigma, conditioning.steered(control) if sigma >= self.until else conditioning)

        return steered


def steered_until(sigmas: tuple[float, ...], end: float) -> float:
    """The sigma at this share of a walk that ends in 0, in log between its first and its last step: 0 at the end."""
    if end >= 1:
        return 0.0
    first, last = sigmas[0], sigmas[-2]
    # At 0 nothing is steered, not even the first step.
    if end <= 0:
        return math.inf
    # A hair below, so that a step at this very sigma is steered whatever the rounding.
    return math.exp(math.log(first) + end * (math.log(last) - math.log(first))) * (1 - 1e-9)
