"""The samplers' noise: of a place, whatever tile or batch it is seen in."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble_core.picture.geometry import Bounds
from scumble_core.sampling.anchored import Anchor, AnchoredNoise

places = st.builds(Bounds, st.integers(-40, 40), st.integers(-40, 40), st.just(9), st.just(7))


@given(st.lists(places, min_size=1, max_size=4), st.integers(0, 2**64 - 1), st.integers(0, 70000))
@settings(deadline=None)
def test_a_batch_draws_what_its_tiles_draw_one_by_one(boxes: list[Bounds], seed: int, first: int) -> None:
    batch = AnchoredNoise([Anchor(box, seed) for box in boxes], 3, first_draw=first)
    alone = [AnchoredNoise([Anchor(box, seed)], 3, first_draw=first) for box in boxes]
    for _ in range(3):
        assert torch.equal(batch(), torch.cat([each() for each in alone]))


@given(places, places, st.integers(0, 99))
@settings(deadline=None)
def test_a_patch_has_its_own_seeds_noise_and_nothing_else_changes(box: Bounds, patch: Bounds, seed: int) -> None:
    patched = AnchoredNoise([Anchor(box, seed, ((patch, 1234),))], 4)()
    own, other = (AnchoredNoise([Anchor(box, each)], 4)() for each in (seed, 1234))
    inside = torch.zeros(7, 9, dtype=torch.bool)
    part = patch.intersect(box)
    if not part.is_empty:
        inside[part.translate(-box.x, -box.y).slices] = True
    assert torch.equal(patched, torch.where(inside, other, own))


def test_draws_follow_each_other_from_the_first_on() -> None:
    noise, later = (AnchoredNoise([Anchor(Bounds(0, 0, 9, 7), 5)], 2, first_draw=first) for first in (0, 1))
    first, second = noise(), noise()
    assert (first != second).any() and torch.equal(second, later())
