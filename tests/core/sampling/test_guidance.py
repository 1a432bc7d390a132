"""Guidance: prompts where they count, the negative one where it matters."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from scumble_core.sampling.guidance import Share, guided, shared


def toward(x: Tensor, sigma: float, prompt: float) -> Tensor:
    return x * (1 / (1 + sigma)) + prompt


X = torch.linspace(-1, 1, 24).reshape(1, 1, 4, 6)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=4), st.integers(0, 99))
def test_predictions_are_shared_by_weight(prompts: list[float], seed: int) -> None:
    weights = torch.rand(len(prompts), 1, 1, 4, 6, generator=torch.Generator().manual_seed(seed))
    weights /= weights.sum(0)
    together = shared(toward, [Share(*each) for each in zip(prompts, weights, strict=True)], X, 0.5)
    wanted = sum((prompt * weight for prompt, weight in zip(prompts, weights, strict=True)), start=toward(X, 0.5, 0.0))
    torch.testing.assert_close(together, wanted, rtol=0, atol=1e-5)


def test_two_regions_of_one_prompt_are_that_prompt() -> None:
    left = torch.zeros(1, 1, 4, 6)
    left[..., :3] = 1
    torch.testing.assert_close(shared(toward, [Share(2.0, left), Share(2.0, 1 - left)], X, 1.0), toward(X, 1.0, 2.0))


def test_one_prompt_is_asked_for_plainly() -> None:
    assert torch.equal(shared(toward, [Share(2.0)], X, 1.0), toward(X, 1.0, 2.0))


@given(st.floats(1, 30), st.floats(-3, 3))
def test_guidance_goes_past_the_prompt_by_its_scale(scale: float, negative: float) -> None:
    out = guided(toward, [Share(1.0)], negative, scale)(X, 1.0)
    plain = toward(X, 1.0, negative)
    torch.testing.assert_close(out, plain + scale * (toward(X, 1.0, 1.0) - plain), rtol=1e-5, atol=1e-5)


def test_both_ends_of_the_interval_belong_to_it() -> None:
    asked = []

    def denoise(x: Tensor, sigma: float, prompt: float) -> Tensor:
        asked.append((sigma, prompt))
        return toward(x, sigma, prompt)

    denoiser = guided(denoise, [Share(1.0)], -1.0, 4.0, (0.3, 2.0))
    for sigma in (0.29, 0.3, 2.0, 2.01):
        denoiser(X, sigma)
    assert [sigma for sigma, prompt in asked if prompt == -1.0] == [0.3, 2.0]
