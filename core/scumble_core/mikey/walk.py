"""One phase of the reference node "Mikey Sampler Tiled" on one latent, as its engine runs it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from scumble_core.mikey.noise import first_noise, noise_source, shifted_seed
from scumble_core.mikey.phases import Phase
from scumble_core.mikey.slicing import phase_sigmas
from scumble_core.sampling.guidance import Share, guided
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.walk import Denoiser, NoiseSource, Sampler

Conditioning = TypeVar("Conditioning")


@dataclass(frozen=True, eq=False)
class Walk:
    """A sampler, ready to go: the noisy latent it starts from, the sigmas it walks down, the noise it draws."""

    sampler: Sampler
    x: Tensor
    sigmas: Tensor
    noise: NoiseSource

    def run(self, denoise: Denoiser) -> Tensor:
        """The latent at the walk's end."""
        return self.sampler(denoise, self.x, self.sigmas, self.noise)


def start_walk(latent: Tensor, phase: Phase, seed: int, table: Tensor) -> Walk | None:
    """The phase's walk from this latent, or None where the phase leaves it as it is.

    `latent`: B x C x H x W, float32, of about unit variance, or with the noise that the phase before left in it.
    `seed`: the job's, 0 to 2^64-1. `table`: the model's training sigmas.
    """
    sigmas = phase_sigmas(table, phase)
    if sigmas is None:
        return None
    seed = shifted_seed(seed, phase.seed_offset)
    x = latent
    if phase.adds_noise:
        noise = first_noise(seed, tuple(latent.shape)).to(latent.device)
        x = latent + noise * _noise_scale(sigmas[0], table)
    return Walk(SAMPLERS[phase.sampler], x, sigmas, noise_source(phase.sampler, latent, sigmas, seed))


def run_phase(
    denoise: Callable[[Tensor, float, Conditioning], Tensor],
    positive: Conditioning,
    negative: Conditioning,
    latent: Tensor,
    phase: Phase,
    seed: int,
    table: Tensor,
) -> Tensor:
    """The latent after the phase. Guidance is applied at every sigma; arguments are `start_walk`'s."""
    walk = start_walk(latent, phase, seed, table)
    return latent if walk is None else walk.run(guided(denoise, [Share(positive)], negative, phase.cfg))


def _noise_scale(sigma: Tensor, table: Tensor) -> float:
    """Sigma itself, but at the table's top the whole variance: there the latent is taken for nothing but noise."""
    highest = float(table[-1])
    if float(sigma) > highest or math.isclose(float(sigma), highest, rel_tol=1e-5):
        return float(torch.sqrt(1 + sigma**2))
    return float(sigma)
