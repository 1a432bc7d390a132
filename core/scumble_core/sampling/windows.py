"""A latent larger than the model takes at once: predictions made window by window, merged with smooth weights.

Bar-Tal et al. 2023, "MultiDiffusion", with the weights of "Mixture of Diffusers" (Jimenez 2023).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from scumble_core.picture.geometry import Bounds
from scumble_core.picture.weights import axis_weights
from scumble_core.plan.tiles import TileGrid
from scumble_core.sampling.walk import Denoiser


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a latent (or of a picture), and how much it counts in each of its places: `weight` is H x W."""

    bounds: Bounds
    weight: Tensor


def windows_of(grid: TileGrid, unit: int, device: str = "cpu") -> tuple[Window, ...]:
    """The grid's tiles as windows, in units of `unit` pixels; everywhere the weights sum to 1."""
    columns, rows = (tuple(start // unit for start in starts) for starts in (grid.columns, grid.rows))
    width, height = grid.tile.width // unit, grid.tile.height // unit
    across, down = axis_weights(columns, width), axis_weights(rows, height)
    return tuple(
        Window(Bounds(x, y, width, height), torch.from_numpy(down[y][:, None] * across[x][None, :]).to(device))
        for y in rows
        for x in columns
    )


def merged(denoisers: Sequence[Denoiser], windows: Sequence[Window]) -> Denoiser:
    """One denoiser for the whole; `denoisers` has one for each window."""

    def prediction(x: Tensor, sigma: float) -> Tensor:
        total = torch.zeros_like(x)
        for denoise, window in zip(denoisers, windows, strict=True):
            rows, columns = window.bounds.slices
            total[..., rows, columns] += denoise(x[..., rows, columns], sigma) * window.weight
        return total

    return prediction


def mapped(
    function: Callable[[Tensor], Tensor], values: Tensor, inside: Sequence[Window], outside: Sequence[Window]
) -> Tensor:
    """`function` of B x C x H x W, window by window: `inside` lie on what goes in, `outside` on what comes out."""
    total: Tensor | None = None
    for taken, given in zip(inside, outside, strict=True):
        rows, columns = taken.bounds.slices
        part = function(values[..., rows, columns])
        if total is None:
            width = max(window.bounds.right for window in outside)
            height = max(window.bounds.bottom for window in outside)
            total = part.new_zeros(*part.shape[:2], height, width)
        rows, columns = given.bounds.slices
        total[..., rows, columns] += part * given.weight.to(part.device)
    assert total is not None
    return total
