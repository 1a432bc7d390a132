"""What a network predicts, and how its answer becomes x0.

Samplers walk in variance-exploding form, x = x0 + sigma * eps. Each descriptor here says how a network of one kind sees
such an x: at what scale, and with what time; and what its output says of x0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from scumble_core.sampling.levels import LAST_FLOW_TIME, TRAINING_STEPS
from scumble_core.sampling.sigmas import nearest_timestep


class Prediction(Protocol):
    """How a network sees a noisy latent. Latents are B x C x H x W, float32; sigma is above 0."""

    @property
    def table(self) -> Tensor:
        """The sigmas it was trained on, rising."""

    def scaled(self, x: Tensor, sigma: float) -> Tensor:
        """The latent as the network is shown it."""

    def time(self, sigma: float) -> Tensor:
        """What the network is told of the noise level: one number."""

    def x0(self, x: Tensor, sigma: float, output: Tensor) -> Tensor:
        """The clean latent, from the network's output for `scaled(x, sigma)`."""


@dataclass(frozen=True, eq=False)
class _VariancePreserving:
    """SD 1.5, SDXL and their kin: shown x at unit variance, told the training step nearest in log sigma."""

    table: Tensor

    def scaled(self, x: Tensor, sigma: float) -> Tensor:
        return x / math.sqrt(sigma**2 + 1)

    def time(self, sigma: float) -> Tensor:
        return nearest_timestep(self.table, torch.tensor([sigma]))


class Epsilon(_VariancePreserving):
    """The network predicts the noise (Ho et al. 2020)."""

    def x0(self, x: Tensor, sigma: float, output: Tensor) -> Tensor:
        return x - sigma * output


class Velocity(_VariancePreserving):
    """The network predicts v, of noise and picture, at right angles to what it is shown (Salimans and Ho 2022)."""

    def x0(self, x: Tensor, sigma: float, output: Tensor) -> Tensor:
        return (x / (sigma**2 + 1)) - output * (sigma / math.sqrt(sigma**2 + 1))


@dataclass(frozen=True, eq=False)
class Flow:
    """Flow matching: shown (1 - t) x0 + t eps, told t times 1,000, predicts eps - x0 (Lipman et al. 2023).

    In variance-exploding form sigma is t / (1 - t), and what the network is shown is x * (1 - t).
    """

    table: Tensor

    def scaled(self, x: Tensor, sigma: float) -> Tensor:
        return x / (1 + sigma)

    def time(self, sigma: float) -> Tensor:
        return torch.tensor([TRAINING_STEPS * sigma / (1 + sigma)])

    def x0(self, x: Tensor, sigma: float, output: Tensor) -> Tensor:
        return (x - sigma * output) / (1 + sigma)


def flow_sigmas(shift: float = 1.0, steps: int = TRAINING_STEPS, dtype: torch.dtype = torch.float32) -> Tensor:
    """A flow's table, rising: t in even steps up to 1, shifted towards noise (Esser et al. 2024, section 5.3.2).

    The shift t' = s t / (1 + (s - 1) t) is, in sigma = t / (1 - t), just a factor s. The last level is capped.
    """
    time = torch.linspace(1 / steps, 1, steps, dtype=torch.float64).clamp(max=LAST_FLOW_TIME)
    return (shift * time / (1 - time)).to(dtype)


Conditioning = TypeVar("Conditioning")
# Shown a scaled latent, told a time (one number) and a conditioning: an answer of the latent's shape, of any dtype.
Network = Callable[[Tensor, Tensor, Conditioning], Tensor]


class NetworkDenoiser(Generic[Conditioning]):
    """Any network as a denoiser in variance-exploding form: (x, sigma, conditioning) -> x0, in float32."""

    def __init__(self, network: Network[Conditioning], prediction: Prediction) -> None:
        self._network = network
        self._prediction = prediction

    def __call__(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        shown = self._prediction.scaled(x, sigma)
        output = self._network(shown, self._prediction.time(sigma).to(x.device), conditioning)
        return self._prediction.x0(x, sigma, output.float())
