"""The models that are measured with: the starters, one of fixed cost, or a full-size SDXL of random weights."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, cast

import torch
from benchmarks.stub_models import StubModel, StubUpscaler
from torch import Tensor

from scumble_core.cli.measuring import Stopwatch
from scumble_core.models.additions import NOTHING, Additions
from scumble_core.models.cache import ModelCache
from scumble_core.models.device import Device
from scumble_core.models.interface import Conditioning, LatentModel
from scumble_core.models.library import NONE
from scumble_core.models.upscalers.network import Upscaler

Kind = Literal["starter", "stub", "sdxl"]
KINDS: tuple[Kind, ...] = ("stub", "starter", "sdxl")


@dataclass(frozen=True)
class Cost:
    """Seconds that a call takes, and more for each megapixel of its picture."""

    call: float
    megapixel: float

    def spend(self, pixels: float) -> None:
        """It sleeps: what else the machine does changes nothing, and it takes nothing from the pipeline's own work,
        as a graphics card doesn't.
        """
        time.sleep(self.call + self.megapixel * pixels / 1e6)


class CostlyModel(StubModel):
    """In SDXL's shapes; each call of network and autoencoder costs the same."""

    def __init__(self, cost: Cost) -> None:
        super().__init__(Stopwatch())
        self._cost = cost

    def encode(self, pixels: Tensor) -> Tensor:
        self._cost.spend(pixels.numel() / 3)
        return super().encode(pixels)

    def decode(self, latents: Tensor) -> Tensor:
        self._cost.spend(self._pixels(latents))
        return super().decode(latents)

    def denoise(self, x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
        self._cost.spend(self._pixels(x))
        return super().denoise(x, sigma, conditioning)

    def _pixels(self, latents: Tensor) -> float:
        return latents.numel() / self.facts.channels * self.facts.factor**2


class CostlyUpscaler(StubUpscaler):
    """A call costs the same, by the pixels it is given."""

    def __init__(self, cost: Cost) -> None:
        super().__init__(Stopwatch())
        self._cost = cost

    def __call__(self, pixels: Tensor) -> Tensor:
        self._cost.spend(pixels.numel() / 3)
        return super().__call__(pixels)


class CostlyModels(ModelCache):
    """These, whatever is asked for."""

    def __init__(self, cost: Cost) -> None:
        super().__init__(Device("cpu", torch.float32))
        self._model, self._enlarger = CostlyModel(cost), CostlyUpscaler(cost)

    def latent_model(self, base: str, refiner: str = NONE, additions: Additions = NOTHING) -> LatentModel:  # noqa: ARG002
        return self._model

    def upscaler(self, upscaler: str) -> Upscaler:  # noqa: ARG002
        return cast(Upscaler, self._enlarger)


def models_of(kind: Kind, cost: Cost) -> ModelCache:
    """Fresh ones. A stub has nothing to compute on several threads, which would only wait for each other."""
    if kind != "stub":
        return ModelCache()
    torch.set_num_threads(1)
    return CostlyModels(cost)
