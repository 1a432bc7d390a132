"""A phase as a whole: recorded walks, noise to the bit, and its edges."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from scumble_core.mikey.noise import BrownianNoise, first_noise, noise_source, shifted_seed
from scumble_core.mikey.phases import Phase, Settings, first_phases, tile_phase
from scumble_core.mikey.walk import run_phase, start_walk
from scumble_core.sampling.names import SAMPLER_NAMES
from scumble_core.sampling.sigmas import training_sigmas

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
TABLE = training_sigmas(torch.float64)
LARGEST_SEED = 2**64 - 1


def _zero(x: Tensor, _sigma: float, _prompt: str) -> Tensor:
    return torch.zeros_like(x)


def _tile(sampler: str, first: int, steps: int = 20) -> Phase:
    return Phase("base", sampler, "exponential", steps, 7.0, first, steps)


def test_the_first_noise_is_the_references() -> None:
    with np.load(GOLDEN / "inputs.npz") as golden:
        seed = int(golden["seed"])
        for key, own in {"": seed, "0": 0, "max": LARGEST_SEED, "_batch2": seed}.items():
            expected = golden[f"noise_seed{key}"]
            np.testing.assert_array_equal(first_noise(own, expected.shape).numpy(), expected)


@pytest.mark.parametrize("run", ["phase1", "phase2", "tile15"])
def test_the_brownian_increments_are_the_references_in_any_order(run: str) -> None:
    with np.load(GOLDEN / "sampling_toy.npz") as golden:
        pairs, expected, tree, seed = (
            golden[f"{run}/{item}"] for item in ("noise_sigma_pairs", "noise", "tree", "tree_seed")
        )
    noise = BrownianNoise(expected.shape[1:], torch.from_numpy(tree), int(seed))
    found = [noise(*pair).numpy() for pair in pairs.tolist()]
    np.testing.assert_array_equal(np.stack(found), expected)
    again = BrownianNoise(expected.shape[1:], torch.from_numpy(tree), int(seed))
    np.testing.assert_array_equal(again(*pairs[-1].tolist()).numpy(), expected[-1])


def test_a_walk_from_the_top_takes_the_latent_for_pure_noise() -> None:
    phase = first_phases("mikey", Settings())[0]
    with np.load(GOLDEN / "sampling_toy.npz") as toy, np.load(GOLDEN / "inputs.npz") as inputs:
        latent, seed = torch.from_numpy(inputs["lat_empty"]), int(inputs["seed"])
        expected = torch.from_numpy(toy["phase1/x"][0])
    walk = start_walk(latent, phase, seed, TABLE)
    torch.testing.assert_close(walk.x, expected, rtol=1e-6, atol=1e-6)
    assert float((walk.x / first_noise(seed, tuple(latent.shape))).mean()) == pytest.approx(
        (1 + 14.6146**2) ** 0.5, 1e-5
    )


@pytest.mark.parametrize("sampler", SAMPLER_NAMES)
@pytest.mark.parametrize("seed", [0, LARGEST_SEED])
def test_every_sampler_walks_with_any_seed_and_the_same_seed_gives_the_same(sampler: str, seed: int) -> None:
    latent = first_noise(5, (2, 4, 6, 7))
    first, again, other = (
        run_phase(lambda x, sigma, _p: x / (1 + sigma**2), "a", "b", latent, _tile(sampler, 15), own, TABLE)
        for own in (seed, seed, 7)
    )
    assert torch.isfinite(first).all() and first.shape == latent.shape
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("sampler", ["dpmpp_3m_sde", "dpmpp_sde", "euler_ancestral", "lcm"])
def test_a_single_last_step_needs_no_noise_of_its_own(sampler: str) -> None:
    latent = torch.ones(1, 4, 4, 4)
    out = run_phase(_zero, "a", "b", latent, _tile(sampler, 19), 1, TABLE)
    torch.testing.assert_close(out, torch.zeros_like(latent), atol=1e-6, rtol=0)


def test_a_phase_with_nothing_to_do_returns_its_latent() -> None:
    latent = torch.ones(1, 4, 4, 4)
    assert run_phase(_zero, "a", "b", latent, _tile("euler", 20), 1, TABLE) is latent


def test_guidance_counts_at_every_sigma() -> None:
    asked: list[tuple[str, float]] = []

    def denoise(x: Tensor, sigma: float, prompt: str) -> Tensor:
        asked.append((prompt, sigma))
        return x

    run_phase(denoise, "cat", "dog", torch.zeros(1, 4, 4, 4), tile_phase("mikey", Settings()), 1, TABLE)
    assert [prompt for prompt, _sigma in asked] == ["cat", "dog"] * 5


def test_the_second_pass_of_base_only_draws_from_the_next_seed_which_wraps() -> None:
    second = first_phases("mikey-base-only", Settings())[1]
    latent = torch.zeros(1, 4, 4, 4)
    walks = [start_walk(latent, second, seed, TABLE) for seed in (4, LARGEST_SEED)]
    assert [walk.noise.seed for walk in walks] == [5, 0]
    assert all(torch.equal(walk.x, latent) for walk in walks)
    assert shifted_seed(LARGEST_SEED, 1) == 0


def test_ancestral_samplers_draw_from_the_next_seed() -> None:
    latent, sigmas = torch.zeros(1, 4, 4, 4), torch.tensor([2.0, 1.0, 0.0])
    drawn = noise_source("euler_ancestral", latent, sigmas, 41)(2.0, 1.0)
    assert torch.equal(drawn, first_noise(42, (1, 4, 4, 4)))
