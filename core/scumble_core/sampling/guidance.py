"""Classifier-free guidance: what the prompt adds, made stronger (Ho and Salimans 2022)."""

from collections.abc import Callable
from typing import TypeVar

from torch import Tensor

from scumble_core.sampling.walk import Denoiser

Conditioning = TypeVar("Conditioning")


def guided(
    denoise: Callable[[Tensor, float, Conditioning], Tensor],
    positive: Conditioning,
    negative: Conditioning,
    scale: float,
    lowest_sigma: float = 0.0,
) -> Denoiser:
    """A denoiser that goes from the negative prompt's prediction to `scale` times as far as the positive one's.

    At scale 1, and below `lowest_sigma` (where guidance changes little: Kynkaanniemi et al. 2024), the negative
    prompt isn't asked, which halves the cost.
    """

    def prediction(x: Tensor, sigma: float) -> Tensor:
        wanted = denoise(x, sigma, positive)
        if scale == 1 or sigma < lowest_sigma:
            return wanted
        unwanted = denoise(x, sigma, negative)
        return unwanted + (wanted - unwanted) * scale

    return prediction
