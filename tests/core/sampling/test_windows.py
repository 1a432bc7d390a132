"""A latent in windows: what acts place by place can't tell windows from the whole."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from scumble_core.picture.geometry import Extent
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.sampling.windows import mapped, merged, windows_of


@st.composite
def grids(draw: st.DrawFn) -> TileGrid:
    unit = draw(st.sampled_from([4, 8, 16]))
    side = draw(st.integers(4, 12)) * unit
    overlap = draw(st.integers(1, side // unit // 2)) * unit
    extent = Extent(draw(st.integers(1, 400)), draw(st.integers(1, 400)))
    return plan_tiles(extent, TileLimits(unit, overlap, side, side * side, 4.0))


def size(grid: TileGrid, unit: int) -> tuple[int, int]:
    return (grid.rows[-1] + grid.tile.height) // unit, (grid.columns[-1] + grid.tile.width) // unit


@given(grids(), st.sampled_from([1, 2, 4]))
@settings(deadline=None)
def test_weights_sum_to_one_everywhere(grid: TileGrid, unit: int) -> None:
    total = torch.zeros(size(grid, unit), dtype=torch.float64)
    for window in windows_of(grid, unit):
        assert (window.weight >= 0).all()
        total[window.bounds.slices] += window.weight
    assert (total - 1).abs().max() <= 1e-6


@given(grids(), st.integers(0, 99))
@settings(deadline=None)
def test_a_denoiser_that_acts_place_by_place_is_the_same_when_merged(grid: TileGrid, seed: int) -> None:
    x = torch.randn(1, 3, *size(grid, 4), generator=torch.Generator().manual_seed(seed))
    windows = windows_of(grid, 4)

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        return torch.sin(x) / (1 + sigma)

    both = merged([denoise] * len(windows), windows)(x, 0.7)
    torch.testing.assert_close(both, denoise(x, 0.7), rtol=0, atol=1e-6)


def test_each_window_is_asked_with_its_own_denoiser() -> None:
    windows = windows_of(TileGrid(Extent(16, 8), (0, 8), (0,)), 4)
    out = merged([lambda x, _: x + 1, lambda x, _: x + 3], windows)(torch.zeros(1, 1, 2, 6), 1.0)[0, 0, 0]
    assert out[:2].tolist() == [1, 1] and out[4:].tolist() == [3, 3]
    assert 1 < out[2] < out[3] < 3


@pytest.mark.parametrize("factor", [2, 4])
@given(grid=grids(), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=15)
def test_a_codec_without_neighbours_makes_the_round_trip_in_windows(factor: int, grid: TileGrid, seed: int) -> None:
    pixels = torch.rand(2, 3, *size(grid, 1), generator=torch.Generator().manual_seed(seed))
    fine, coarse = windows_of(grid, 1), windows_of(grid, factor)
    latents = mapped(lambda part: pixel_unshuffle(part, factor), pixels, fine, coarse)
    torch.testing.assert_close(latents, pixel_unshuffle(pixels, factor), rtol=0, atol=1e-6)
    back = mapped(lambda part: pixel_shuffle(part, factor), latents, coarse, fine)
    torch.testing.assert_close(back, pixels, rtol=0, atol=1e-6)
