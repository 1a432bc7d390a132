"""Samplers: equal to the reference where numbers were recorded, exact where the answer is known, and pure."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.anchored import AnchoredNoise
from scumble_core.sampling.dpm_solver import dpmpp_3m_sde
from scumble_core.sampling.guidance import guided
from scumble_core.sampling.names import SAMPLER_NAMES
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.schedules import exponential
from scumble_core.sampling.sigmas import falling, nearest_timestep, training_sigmas

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
TABLE = training_sigmas()
LATENT_SCALE = 0.13025


@pytest.mark.parametrize(
    ("run", "steps", "first", "last", "cfg", "who"),
    [("phase1", 30, 0, 14, 6.5, "base"), ("phase2", 32, 15, 32, 3.5, "ref"), ("tile15", 20, 15, 20, 7.0, "base")],
)
def test_dpmpp_3m_sde_with_guidance_gives_the_references_numbers(
    run: str, steps: int, first: int, last: int, cfg: float, who: str
) -> None:
    with np.load(GOLDEN / "sampling_toy.npz") as toy, np.load(GOLDEN / "inputs.npz") as inputs:
        recorded = {name: torch.from_numpy(np.array(toy[f"{run}/{name}"])) for name in ("x", "noise", "out")}
        mu, var = (torch.from_numpy(inputs[name]) for name in ("toy_mu", "toy_var"))
        positive, negative = (torch.from_numpy(inputs[f"{who}_{sign}"]) for sign in ("pos", "neg"))
    sigmas = exponential(TABLE, steps)[first : last + 1]
    draws = iter(recorded["noise"])

    def denoise(x: Tensor, sigma: float, context: Tensor) -> Tensor:
        timestep = nearest_timestep(TABLE, torch.tensor([sigma]))
        level = TABLE[timestep].view(1, 1, 1, 1)
        scaled = x / math.sqrt(sigma**2 + 1)
        centre = mu + context[0, :4, 0][:, None, None]
        pull = (scaled * (level**2 + 1).sqrt() - centre) * level / (var + level**2)
        return x - sigma * (pull + 0.05 * torch.tanh(2 * scaled))

    out = dpmpp_3m_sde(
        guided(denoise, positive, negative, cfg), recorded["x"][0], sigmas, lambda _from, _to: next(draws)
    )
    assert (out / LATENT_SCALE - recorded["out"]).abs().max() <= 1e-5 * recorded["out"].abs().max()


# Posterior means in place of a consistency model's answers give lcm's samples too little spread, by their nature.
@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"lcm"}))
def test_samples_of_a_known_distribution_have_its_spread(name: str) -> None:
    variance = 0.5
    sigmas = falling(TABLE, 10.0, 60)
    noise = AnchoredNoise(3, 4, Bounds(0, 0, 64, 64))
    x = noise() * math.sqrt(variance + 100)
    out = SAMPLERS[name](lambda x, sigma: x * (variance / (variance + sigma**2)), x, sigmas, noise)
    assert float(out.std()) == pytest.approx(math.sqrt(variance), rel=0.08)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_a_denoiser_that_knows_the_answer_gives_it(name: str) -> None:
    answer = torch.full((1, 4, 8, 8), 0.3)
    noise = AnchoredNoise(1, 4, Bounds(-4, 7, 8, 8))
    sigmas = falling(TABLE, 0.6, 5)
    out = SAMPLERS[name](lambda _x, _sigma: answer, answer + noise() * 0.6, sigmas, noise)
    torch.testing.assert_close(out, answer)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_tiles_that_overlap_agree_under_a_pixelwise_denoiser(name: str) -> None:
    def run(bounds: Bounds) -> Tensor:
        noise = AnchoredNoise(9, 4, bounds)
        x = noise()
        return SAMPLERS[name](lambda x, sigma: x / (1 + sigma**2), x, falling(TABLE, 1.0, 6), noise)

    left, right = run(Bounds(0, 0, 24, 16)), run(Bounds(16, 4, 24, 16))
    torch.testing.assert_close(left[..., 4:, 16:], right[..., :12, :8], rtol=0, atol=0)


def test_guidance_asks_the_negative_prompt_only_where_it_matters() -> None:
    asked: list[str] = []

    def denoise(x: Tensor, _sigma: float, prompt: str) -> Tensor:
        asked.append(prompt)
        return x + (1 if prompt == "cat" else 0)

    x = torch.zeros(1, 1, 2, 2)
    assert float(guided(denoise, "cat", "dog", 5.0)(x, 1.0)[0, 0, 0, 0]) == 5
    assert asked == ["cat", "dog"]
    asked.clear()
    guided(denoise, "cat", "dog", 1.0)(x, 1.0)
    guided(denoise, "cat", "dog", 5.0, lowest_sigma=0.3)(x, 0.2)
    assert asked == ["cat", "cat"]


def test_the_names_that_a_request_may_use_are_those_there_are() -> None:
    assert sorted(SAMPLER_NAMES) == sorted(SAMPLERS)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpmpp_2m", 2), ("uni_pc", 2)])
def test_twice_the_steps_leave_an_error_smaller_by_the_order(name: str, order: int) -> None:
    """Data of variance 0.5 have a probability flow that is known: x falls as the root of 0.5 + sigma^2."""
    variance, highest, lowest = 0.5, 5.0, 0.05

    def error(count: int) -> float:
        sigmas = torch.linspace(math.log(highest), math.log(lowest), count + 1, dtype=torch.float64).exp()
        seen: list[Tensor] = []

        def denoise(x: Tensor, sigma: float) -> Tensor:
            if sigma <= lowest * 1.0001:
                seen.append(x)
            return x * (variance / (variance + sigma**2))

        start = torch.ones(1, 1, 1, 1, dtype=torch.float64)
        SAMPLERS[name](denoise, start, torch.cat([sigmas, sigmas.new_zeros(1)]), lambda _a, _b: start)
        exact = math.sqrt((variance + lowest**2) / (variance + highest**2))
        return abs(float(seen[0]) - exact)

    assert error(20) / error(40) > 2**order * 0.75
