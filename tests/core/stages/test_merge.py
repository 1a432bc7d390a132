"""The merged steps: the whole latent as if untiled, in blocks that agree, at no cost for what is left alone."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.stages.exact import FACTS, ExactModel

from scumble_core.picture.geometry import Bounds, Extent, Point
from scumble_core.picture.storage import Picture
from scumble_core.plan.blocks import MOST_VALUES, blocks_of
from scumble_core.plan.passes import RefinePass, Walk
from scumble_core.plan.tiles import TileGrid, TileLimits, plan_tiles
from scumble_core.sampling.anchored import Anchor, AnchoredNoise
from scumble_core.sampling.levels import falling, training_levels
from scumble_core.sampling.samplers import SAMPLERS
from scumble_core.stages.merge import MergedWalk
from scumble_core.stages.store import TileStore
from scumble_core.stages.tile import Tile, TileRefiner, TileSettings

FACTOR = FACTS.factor


def apart(one, other):
    return float(np.abs(one - other).max())


@st.composite
def grids(draw):
    side, overlap = draw(st.sampled_from([(32, 8), (48, 16), (64, 28)]))
    extent = Extent(draw(st.integers(1, 400)), draw(st.integers(1, 400)))
    return plan_tiles(extent, TileLimits(4, overlap, side, side * side, 4.0))


@given(grids(), st.integers(1, 200_000))
@settings(deadline=None)
def test_blocks_hold_every_tile_and_neighbours_share_one(grid, most):
    rows = blocks_of(grid, 3.0, most)
    assert {box for row in rows for block in row for box in block.boxes} == set(grid.boxes())
    for row in rows:
        for block, following in pairwise(row):
            assert set(block.boxes) & set(following.boxes)
        assert len({(block.bounds.y, block.bounds.height) for block in row}) == 1
    for row, following in pairwise(rows):
        assert set(row[0].boxes) & set(following[0].boxes)
    assert {len(row) for row in rows} == {len(rows[0])}


@given(grids(), st.integers(1, 200_000))
@settings(deadline=None)
def test_blocks_are_no_larger_than_allowed_unless_they_have_but_two_tiles_each_way(grid, most):
    cell = 4 * max(grid.tile.width, grid.tile.height) * 3  # starts are spread over whole cells of the grid
    for row in blocks_of(grid, 3.0, most):
        for block in row:
            smallest = len(block.grid.columns) <= 2 and len(block.grid.rows) <= 2
            assert smallest or block.bounds.extent.area * 3 <= most + cell * 12
            assert (block.bounds.x, block.bounds.y) == (block.boxes[0].x, block.boxes[0].y)


def test_one_block_suffices_where_the_memory_does():
    grid = plan_tiles(Extent(400, 300), TileLimits(4, 8, 64, 64 * 64, 4.0))
    ((block,),) = blocks_of(grid, 3.0, 10**9)
    assert block.grid == grid and block.bounds == Bounds(0, 0, 400, 300)


class Canvas:
    """A picture, a grid over it, and a strong walk."""

    def __init__(self, folder, model, sampler="euler", width=160, height=112, guidance=1.0, **changes):
        grid = plan_tiles(Extent(width, height), TileLimits(4, 16, 64, 64 * 64, 4.0))
        walk = Walk(sampler, falling(training_levels(), 4.0, 6), guidance, (0.0, 9.0), merged=4)
        self.run = replace(RefinePass(grid, tuple(grid.boxes()), frozenset(), walk, 1.0, 1), **changes)
        self.model, self.folder, self.seed = model, folder, 7
        self.pixels = np.random.default_rng(0).random((height, width, 3), np.float32)
        self.starts = self.shares = None
        self.prompts = ("0.1",)
        self.seeds = {}
        self.steps, self.most = [], MOST_VALUES

    def tile(self, box):
        own = tuple(slice(each.start // FACTOR, each.stop // FACTOR) for each in box.slices)
        starts = None if self.starts is None else self.starts[own].astype(np.float32)
        shares = () if self.shares is None else tuple(share[own].astype(np.float32) for share in self.shares)
        return Tile(box, self.pixels[box.slices], self.seeds.get(box, self.seed), starts=starts, shares=shares)

    def refiner(self):
        settings = TileSettings(self.run.walk, self.run.grid.tile, self.prompts, "-0.5", Point(8, 24))
        return TileRefiner(self.model, settings, lambda: False)

    def extent(self):
        grid = self.run.grid
        width, height = grid.columns[-1] + grid.tile.width, grid.rows[-1] + grid.tile.height
        return Extent(width // FACTOR, height // FACTOR)

    def walked(self):
        """The latent after the merged steps, H x W x C."""
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        latent = Picture.create(folder / "latent.npy", self.extent(), FACTS.channels, "float32")
        walk = MergedWalk(self.run, self.refiner(), self.tile, self.seed, self.steps.append, self.most)
        walk.into(latent, TileStore(folder / "store"), lambda block: str(block.bounds))
        return latent.read(latent.bounds)

    def untiled(self):
        """The same walk over the whole at once."""
        clean = ExactModel().encode(torch.from_numpy(self.pixels.transpose(2, 0, 1))[None])
        box = Bounds(8 // FACTOR, 24 // FACTOR, *reversed(clean.shape[2:]))
        noise = AnchoredNoise([Anchor(box, self.seed)], FACTS.channels)
        walk = self.run.walk
        sigmas = torch.tensor(walk.sigmas[: walk.merged + 1], dtype=torch.float64)
        whole = TileRefiner(
            self.model, TileSettings(walk, Extent(160, 112), self.prompts, "-0.5", Point(0, 0)), lambda: False
        )
        denoise = whole.denoiser([Tile(Bounds(0, 0, 160, 112), self.pixels, self.seed)])
        out = SAMPLERS[walk.sampler](denoise, clean + noise() * walk.sigmas[0], sigmas, noise)
        return out[0].numpy().transpose(1, 2, 0)


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_with_pixels_that_know_nothing_of_each_other_it_is_the_untiled_walk(tmp_path, sampler):
    canvas = Canvas(tmp_path, ExactModel(), sampler, guidance=3.0)
    assert canvas.run.grid.count > 5
    assert apart(canvas.walked(), canvas.untiled()) <= 2e-4


def test_where_a_model_looks_at_neighbours_tiles_edges_hardly_show(tmp_path):
    canvas = Canvas(tmp_path, ExactModel(blur=True))
    whole = canvas.untiled()
    apart = np.abs(canvas.walked() - whole)
    assert 0 < apart.max() < 0.02 * np.abs(whole).max()


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde"])
def test_several_blocks_agree_with_one(tmp_path, sampler):
    whole = Canvas(tmp_path, ExactModel(), sampler, 400, 112).walked()
    exact, blurred = (Canvas(tmp_path, ExactModel(blur=blur), sampler, 400, 112) for blur in (False, True))
    one = blurred.walked()
    exact.most = blurred.most = 40_000
    assert len(blocks_of(exact.run.grid, 3.0, 40_000)[0]) > 2
    assert apart(exact.walked(), whole) <= 2e-4
    assert apart(blurred.walked(), one) <= 0.03 * np.abs(one).max()


def test_a_part_of_the_pass_gets_the_same_latent_as_in_the_whole(tmp_path):
    """To the bit, wherever a wanted tile lies, whatever the blocks."""
    canvas = Canvas(tmp_path, ExactModel(blur=True), width=400, height=180)
    canvas.most = 40_000
    whole, boxes = canvas.walked(), tuple(canvas.run.grid.boxes())
    for wanted in boxes[::5]:
        canvas.run = replace(canvas.run, boxes=(wanted,))
        part = canvas.walked()
        own = tuple(slice(each.start // FACTOR, each.stop // FACTOR) for each in wanted.slices)
        assert (part[own] == whole[own]).all(), wanted


def test_what_is_left_alone_costs_no_call_and_stays(tmp_path):
    canvas = Canvas(tmp_path, ExactModel())
    still = canvas.run.boxes[0]
    canvas.run = replace(canvas.run, untouched=frozenset([still]))
    latent = canvas.walked()
    assert len(canvas.model.calls) == (canvas.run.grid.count - 1) * canvas.run.walk.merged
    # Its own part, which no neighbour reaches: the clean latent and no more noise than there is at that sigma.
    clean = ExactModel().encode(torch.from_numpy(canvas.pixels.transpose(2, 0, 1))[None])[0].numpy().transpose(1, 2, 0)
    own = np.s_[:20, :20]
    sigma = canvas.run.walk.sigmas[canvas.run.walk.merged]
    box = Bounds(4, 12, 20, 20)
    noise = AnchoredNoise([Anchor(box, 7)], FACTS.channels)()[0].numpy().transpose(1, 2, 0)
    assert apart(latent[own], clean[own] + sigma * noise) <= 1e-4


def test_every_step_of_a_block_is_told(tmp_path):
    canvas = Canvas(tmp_path, ExactModel())
    canvas.walked()
    assert canvas.steps == [Bounds(0, 0, 160, 112)] * canvas.run.walk.merged


def test_a_finished_block_is_not_walked_again(tmp_path):
    canvas = Canvas(tmp_path, ExactModel())
    store = TileStore(tmp_path / "store")
    latents = []
    for name in ("one", "two"):
        latent = Picture.create(tmp_path / f"{name}.npy", canvas.extent(), FACTS.channels, "float32")
        walk = MergedWalk(canvas.run, canvas.refiner(), canvas.tile, 7, canvas.steps.append)
        walk.into(latent, store, lambda block: "key")
        latents.append(latent.read(latent.bounds))
    assert (latents[0] == latents[1]).all()
    assert len(canvas.steps) == canvas.run.walk.merged


def test_a_place_that_never_joins_keeps_its_latent_under_its_noise(tmp_path):
    canvas = Canvas(tmp_path, ExactModel())
    canvas.starts = np.full((56, 80), 4.0)
    plain = canvas.walked()
    canvas.starts[:, 40:] = 0
    half = canvas.walked()
    assert (half[:, :40] == plain[:, :40]).all()
    clean = ExactModel().encode(torch.from_numpy(canvas.pixels.transpose(2, 0, 1))[None])[0].numpy().transpose(1, 2, 0)
    sigma = canvas.run.walk.sigmas[canvas.run.walk.merged]
    noise = AnchoredNoise([Anchor(Bounds(4, 12, 80, 56), 7)], FACTS.channels)()[0].numpy().transpose(1, 2, 0)
    assert apart(half[:, 40:], (clean + sigma * noise)[:, 40:]) <= 1e-4


def test_regions_have_their_own_prompts(tmp_path):
    canvas = Canvas(tmp_path, ExactModel())
    plain = canvas.walked()
    canvas.prompts = ("0.1", "0.9")
    left = np.zeros((56, 80))
    left[:, :40] = 1
    canvas.shares = (1 - left, left)
    split = canvas.walked()
    assert apart(split[:, 40:], plain[:, 40:]) <= 1e-5
    assert (split[:, :40] > plain[:, :40] + 0.1).all()


def test_a_tile_with_a_seed_of_its_own_changes_no_place_that_it_does_not_cover(tmp_path):
    canvas = Canvas(tmp_path, ExactModel())
    first = canvas.walked()
    box = canvas.run.boxes[1]
    canvas.seeds[box] = 99
    again = canvas.walked()
    inside = np.zeros(first.shape[:2], bool)
    inside[tuple(slice(each.start // FACTOR, each.stop // FACTOR) for each in box.slices)] = True
    assert (first[~inside] == again[~inside]).all()
    assert (first[inside] != again[inside]).mean() > 0.99


def test_nan_and_want_of_memory_are_overcome_while_merging(tmp_path):
    model = ExactModel(nans=1)
    wanted = Canvas(tmp_path, ExactModel()).walked()
    assert apart(Canvas(tmp_path, model).walked(), wanted) <= 1e-5
    assert model.precise_times == 1


def test_a_grid_of_one_row_is_walked_too(tmp_path):
    canvas = Canvas(tmp_path, ExactModel(), width=300, height=40)
    assert len(canvas.run.grid.rows) == 1
    assert np.isfinite(canvas.walked()).all()


def test_all_grids_have_blocks():
    grid = TileGrid(Extent(8, 8), (0,), (0, 4, 8))
    assert [[block.bounds for block in row] for row in blocks_of(grid, 1.0, 1)] == [
        [Bounds(0, 0, 8, 12)],
        [Bounds(0, 4, 8, 12)],
    ]
