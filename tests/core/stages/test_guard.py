"""Work that fails: smaller windows for want of memory, full precision for NaN, and a name for the tile if both fail."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.stages.exact import FACTS, ExactModel

from scumble_core.errors import ScumbleError
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.stages.guard import SMALLEST_WINDOW, Guard, Relief, is_finite

BOX = Bounds(32, 64, 1024, 1024)
OUT = torch.OutOfMemoryError("CUDA out of memory")


def failing(*errors):
    """Raises these one after the other, then gives ones."""
    left = iter(errors)

    def work():
        error = next(left, None)
        if error is not None:
            raise error
        return torch.ones(2)

    return work


def sides(guard):
    return max(max(window.bounds.width, window.bounds.height) for window in guard.windows(Extent(1024, 1024), 1))


def test_windows_halve_as_often_as_memory_runs_out_and_stay_so():
    guard = Guard(ExactModel(), 1024)
    assert sides(guard) == 1024
    guard.finite(failing(OUT), BOX)
    assert 256 < sides(guard) <= 512
    guard.finite(failing(OUT, None), BOX)
    assert sides(guard) <= 256
    guard.finite(failing(), BOX)
    assert sides(guard) <= 256


@pytest.mark.parametrize("error", [OUT, MemoryError(), RuntimeError("MPS backend out of memory (MPS allocated: 3 GB)")])
def test_where_not_even_the_smallest_window_fits_the_error_names_the_tile(error):
    guard = Guard(ExactModel(), 1024)
    calls = itertools.count()

    def work():
        next(calls)
        raise error

    with pytest.raises(ScumbleError, match=f"at the tile at 32, 64, even in windows of {SMALLEST_WINDOW}") as caught:
        guard.finite(work, BOX)
    assert caught.value.code == "out_of_memory"
    assert next(calls) == 3  # 1024, 512, 256


def test_other_errors_pass_at_once():
    with pytest.raises(RuntimeError, match="illegal"):
        Guard(ExactModel(), 1024).finite(failing(RuntimeError("illegal memory access"), None), BOX)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_done_once_more_in_full_precision(bad):
    model = ExactModel()
    given = []

    def work():
        given.append(model._precise)
        return torch.tensor([1.0, 1.0 if model._precise else bad])

    assert Guard(model, 1024).finite(work, BOX).tolist() == [1, 1]
    assert given == [False, True] and model.precise_times == 1 and not model._precise


def test_where_full_precision_does_not_help_the_error_names_the_tile():
    model = ExactModel()
    with pytest.raises(ScumbleError, match="The tile at 32, 64 came out as NaN, in full precision too"):
        Guard(model, 1024).finite(lambda: torch.tensor([float("nan")]), BOX)
    assert model.precise_times == 1


def test_memory_may_run_out_in_full_precision_too():
    model = ExactModel()
    guard = Guard(model, 1024)

    def work():
        if not model._precise:
            return torch.tensor(float("nan"))
        if sides(guard) > 512:
            raise OUT
        return torch.ones(1)

    assert guard.finite(work, BOX).tolist() == [1]


def test_opposite_infinities_do_not_cancel():
    assert not is_finite(torch.tensor([float("inf"), -float("inf")]))
    assert is_finite(torch.full((100, 100), 1e30))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 3), st.sampled_from([4, 16, 32, 64]))
@settings(deadline=None, max_examples=25)
def test_windows_cover_any_tile_at_every_unit_with_weights_that_sum_to_1(across, down, halvings, grid):
    model = ExactModel(facts=replace(FACTS, grid=grid))
    tile = Extent(across * 64, down * 64)
    guard = Guard(model, max(tile.width, tile.height))
    for _ in range(halvings):
        if sides_of(guard, tile) > SMALLEST_WINDOW:
            guard.finite(failing(OUT), BOX)
    for unit in (1, 2):
        total = np.zeros((tile.height // unit, tile.width // unit))
        for window in guard.windows(tile, unit):
            assert window.bounds.x * unit % grid == window.bounds.y * unit % grid == 0
            total[window.bounds.slices] += window.weight.numpy()
        assert total == pytest.approx(1, abs=1e-6)


def sides_of(guard, tile):
    return max(max(window.bounds.width, window.bounds.height) for window in guard.windows(tile, 1))


def test_encode_and_decode_in_windows_make_the_round_trip():
    model = ExactModel(most=150)
    guard = Guard(model, 640)
    pixels = torch.rand(1, 3, 320, 640)
    latents = guard.finite(lambda: guard.encode(pixels), BOX)
    assert latents.shape == (1, 12, 160, 320)
    torch.testing.assert_close(latents, ExactModel().encode(pixels), rtol=0, atol=1e-6)
    torch.testing.assert_close(guard.decode(latents), pixels, rtol=0, atol=1e-6)


def _failing_decode(model, most):
    """Its autoencoder holds latents of at most `most` a side; its network any number."""
    plain = model.decode

    def decode(latents):
        if max(latents.shape[-2:]) > most:
            raise OUT
        return plain(latents)

    model.decode = decode
    return model


def test_where_decoding_fails_the_autoencoder_alone_gets_windows():
    steps = []
    guard = Guard(_failing_decode(ExactModel(), 260), 1024, Relief(told=lambda **step: steps.append(step)))
    latents = torch.rand(1, 12, 512, 512)
    pixels = guard.finite(lambda: guard.decode(latents), BOX)
    torch.testing.assert_close(pixels, ExactModel().decode(latents), rtol=0, atol=1e-6)
    assert steps == [{"vae_window": 512}] and sides(guard) == 1024


def test_networks_leave_the_device_before_all_of_the_model_gets_windows():
    steps, ways = [], iter(["model", "group"])
    guard = Guard(ExactModel(), 1024, Relief(offload=lambda: next(ways, None), told=lambda **step: steps.append(step)))
    guard.finite(failing(OUT, OUT, OUT), BOX)
    assert steps == [{"offload": "model"}, {"offload": "group"}, {"window": 512}]


def test_where_decoding_fails_in_the_smallest_windows_networks_leave_and_then_it_ends():
    steps, ways = [], iter(["model"])
    relief = Relief(offload=lambda: next(ways, None), told=lambda **step: steps.append(step))
    guard = Guard(_failing_decode(ExactModel(), 1), 512, relief)
    with pytest.raises(ScumbleError, match=f"even in windows of {SMALLEST_WINDOW}"):
        guard.finite(lambda: guard.decode(torch.rand(1, 12, 256, 256)), BOX)
    assert steps == [{"vae_window": 256}, {"offload": "model"}, {"window": 256}]


def test_what_was_learnt_is_where_a_guard_begins():
    assert sides(Guard(ExactModel(), 1024, Relief(window=512))) <= 512
    guard = Guard(_failing_decode(ExactModel(), 260), 1024, Relief(vae_window=512, told=pytest.fail))
    guard.finite(lambda: guard.decode(torch.rand(1, 12, 512, 512)), BOX)
