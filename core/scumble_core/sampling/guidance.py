"""Classifier-free guidance: what the prompts add, made stronger (Ho and Salimans 2022)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from scumble_core.sampling.walk import Denoiser

Conditioning = TypeVar("Conditioning")


@dataclass(frozen=True, eq=False)
class Share(Generic[Conditioning]):
    """A prompt, and how much it counts at each place: `weight` is B x 1 x H x W of the latent, None for all of it.

    The weights of all shares sum to 1.
    """

    conditioning: Conditioning
    weight: Tensor | None = None


def guided(
    denoise: Callable[[Tensor, float, Conditioning], Tensor],
    positive: Sequence[Share[Conditioning]],
    negative: Conditioning,
    scale: float,
    interval: tuple[float, float] = (0.0, float("inf")),
) -> Denoiser:
    """A denoiser that goes from the negative prompt's prediction to `scale` times as far as the positive ones'.

    At scale 1, and outside the interval of sigmas (Kynkaanniemi et al. 2024), the negative prompt isn't asked, which
    halves the cost.
    """
    low, high = interval

    def prediction(x: Tensor, sigma: float) -> Tensor:
        wanted = shared(denoise, positive, x, sigma)
        if scale == 1 or not low <= sigma <= high:
            return wanted
        unwanted = denoise(x, sigma, negative)
        return unwanted + (wanted - unwanted) * scale

    return prediction


def shared(
    denoise: Callable[[Tensor, float, Conditioning], Tensor],
    shares: Sequence[Share[Conditioning]],
    x: Tensor,
    sigma: float,
) -> Tensor:
    """The prompts' predictions, each where it counts (Bar-Tal et al. 2023, "MultiDiffusion", section 4)."""
    if len(shares) == 1:
        return denoise(x, sigma, shares[0].conditioning)
    predictions = (denoise(x, sigma, share.conditioning) * share.weight for share in shares if share.weight is not None)
    first = next(predictions)
    return sum(predictions, start=first)
