"""The four presets' phases, as the nodes have them, and how a schedule is cut."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.mikey.phases import Phase, Settings, first_phases, tile_phase
from scumble_core.mikey.slicing import phase_sigmas, slice_sigmas
from scumble_core.sampling.names import SAMPLER_NAMES, SCHEDULE_NAMES
from scumble_core.sampling.sigmas import training_sigmas

TABLE = training_sigmas(torch.float64)
TILED = ("mikey", "mikey-base-only", "mikey-advanced")


def test_base_then_refiner() -> None:
    base, refiner = first_phases("mikey", Settings(steps=99, cfg=99, denoise_image=0.1))
    assert base == Phase("base", "dpmpp_3m_sde", "exponential", 30, 6.5, 0, 14, 0, True, False)
    assert refiner == Phase("refiner", "dpmpp_3m_sde", "exponential", 32, 3.5, 15, 32, 0, False, True)
    levels = [phase_sigmas(TABLE, phase) for phase in (base, refiner)]
    # The handover, as measured on the reference.
    assert float(levels[0][-1]) == pytest.approx(0.7268, abs=1e-4)
    assert float(levels[1][0]) == pytest.approx(0.7218, abs=1e-4)


def test_the_base_again_with_the_next_seed_in_the_refiners_place() -> None:
    first, second = first_phases("mikey-base-only", Settings())
    assert (first.cfg, second.cfg) == (5.0, 9.5)
    assert (second.role, second.seed_offset, second.steps, second.first, second.adds_noise) == (
        "base",
        1,
        32,
        15,
        False,
    )


@pytest.mark.parametrize(
    ("steps", "denoise", "first", "last"),
    [(30, 1.0, 0, 14), (30, 0.9, 3, 15), (30, 0.5, 15, 15), (30, 0.4, 18, 29), (31, 1.0, 0, 14), (31, 0.7, 9, 15)],
)
def test_the_advanced_node_hands_over_halfway_or_at_the_end(steps: int, denoise: float, first: int, last: int) -> None:
    settings = Settings(steps=steps, smooth_step=3, cfg=4.0, sampler="euler", schedule="karras", denoise_image=denoise)
    base, refiner = first_phases("mikey-advanced", settings)
    assert base == Phase("base", "euler", "karras", steps, 4.0, first, last, 0, True, False)
    assert refiner == Phase("refiner", "euler", "karras", steps + 3, 4.0, last + 1, steps + 3, 0, False, True)


def test_the_advanced_base_only_node_samples_once_or_not_at_all() -> None:
    (only,) = first_phases("mikey-advanced-base-only", Settings(steps=25, denoise_image=0.6, sampler="heun"))
    assert (only.role, only.sampler, only.steps, only.first, only.last) == ("base", "heun", 25, 10, 25)
    assert first_phases("mikey-advanced-base-only", Settings(denoise_image=0.0)) == ()


@pytest.mark.parametrize("preset", TILED)
def test_tiles_take_twenty_steps_and_start_where_the_slider_or_their_complexity_says(preset) -> None:
    settings = Settings(steps=99, cfg=1.5, sampler="euler", tiler_denoise=0.45)
    plain, simple = tile_phase(preset, settings), tile_phase(preset, settings, score=7.0)
    assert plain == Phase("base", "dpmpp_3m_sde", "exponential", 20, 7.0, 11, 20)
    assert simple.first == 15


def test_the_tiler_model_counts_where_there_are_two() -> None:
    settings = Settings(tiler_model="refiner")
    assert tile_phase("mikey", settings).role == tile_phase("mikey-advanced", settings).role == "refiner"
    assert tile_phase("mikey-base-only", settings).role == "base"


def test_the_advanced_base_only_tiles_take_the_users_own_settings_and_no_complexity() -> None:
    settings = Settings(steps=40, cfg=3.0, sampler="lcm", schedule="beta", tiler_denoise=0.5)
    phase = tile_phase("mikey-advanced-base-only", settings, score=1.0)
    assert phase == Phase("base", "lcm", "beta", 40, 3.0, 20, 40)


def test_a_schedule_is_cut_as_the_engine_cuts_it() -> None:
    sigmas = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])

    def cut(first: int, last: int, full_denoise: bool) -> list[float] | None:
        found = slice_sigmas(sigmas, Phase("base", "euler", "normal", 5, 1.0, first, last, full_denoise=full_denoise))
        return None if found is None else found.tolist()

    assert cut(1, 3, False) == [4, 3, 2]
    assert cut(1, 3, True) == [4, 3, 0]
    assert cut(1, 5, False) == cut(1, 9, True) == [4, 3, 2, 1, 0]
    assert cut(5, 5, True) is None and cut(3, 3, False) is None and cut(0, -1, False) is None
    assert sigmas.tolist() == [5, 4, 3, 2, 1, 0]


@given(
    steps=st.integers(1, 60),
    smooth=st.integers(-1, 100),
    denoise=st.floats(0, 1),
    sampler=st.sampled_from(SAMPLER_NAMES),
    schedule=st.sampled_from(SCHEDULE_NAMES),
)
def test_whatever_is_asked_every_phase_is_a_fall_or_nothing(
    steps: int, smooth: int, denoise: float, sampler: str, schedule: str
) -> None:
    settings = Settings(steps, smooth, 7.0, sampler, schedule, denoise, denoise)
    for preset in (*TILED, "mikey-advanced-base-only"):
        for phase in (*first_phases(preset, settings), tile_phase(preset, settings)):
            sigmas = phase_sigmas(TABLE, phase)
            assert sigmas is None or (len(sigmas) >= 2 and (sigmas.diff() < 0).all())


def test_unipc_skips_the_last_level_above_nothing_as_the_engine_does() -> None:
    whole = phase_sigmas(TABLE, Phase("base", "euler", "normal", 6, 1.0, 0, 6))
    skipped = phase_sigmas(TABLE, Phase("base", "uni_pc", "normal", 5, 1.0, 0, 5))
    assert skipped.tolist() == [*whole.tolist()[:-2], 0]


def test_what_a_plan_needs_of_the_presets_starts_without_torch() -> None:
    code = "import sys; from scumble_core.mikey import complexity, phases, scale, tiles; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
