from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.models.tiny_upscalers import save_upscaler

from scumble_core.errors import ScumbleError
from scumble_core.models.cache import ModelCache
from scumble_core.models.device import Device
from scumble_core.models.upscalers.network import Upscaler
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Picture
from scumble_core.plan.job import plan_job
from scumble_core.plan.tiles import TileLimits, plan_tiles
from scumble_core.plan.upscaling import plan_upscaling
from scumble_core.request import RefineRequest
from scumble_core.stages.store import TileStore, untold
from scumble_core.stages.upscale import Room, TileUpscaler, enlarge, resized

CPU = Device("cpu", torch.float32)


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
    assert np.abs(first - enlarged_by(real, pixels)).max() <= (0 if depth == "float32" else 1 / 131070)
    never = _SmallMemory(real, 0)  # it can't enlarge anything any more
    assert (tiles(never)(Bounds(60, 0, 30, 40), pixels) == first).all()
    assert [how for *_, how in told] == ["done", "kept"]
    for upscaler, values in ((tiles(never, "other"), pixels), (tiles(never), pixels[::-1])):
        with pytest.raises(ScumbleError, match="memory ran out"):
            upscaler(Bounds(0, 0, 30, 40), values)


class _Card:
    """A real upscaler on a card that holds `most` pixels of a tile; it counts, and may break at the n-th one."""

    def __init__(self, upscaler, most=None, breaks_at=None):
        self._upscaler, self._most, self._breaks_at = upscaler, most, breaks_at
        self.scale, self.sizes, self.failed = upscaler.scale, [], 0

    def __call__(self, pixels):
        if self._breaks_at is not None and len(self.sizes) >= self._breaks_at:
            raise RuntimeError("the power is gone")
        area = pixels.shape[-1] * pixels.shape[-2]
        if self._most is not None and area > self._most:
            self.failed += 1
            raise torch.OutOfMemoryError("out of memory")
        self.sizes.append(area)
        return self._upscaler(pixels)


@pytest.fixture(scope="module")
def compact(tmp_path_factory):
    return Upscaler(save_upscaler("compact-x2", tmp_path_factory.mktemp("model") / "x2.pth"), CPU)


def _tiles(upscaler, folder, room=None, told=untold):
    return TileUpscaler(upscaler, "one", CPU, TileStore(folder), told, "float32", room or Room())


def test_where_memory_runs_out_halves_give_the_same_picture(tmp_path, compact):
    pixels = np.random.default_rng(0).random((200, 260, 3), np.float32)
    box = Bounds(40, 80, 260, 200)
    whole = _tiles(compact, tmp_path / "whole")(box, pixels)
    card, told = _Card(compact, 32_000), []
    pieces = _tiles(card, tmp_path / "pieces", told=lambda *task: told.append(task))(box, pixels)
    # Nothing looks farther than the halves' margin, so only sums may be taken in another order.
    assert np.abs(pieces - whole).max() < 1e-6
    assert card.failed == 1 and len(card.sizes) == 2 and max(card.sizes) <= 32_000
    assert all(box.contains(piece) for _, piece, *_ in told)


def test_what_was_too_large_once_is_not_tried_again_nor_the_next_time(tmp_path, compact):
    rng, card, lessons = np.random.default_rng(1), _Card(compact, 25_000), []
    upscaler = _tiles(card, tmp_path / "tiles", Room(None, lessons.append))
    box = Bounds(0, 0, 200, 200)
    for _ in range(3):
        upscaler(box, rng.random((200, 200, 3), np.float32))
    assert card.failed == 1 and len(card.sizes) == 6 and lessons == [200 * 200 - 1]
    again = _Card(compact, 25_000)
    _tiles(again, tmp_path / "tiles", Room(lessons[-1]))(box, rng.random((200, 200, 3), np.float32))
    assert again.failed == 0 and len(again.sizes) == 2


def test_a_tile_that_breaks_off_in_its_pieces_goes_on_from_there_with_the_same_pixels(tmp_path, compact):
    pixels, box = np.random.default_rng(2).random((256, 256, 3), np.float32), Bounds(0, 0, 256, 256)
    expected = _tiles(_Card(compact, 10_500), tmp_path / "once")(box, pixels)
    broken = _Card(compact, 10_500, breaks_at=5)
    with pytest.raises(RuntimeError, match="power"):
        _tiles(broken, tmp_path / "twice")(box, pixels)
    rest = _Card(compact, 10_500)
    assert (_tiles(rest, tmp_path / "twice")(box, pixels) == expected).all()
    whole = _Card(compact, 10_500)
    _tiles(whole, tmp_path / "thrice")(box, pixels)
    assert len(broken.sizes) == 5 and len(broken.sizes) + len(rest.sizes) == len(whole.sizes)


def test_a_tile_that_was_done_whole_is_taken_though_memory_is_short_now(tmp_path, compact):
    pixels, box = np.random.default_rng(3).random((200, 200, 3), np.float32), Bounds(0, 0, 200, 200)
    first = _tiles(compact, tmp_path / "tiles")(box, pixels)
    card = _Card(compact, 1)
    assert (_tiles(card, tmp_path / "tiles", Room(100))(box, pixels) == first).all() and card.failed == 0


def test_memory_too_small_for_any_piece_names_the_tile(tmp_path, compact):
    card = _Card(compact, 100)
    with pytest.raises(ScumbleError, match=r"ran out at the tile at .*even in pieces of") as caught:
        _tiles(card, tmp_path / "tiles")(Bounds(512, 0, 200, 200), np.zeros((200, 200, 3), np.float32))
    assert caught.value.code == "out_of_memory"


def test_other_errors_pass_at_once(tmp_path, compact):
    with pytest.raises(RuntimeError, match="power"):
        _tiles(_Card(compact, breaks_at=0), tmp_path / "t")(Bounds(0, 0, 200, 200), np.zeros((200, 200, 3), np.float32))


@given(st.integers(128, 400), st.integers(1, 400), st.sampled_from([4, 8, 16, 64]))
@settings(max_examples=40)
def test_halves_cover_a_tile_and_are_smaller(longer, shorter, multiple):
    upscaler = TileUpscaler(None, "one", CPU, None, untold, multiple=multiple)
    for box in (Bounds(8, 16, longer, min(shorter, longer)), Bounds(8, 16, min(shorter, longer), longer)):
        if upscaler._cut(box) is None:
            assert multiple == 64  # too coarse to win anything
            continue
        parts = list(upscaler._halves(box))
        assert sum(part.extent.area for part, _ in parts) == box.extent.area
        assert parts[0][0].intersect(parts[1][0]).is_empty
        for part, seen in parts:
            assert seen.contains(part) and box.contains(seen) and seen.extent.area < box.extent.area
            assert (seen.x - box.x) % multiple == (seen.y - box.y) % multiple == 0


def _centre(picture):
    """Where a bright spot on grey lies, in pixels from the corner."""
    light = np.abs(picture.read(picture.bounds).astype(np.float64).sum(-1) - 1.5)
    light[light < 0.15] = 0
    rows, columns = np.indices(light.shape) + 0.5
    return (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()


@pytest.mark.parametrize(
    ("names", "scale"),
    [
        (("compact-x2",), 2.0), (("compact-x4",), 2.0), (("compact-x4",), 3.0), (("compact-x2",), 3.3),
        (("compact-x2", "compact-x2"), 4.0), (("compact-x1", "compact-x2"), 2.0), (("compact-x4", "compact-x2"), 4.0),
        (("compact-x4",), 0.7),
    ],
)  # fmt: skip
def test_a_centred_feature_stays_centred_through_any_chain(tmp_path, names, scale):
    source = Picture.create(tmp_path / "colour.npy", Extent(150, 110), 3, np.float32)
    pixels = np.full((110, 150, 3), 0.5, np.float32)
    pixels[50:60, 70:80] = 1
    source.write(source.bounds, pixels)
    models = [Upscaler(save_upscaler(name, tmp_path / f"{name}.pth", gain=0), CPU) for name in names]
    facts = [(name, replace(model.facts, tile=64, overlap=16)) for name, model in zip(names, models, strict=True)]
    picture = source
    for number, (step, model) in enumerate(
        zip(plan_upscaling(facts, source.extent, source.bounds, None), models, strict=True)
    ):
        upscaler = _tiles(model, tmp_path / "tiles")
        picture = enlarge(picture, tmp_path / f"{number}.npy", upscaler, step.grid, step.boxes, lambda *_: None)
    output = source.extent.scaled(scale)
    done = resized(picture, output, tmp_path) if picture.extent != output else picture
    x, y = _centre(done)
    assert abs(x / output.width - 0.5) * output.width < 0.1 and abs(y / output.height - 0.5) * output.height < 0.1


@pytest.mark.parametrize("name", ["compact-x2", "esrgan-x4", "span-x2", "swinir-x2", "dat-x2", "esrgan-x1"])
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (70, 2)])
def test_pictures_down_to_one_pixel_are_enlarged(tmp_path, name, size):
    model = Upscaler(save_upscaler(name, tmp_path / "m.safetensors"), CPU)
    source = Picture.create(tmp_path / "colour.npy", Extent(*size), 3, np.float32)
    source.write(source.bounds, np.full((size[1], size[0], 3), 0.25, np.float32))
    (step,) = plan_upscaling([(name, model.facts)], source.extent, source.bounds, 10**10)
    done = enlarge(
        source, tmp_path / "large.npy", _tiles(model, tmp_path / "t"), step.grid, step.boxes, lambda *_: None
    )
    assert done.extent == step.large and np.isfinite(done.read(done.bounds)).all()
