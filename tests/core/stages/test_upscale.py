import numpy as np
import pytest
import torch

from scumble_core.errors import ScumbleError
from scumble_core.models.library import ModelCache
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.plan.job import plan_job
from scumble_core.plan.tiles import TileLimits, plan_tiles
from scumble_core.request import RefineRequest
from scumble_core.stages.store import TileStore, untold
from scumble_core.stages.upscale import Room, TileUpscaler, enlarge, resized


class _SmallMemory:
    """A real upscaler on a device that holds no tile larger than `most` pixels a side."""

    def __init__(self, upscaler, most):
        self._upscaler, self._most = upscaler, most
        self.scale = upscaler.scale

    def __call__(self, pixels):
        if max(pixels.shape[-2:]) > self._most:
            raise torch.OutOfMemoryError("out of memory")
        return self._upscaler(pixels)


def enlarged_by(upscaler, pixels):
    tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None]
    return upscaler(tensor)[0].numpy().transpose(1, 2, 0).clip(0, 1)


@pytest.mark.parametrize("scale", [1.3, 2.0, 3.5])
def test_tiles_join_without_a_seam_at_the_exact_size(tmp_path, scale):
    source = Picture.create(tmp_path / "colour.npy", Extent(150, 90), 3, np.float32)
    source.write(source.bounds, np.random.default_rng(1).random((90, 150, 3), np.float32))
    models = ModelCache()
    results = []
    for tile in (64, 512):
        plan = plan_job(RefineRequest(scale=scale), source.extent)
        grid = plan_tiles(source.extent, TileLimits(4, 24 if tile == 64 else 32, tile, tile**2, 4.0))
        folder = tmp_path / str(tile)
        folder.mkdir()
        upscaler = TileUpscaler(
            models.upscaler(plan.upscaler), "starter", models.device, TileStore(folder / "tiles"), untold
        )
        boxes = tuple(grid.boxes())
        large = enlarge(source, folder / "enlarged.npy", upscaler, grid, boxes, lambda *_: None)
        done = resized(large, plan.output, folder)
        assert done.extent == source.extent.scaled(scale)
        results.append(done.read(done.bounds))
    assert np.abs(results[0] - results[1]).max() < 0.02


@pytest.mark.parametrize("depth", ["uint16", "float32"])
def test_a_tile_that_was_enlarged_once_is_found_again_to_the_bit_wherever_it_lies(tmp_path, depth):
    models, told = ModelCache(), []
    real = models.upscaler("starter-x2")

    def tiles(upscaler, identity="one"):
        store = TileStore(tmp_path / "tiles")
        return TileUpscaler(upscaler, identity, models.device, store, lambda *task: told.append(task), depth)

    pixels = np.random.default_rng(2).random((40, 30, 3), np.float32)
    first = tiles(real)(Bounds(0, 0, 30, 40), pixels)
    assert np.abs(first - enlarged_by(real, pixels)).max() <= (
        0 if depth == "float32" else 1 / 131070
    )
    never = _SmallMemory(real, 0)  # it can't enlarge anything any more
    assert (tiles(never)(Bounds(60, 0, 30, 40), pixels) == first).all()
    assert [how for *_, how in told] == ["done", "kept"]
    for upscaler, values in ((tiles(never, "other"), pixels), (tiles(never), pixels[::-1])):
        with pytest.raises(ScumbleError, match="memory ran out"):
            upscaler(Bounds(0, 0, 30, 40), values)
