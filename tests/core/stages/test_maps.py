"""Maps: functions of absolute places, so that tiles agree on them; exact where all or nothing is painted."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.core.pictures import stored

from scumble_core.errors import PictureError
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.survey import Survey
from scumble_core.sampling.levels import start_level, training_levels
from scumble_core.stages.maps import BUSY, LEAST, QUIET, Maps, check_masks

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def mask(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    return lambda pixels: stored(folder / f"{next(NUMBERS)}.npy", np.ascontiguousarray(pixels)[..., None])


def surveyed(energy):
    energy = np.asarray(energy, np.float32)
    edges = np.zeros((*energy.shape, 3), np.float32)
    return Survey(edges, edges, np.ones_like(energy, bool), energy)


def painted(width, height, seed=0):
    """Rough enough that each pixel counts."""
    return np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_boxes_that_overlap_agree_on_every_map(mask, data):
    width, height = data.draw(st.integers(20, 120)), data.draw(st.integers(20, 120))
    scale, factor = data.draw(st.sampled_from([0.3, 1, 1.37, 2, 3.5, 10])), data.draw(st.sampled_from([4, 8]))
    source = Extent(width, height)
    extent = source.scaled(scale)
    maps = Maps(
        source=source, extent=extent, factor=factor, share=0.4, strength=mask(painted(width, height)),
        survey=surveyed(np.random.default_rng(1).uniform(0, 3, (-(-height // 16), -(-width // 16)))),
        regions=tuple(mask(painted(width, height, seed)) for seed in (2, 3)),
    )  # fmt: skip
    grid = 2 * factor
    places = st.integers(0, max(0, extent.width // 2) // grid), st.integers(0, max(0, extent.height // 2) // grid)
    sides = st.integers(1, 12).map(lambda cells: cells * grid)
    one, other = (
        Bounds(data.draw(places[0]) * grid, data.draw(places[1]) * grid, data.draw(sides), data.draw(sides))
        for _ in range(2)
    )
    # As planned tiles do: beyond the picture they reach only where most of them is inside.
    picture = Bounds.of(extent)
    for box in (one, other):
        inside = box.intersect(picture)
        assume(box.right - inside.right <= inside.width / 2 and box.bottom - inside.bottom <= inside.height / 2)
    both = one.intersect(other)

    def cut(values, box):
        own = both.translate(-box.x, -box.y)
        return values[own.y // factor : own.bottom // factor, own.x // factor : own.right // factor]

    starts = [cut(maps.starts(box), box) for box in (one, other)]
    shares = [[cut(share, box) for share in maps.shares(box)] for box in (one, other)]
    assert maps.starts(one).shape == (one.height // factor, one.width // factor)
    # Pillow keeps where a box lies as float32: that much they may differ. Sigmas are steeper in the strength.
    assert np.abs(starts[0] - starts[1]).max(initial=0) <= 5e-5
    for left, right in zip(*shares, strict=True):
        assert np.abs(left - right).max(initial=0) <= 1e-5
    total = sum(share.astype(np.float64) for share in maps.shares(one))
    assert np.abs(total - 1).max() <= 1e-6
    assert all((share >= 0).all() for share in maps.shares(one))


BOX = Bounds(0, 0, 128, 64)
SIZE = BOX.extent


def of(source=SIZE, extent=SIZE, share=0.3, **maps):
    return Maps(source=source, extent=extent, factor=8, share=share, **maps)


def test_without_maps_all_join_at_once_and_one_prompt_serves():
    assert of().starts(BOX) is None
    assert of().shares(BOX) == ()


@pytest.mark.parametrize("scale", [0.5, 1, 1.37, 3.3])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_all_painted_is_the_walks_first_sigma_and_none_is_never(mask, scale, kind):
    top = 255 if kind is np.uint8 else 1
    box = Bounds(0, 0, 96, 80)
    for share in (0.1, 0.3, 1.0):
        size = {"source": Extent(101, 67), "extent": Extent(101, 67).scaled(scale), "share": share}
        full = of(**size, strength=mask(np.full((67, 101), top, kind))).starts(box)
        assert (full == np.float32(start_level(training_levels(), share))).all()
        assert (of(**size, strength=mask(np.zeros((67, 101), kind))).starts(box) == 0).all()


def test_half_painted_is_half_the_strength(mask):
    starts = of(strength=mask(np.full((64, 128), 0.5, np.float32))).starts(BOX)
    assert starts == pytest.approx(start_level(training_levels(), 0.15), rel=1e-5)


def test_paint_that_fades_out_leaves_no_edge(mask):
    """The sigma falls to 0 by small steps, though the table's lowest is above it."""
    ramp = np.broadcast_to(np.linspace(0, 1, 1024, dtype=np.float32), (64, 1024))
    size = Extent(1024, 64)
    starts = of(size, size, strength=mask(ramp)).starts(Bounds(0, 0, 1024, 64))[0]
    assert (np.diff(starts) >= 0).all() and starts[0] < 0.005
    assert np.diff(starts[:20]).max() < 0.02


def test_each_place_is_judged_by_its_own_complexity():
    energy = np.zeros((4, 32))
    energy[:, 16:] = 4 * BUSY**2
    size = Extent(512, 64)
    starts = of(size, size, survey=surveyed(energy)).starts(Bounds(0, 0, 512, 64))
    low, high = (start_level(training_levels(), 0.3 * share) for share in (LEAST, 1.0))
    assert starts[:, :20] == pytest.approx(low, rel=1e-5)
    assert (starts[:, -20:] == np.float32(high)).all()
    assert (np.diff(starts, axis=1) >= 0).all()
    between = of(size, size, survey=surveyed(energy * 0 + ((QUIET + BUSY) / 2) ** 2)).starts(Bounds(0, 0, 64, 64))
    assert (low < between).all() and (between < high).all()


def test_a_box_that_reaches_beyond_the_picture_sees_it_mirrored(mask):
    pixels = np.zeros((40, 40), np.float32)
    pixels[:, 20:] = 1
    size = Extent(40, 40)
    (own, region) = of(size, size, regions=(mask(pixels),)).shares(Bounds(0, 0, 80, 64))
    assert own.shape == (8, 10)
    assert region[3] == pytest.approx(region[3, ::-1], abs=1e-6)
    assert region[:, 0].max() == 0 and region[:, 4].min() == 1


def test_regions_that_overlap_share_and_what_none_covers_is_the_pictures_own(mask):
    left, middle = np.zeros((64, 128), np.uint8), np.zeros((64, 128), np.uint8)
    left[:, :64], middle[:, 32:96] = 255, 255
    own, first, second = (share[4] for share in of(regions=(mask(left), mask(middle))).shares(BOX))
    for place, wanted in ((1, (0, 1, 0)), (6, (0, 0.5, 0.5)), (10, (0, 0, 1)), (14, (1, 0, 0))):
        assert (own[place], first[place], second[place]) == pytest.approx(wanted, abs=1e-6)


def test_masks_of_another_size_or_form_are_refused(mask, tmp_path):
    with pytest.raises(PictureError, match="is 9 x 8 with 1 channels, but must be 8 x 8 with one"):
        check_masks([mask(np.zeros((8, 9), np.uint8))], Extent(8, 8))
    with pytest.raises(PictureError, match="with 3 channels"):
        check_masks([stored(tmp_path / "m.npy", np.zeros((8, 8, 3), np.uint8))], Extent(8, 8))
    check_masks([mask(np.zeros((8, 8), np.uint8))], Extent(8, 8))
