"""Schedules: the recorded ones to the bit, all of them by what their papers promise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from scumble_core.sampling.names import SCHEDULE_NAMES
from scumble_core.sampling.prediction import flow_sigmas
from scumble_core.sampling.schedules import SCHEDULES
from scumble_core.sampling.sigmas import nearest_timestep, training_sigmas

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "sigmas.npz"
EXACT = training_sigmas(torch.float64)
TABLE = training_sigmas()


@pytest.mark.parametrize("steps", [1, 2, 5, 20, 30, 32])
def test_the_exponential_schedule_and_its_timesteps_are_the_references(steps: int) -> None:
    sigmas = SCHEDULES["exponential"](EXACT, steps)
    with np.load(GOLDEN) as golden:
        np.testing.assert_array_equal(sigmas.numpy(), golden[f"exponential_{steps}"])
        np.testing.assert_array_equal(nearest_timestep(EXACT, sigmas[:-1]).numpy(), golden[f"timestep_{steps}"])


@pytest.mark.parametrize(("name", "levels"), [("karras", (0.791, 0.184, 0.049)), ("normal", (1.246, 0.596, 0.232))])
def test_schedules_meet_the_levels_measured_on_the_reference(name: str, levels: tuple[float, ...]) -> None:
    """Levels at steps 11, 15 and 18 of 20."""
    np.testing.assert_allclose(SCHEDULES[name](EXACT, 20)[[11, 15, 18]].numpy(), levels, atol=0.0006)


@pytest.mark.parametrize("name", SCHEDULE_NAMES)
@given(steps=st.integers(1, 300), shift=st.sampled_from([0.0, 1.0, 3.0]))
def test_every_schedule_falls_from_high_to_nothing(name: str, steps: int, shift: float) -> None:
    table = flow_sigmas(shift) if shift else TABLE
    sigmas = SCHEDULES[name](table, steps)
    assert sigmas.dtype == torch.float32 and torch.isfinite(sigmas).all()
    assert float(sigmas[-1]) == 0 and (sigmas.diff() < 0).all()
    assert float(sigmas[0]) <= float(table[-1]) * (1 + 1e-6)
    if name not in {"ddim_uniform", "beta"}:
        assert len(sigmas) == steps + 1
    if name != "ddim_uniform":
        assert float(sigmas[0]) == pytest.approx(float(table[-1]), rel=1e-6)


def test_the_tables_own_levels_are_taken_where_a_schedule_says_so() -> None:
    """Worked out by hand from the definitions: places in the table of 1,000 for 4 steps."""
    for name, places in {
        "simple": [999, 749, 499, 249],
        "ddim_uniform": [751, 501, 251, 1],
        "sgm_uniform": [999, 749.25, 499.5, 249.75],
        "normal": [999, 666, 333, 0],
    }.items():
        found = SCHEDULES[name](EXACT, 4)[:-1].double()
        expected = np.exp(np.interp(places, np.arange(1000), EXACT.log().numpy()))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, err_msg=name)


def test_the_beta_schedule_is_dense_at_both_ends_and_drops_what_falls_together() -> None:
    timesteps = nearest_timestep(EXACT, SCHEDULES["beta"](EXACT, 20)[:-1])
    gaps = -timesteps.diff()
    assert gaps[0] < gaps[len(gaps) // 2] and gaps[-1] < gaps[len(gaps) // 2]
    many = SCHEDULES["beta"](EXACT, 900)
    assert len(many) < 901 and (many.diff() < 0).all()


@pytest.mark.parametrize("steps", [1, 7, 20, 30, 100, 1000])
def test_the_beta_schedule_takes_the_quantiles_of_its_distribution(steps: int) -> None:
    places = np.rint(beta.ppf(1 - np.linspace(0, 1, steps, endpoint=False), 0.6, 0.6) * 999).astype(int)
    found = nearest_timestep(EXACT, SCHEDULES["beta"](EXACT, steps)[:-1])
    np.testing.assert_array_equal(found.numpy(), list(dict.fromkeys(places.tolist())))


@pytest.mark.parametrize("name", ["normal", "sgm_uniform"])
def test_a_rounded_table_moves_a_level_by_no_more_than_its_rounding(name: str) -> None:
    torch.testing.assert_close(SCHEDULES[name](TABLE, 20), SCHEDULES[name](EXACT, 20), rtol=3e-7, atol=0)


def test_the_names_that_a_request_may_use_are_those_there_are() -> None:
    assert sorted(SCHEDULE_NAMES) == sorted(SCHEDULES)
