"""Model work on a tile that may fail: done again with less memory if that runs out, in float32 if NaN comes out.

It steps down in this order: the autoencoder in smaller windows, if it was the one that failed; networks leave the
device while they are not used; all of the model in smaller windows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from scumble_core.errors import ScumbleError
from scumble_core.models.device import free_memory, is_out_of_memory
from scumble_core.models.interface import LatentModel
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.sampling.windows import Window, mapped, windows_of

# A tile for which the memory is too small is worked on in windows of half its side, and so on down to this.
SMALLEST_WINDOW = 256


def _nothing_left() -> None:
    """No network can leave the device."""


def _untold(**_step: object) -> None:
    """Where nobody remembers."""


@dataclass(frozen=True)
class Relief:
    """Where to begin, and how to step down. Sides in pixels; 0: as large as tiles are.

    `batch`: how many tiles go at once at the most, 0 for any number; `offload`: makes networks leave the device, and
    gives the name of how, or None when it can do no more; `told`: of each step down, by the names of Learnt.
    """

    batch: int = 0
    vae_window: int = 0
    window: int = 0
    offload: Callable[[], str | None] = _nothing_left
    told: Callable[..., None] = _untold


class Guard:
    """Watches over one model's work on tiles. What was once too large is not tried again."""

    def __init__(self, model: LatentModel, longest: int, relief: Relief | None = None) -> None:
        """`longest`: the longest side of any tile, in pixels."""
        self._model = model
        self._relief = relief or Relief()
        self._window = min(longest, self._relief.window or longest)
        self._vae_window = min(self._window, self._relief.vae_window or longest)
        self._coding = False

    def finite(self, work: Callable[[], Tensor], box: Bounds) -> Tensor:
        """What the work gives; when that is NaN, once more in float32. `box` names it in errors.

        Raises ScumbleError when nothing helps.
        """
        first = self._within_memory(work, box)
        if is_finite(first):
            return first
        with self._model.precise():
            again = self._within_memory(work, box)
        if not is_finite(again):
            raise ScumbleError(
                "internal",
                f"The tile at {box.x}, {box.y} came out as NaN, in full precision too: lower the strength or guidance, "
                "or choose another model.",
            )
        return again

    def windows(self, tile: Extent, unit: int) -> tuple[Window, ...]:
        """A tile's windows, in units of so many pixels: one, unless the memory is too small."""
        return self._windows(tile, unit, self._window)

    def _windows(self, tile: Extent, unit: int, longest: int) -> tuple[Window, ...]:
        grid = self._model.facts.grid
        if max(tile.width, tile.height) <= longest:
            return windows_of(TileGrid(tile, (0,), (0,)), unit, self._model.device)
        side = max(2 * grid, longest // grid * grid)
        limits = TileLimits(grid, max(grid, side // 6 // grid * grid), side, side * side, 4.0)
        return windows_of(plan_tiles(tile, limits), unit, self._model.device)

    def encode(self, pixels: Tensor) -> Tensor:
        """B x 3 x H x W pixels to latents."""
        return self._windowed(self._model.encode, pixels.to(self._model.device), 1, self._model.facts.factor)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to B x 3 x H x W pixels."""
        return self._windowed(self._model.decode, latents, self._model.facts.factor, 1)

    def _windowed(self, function: Callable[[Tensor], Tensor], values: Tensor, unit: int, into: int) -> Tensor:
        """`unit`, `into`: how many pixels a value stands for, before and after."""
        tile = Extent(values.shape[-1] * unit, values.shape[-2] * unit)
        longest = min(self._window, self._vae_window)
        inside = self._windows(tile, unit, longest)
        self._coding = True
        if len(inside) == 1:
            coded = function(values)
        else:
            coded = mapped(function, values, inside, self._windows(tile, into, longest))
        self._coding = False
        return coded

    def _within_memory(self, work: Callable[[], Tensor], box: Bounds) -> Tensor:
        """What the work gives, with ever less memory while that runs out."""
        while True:
            self._coding = False
            try:
                return work()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            # Outside the except clause, so that the failed call's tensors are let go.
            free_memory(self._model.device)
            if not self._step_down():
                raise ScumbleError(
                    "out_of_memory",
                    f"The memory ran out at the tile at {box.x}, {box.y}, even in windows of {self._window} pixels: "
                    "close other programs, or choose a smaller tile size.",
                )

    def _step_down(self) -> bool:
        """Whether less memory will be taken from now on."""
        coding = min(self._window, self._vae_window)
        if self._coding and coding > SMALLEST_WINDOW:
            self._vae_window = max(SMALLEST_WINDOW, coding // 2)
            self._relief.told(vae_window=self._vae_window)
            return True
        way = self._relief.offload()
        if way is not None:
            self._relief.told(offload=way)
            return True
        if self._window <= SMALLEST_WINDOW:
            return False
        self._window = max(SMALLEST_WINDOW, self._window // 2)
        self._relief.told(window=self._window)
        return True


def is_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite. By the sum, which such a value spoils: far cheaper than looking at each."""
    return bool(torch.isfinite(values.sum()))
