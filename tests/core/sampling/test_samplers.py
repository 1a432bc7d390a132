"""Samplers: exact where the answer is known, of their papers' order, and pure."""

import math

import pytest
import torch
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.anchored import Anchor, AnchoredNoise
from scumble_core.sampling.guidance import Share, guided
from scumble_core.sampling.levels import falling, training_levels
from scumble_core.sampling.names import SAMPLER_NAMES
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.sampling.walk import Denoiser


def walked_from(highest: float, steps: int) -> Tensor:
    return torch.tensor(falling(training_levels(), highest, steps))


# A consistency model answers not with a mean but with where the flow from x ends: lcm has a test of its own.
@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"lcm"}))
def test_samples_of_a_known_distribution_have_its_spread(name: str) -> None:
    variance = 0.5
    sigmas = walked_from(10.0, 60)
    noise = AnchoredNoise([Anchor(Bounds(0, 0, 64, 64), 3)], 4)
    x = noise() * math.sqrt(variance + 100)
    out = SAMPLERS[name](lambda x, sigma: x * (variance / (variance + sigma**2)), x, sigmas, noise)
    assert float(out.std()) == pytest.approx(math.sqrt(variance), rel=0.08)


def _spread(name: str, denoise: Denoiser, sigmas: Tensor, start: float) -> float:
    """The exact variance of what a sampler makes of `start`'s variance, where all it does is linear.

    One run each with the start alone and with every draw alone: their squares add up, for draws are independent.
    """
    one, none = torch.ones(1, 1, 1, 1, dtype=torch.float64), torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    asked = 0

    def run(x: Tensor, draw: int) -> float:
        nonlocal asked
        asked = 0

        def noise(sigma: float, sigma_next: float) -> Tensor:
            nonlocal asked
            asked += 1
            return one if asked - 1 == draw else none

        return float(SAMPLERS[name](denoise, x, sigmas, noise))

    total = run(one, -1) ** 2 * start
    return total + sum(run(none, draw) ** 2 for draw in range(asked))


@pytest.mark.parametrize("steps", [1, 2, 4, 9])
def test_lcm_keeps_the_spread_of_a_consistency_model_in_any_number_of_steps(steps: int) -> None:
    variance = 0.5

    def end_of_flow(x: Tensor, sigma: float) -> Tensor:
        return x * math.sqrt(variance / (variance + sigma**2))

    sigmas = walked_from(10.0, steps).double()
    assert _spread("lcm", end_of_flow, sigmas, variance + 100) == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "order"),
    [("euler_ancestral", 1), ("dpmpp_2s_ancestral", 1), ("dpmpp_sde", 1), ("dpmpp_2m_sde", 2), ("dpmpp_3m_sde", 2)],
)
def test_twice_the_steps_leave_a_spread_nearer_to_the_true_one_by_the_order(name: str, order: int) -> None:
    """For data of variance 0.5 the spread at every level is known.

    Ancestral noise is a first-order matter; multistep samplers must begin with lower orders, which caps theirs at 2.
    """
    variance, highest, lowest = 0.5, 5.0, 0.3

    def error(count: int) -> float:
        sigmas = torch.linspace(math.log(highest), math.log(lowest), count + 1, dtype=torch.float64).exp()

        def denoise(x: Tensor, sigma: float) -> Tensor:
            # The last call's x is the result: what follows goes to nothing.
            return x if sigma <= lowest * 1.0001 else x * (variance / (variance + sigma**2))

        closed = torch.cat([sigmas, sigmas.new_zeros(1)])
        return abs(_spread(name, denoise, closed, variance + highest**2) - (variance + lowest**2))

    assert error(32) / error(64) > 2**order * 0.75
    assert error(64) < 0.03


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_a_denoiser_that_knows_the_answer_gives_it(name: str) -> None:
    answer = torch.full((1, 4, 8, 8), 0.3)
    noise = AnchoredNoise([Anchor(Bounds(-4, 7, 8, 8), 1)], 4)
    sigmas = walked_from(0.6, 5)
    out = SAMPLERS[name](lambda _x, _sigma: answer, answer + noise() * 0.6, sigmas, noise)
    torch.testing.assert_close(out, answer)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_tiles_that_overlap_agree_under_a_pixelwise_denoiser(name: str) -> None:
    def run(bounds: Bounds) -> Tensor:
        noise = AnchoredNoise([Anchor(bounds, 9)], 4)
        x = noise()
        return SAMPLERS[name](lambda x, sigma: x / (1 + sigma**2), x, walked_from(1.0, 6), noise)

    left, right = run(Bounds(0, 0, 24, 16)), run(Bounds(16, 4, 24, 16))
    torch.testing.assert_close(left[..., 4:, 16:], right[..., :12, :8], rtol=0, atol=0)


def test_guidance_asks_the_negative_prompt_only_where_it_matters() -> None:
    asked: list[str] = []

    def denoise(x: Tensor, _sigma: float, prompt: str) -> Tensor:
        asked.append(prompt)
        return x + (1 if prompt == "cat" else 0)

    x, cat = torch.zeros(1, 1, 2, 2), [Share("cat")]
    assert float(guided(denoise, cat, "dog", 5.0)(x, 1.0)[0, 0, 0, 0]) == 5
    assert asked == ["cat", "dog"]
    asked.clear()
    guided(denoise, cat, "dog", 1.0)(x, 1.0)
    guided(denoise, cat, "dog", 5.0, (0.3, 2.0))(x, 0.2)
    guided(denoise, cat, "dog", 5.0, (0.3, 2.0))(x, 2.5)
    assert asked == ["cat", "cat", "cat"]


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
