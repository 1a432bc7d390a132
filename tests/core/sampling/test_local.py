"""Strength from place to place: exact at both ends, and without a jump between."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.anchored import Anchor, AnchoredNoise
from scumble_core.sampling.levels import falling, training_levels
from scumble_core.sampling.local import joined, locally
from scumble_core.sampling.samplers import SAMPLERS

BOX = Bounds(0, 0, 6, 5)
DETERMINISTIC = ["euler", "heun", "dpmpp_2m", "uni_pc"]


def shrinking(x: Tensor, sigma: float) -> Tensor:
    return x * (0.3 / (0.3 + sigma**2)) + 0.1


def walked(name: str, starts: Tensor, levels: tuple[float, ...], clean: Tensor, plain: bool = False) -> Tensor:
    noise = AnchoredNoise([Anchor(BOX, 4)], clean.shape[1])
    denoise = shrinking if plain else locally(shrinking, clean, starts, levels)
    x = clean + noise() * levels[0]
    return SAMPLERS[name](denoise, x, torch.tensor(levels, dtype=torch.float64), noise)


def cleaned() -> Tensor:
    return torch.linspace(-1, 1, 2 * BOX.height * BOX.width).reshape(1, 2, BOX.height, BOX.width)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@given(highest=st.floats(0.02, 14), steps=st.integers(1, 7), kind=st.sampled_from([torch.float32, torch.float64]))
@settings(max_examples=10, deadline=None)
def test_a_place_that_joins_at_the_first_sigma_or_above_walks_as_if_alone(
    name: str, highest: float, steps: int, kind: torch.dtype
) -> None:
    """To the bit, even where the map holds the sigma as float32."""
    levels, clean = falling(training_levels(), highest, steps), cleaned()
    starts = torch.full((1, 1, BOX.height, BOX.width), levels[0], dtype=torch.float32)
    starts[..., 0] = 20.0
    sigmas = torch.tensor(levels, dtype=kind)
    draws = [AnchoredNoise([Anchor(BOX, 4)], 2) for _ in range(2)]
    alone, local = (
        SAMPLERS[name](denoise, clean + noise() * levels[0], sigmas, noise)
        for denoise, noise in zip((shrinking, locally(shrinking, clean, starts, levels)), draws, strict=True)
    )
    assert torch.isfinite(local).all()
    torch.testing.assert_close(local, alone, rtol=0, atol=0)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@pytest.mark.parametrize("highest", [0.05, 0.6, 14.0])
def test_a_place_that_never_joins_comes_back_as_it_was(name: str, highest: float) -> None:
    levels, clean = falling(training_levels(), highest, 6), cleaned()
    out = walked(name, torch.zeros(1, 1, BOX.height, BOX.width), levels, clean)
    torch.testing.assert_close(out, clean, rtol=0, atol=1e-6 * (1 + highest))


@pytest.mark.parametrize("name", DETERMINISTIC)
@pytest.mark.parametrize("steps", [1, 3, 8])
def test_the_result_has_no_jump_as_the_start_rises(name: str, steps: int) -> None:
    """Starts a ten-thousandth apart give results no farther apart than a hundredth of the whole change."""
    levels, clean = falling(training_levels(), 3.0, steps), cleaned()
    base = torch.full((1, 1, BOX.height, BOX.width), 0.0)
    crossed = [*levels[:-1], 0.01, 0.5, 1.5]
    whole = (walked(name, base, levels, clean, plain=True) - clean).abs().max()
    for start in crossed:
        below = walked(name, base + start * (1 - 5e-5), levels, clean)
        above = walked(name, base + start * (1 + 5e-5), levels, clean)
        assert (above - below).abs().max() < 0.01 * whole


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_map_gives_numbers_with_any_sampler_and_any_precision(name: str, data: st.DataObject) -> None:
    levels = falling(training_levels(), data.draw(st.floats(0.0292, 14.6)), data.draw(st.integers(1, 8)))
    values = data.draw(st.lists(st.floats(0, 20, width=32), min_size=30, max_size=30))
    starts = torch.tensor(values).reshape(1, 1, BOX.height, BOX.width)
    kind = data.draw(st.sampled_from([torch.float32, torch.float64]))
    noise, clean = AnchoredNoise([Anchor(BOX, 4)], 2), cleaned()
    x = clean + noise() * levels[0]
    out = SAMPLERS[name](locally(shrinking, clean, starts, levels), x, torch.tensor(levels, dtype=kind), noise)
    assert torch.isfinite(out).all()
    assert out.abs().max() < 60  # dpmpp's extrapolation swings, but nothing runs away


@given(sigma=st.floats(0.03, 14), part=st.floats(0.01, 0.99), start=st.floats(0, 20))
def test_the_share_of_a_step_rises_from_0_at_its_end_to_1_at_its_beginning(
    sigma: float, part: float, start: float
) -> None:
    following = sigma * part
    share = float(joined(torch.tensor([start], dtype=torch.float64), sigma, following))
    if start >= sigma:
        assert share == 1
    elif start <= following:
        assert share == 0
    else:
        assert share == pytest.approx(math.log(start / following) / math.log(sigma / following), abs=1e-4)
