"""What families and their variants mean for a plan: levels, spacing, steps, guidance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.models.detect import Found
from scumble_core.models.families import FAMILIES
from scumble_core.plan.passes import plan_walk
from scumble_core.request import RefineRequest
from scumble_core.sampling.levels import flow_levels, start_level, trailing, training_levels
from scumble_core.sampling.names import SAMPLER_NAMES, SCHEDULE_NAMES
from scumble_core.sampling.prediction import flow_sigmas
from scumble_core.sampling.sigmas import training_sigmas

EVERY = [
    facts for family in FAMILIES.values() for facts in (family.facts, *family.variants.values())
]  # fmt: skip


def found(family: str, variant: str = "", **detail) -> Found:
    return Found("/models/one.safetensors", "base", family, variant, "epsilon", detail=detail)


def walk(facts, strength=0.5, generates=False, **fields):
    return plan_walk(RefineRequest(**fields), facts, strength, generates, alone=True)


def test_the_plans_tables_are_the_models():
    np.testing.assert_allclose(flow_levels(3.0), flow_sigmas(3.0).double().numpy(), rtol=1e-5)
    # Near the top next to no signal is left, and what rounding leaves of it decides.
    np.testing.assert_allclose(
        training_levels(zero_snr=True)[:-1], training_sigmas(zero_snr=True)[:-1].double().numpy(), rtol=1e-5
    )


def test_distilled_models_walk_at_the_training_steps_they_were_distilled_for():
    turbo = FAMILIES["sdxl"].variants["turbo"]
    table = training_levels()
    assert walk(turbo, 1.0, generates=True).sigmas == pytest.approx([*table[[999, 749, 499, 249]], 0.0])
    assert walk(turbo).guidance == 1.0
    assert walk(turbo).calls() == walk(turbo).steps == 4


def test_a_flow_walks_in_even_steps_of_its_own_time():
    sigmas = np.array(walk(FAMILIES["z-image"].facts, 0.5, steps=5).sigmas)
    time = sigmas / (3.0 + sigmas)
    np.testing.assert_allclose(np.diff(time), -0.1, atol=2e-3)


def test_a_model_without_signal_at_the_top_does_not_spend_its_steps_there():
    facts = FAMILIES["sdxl"].facts_of(found("sdxl", zero_snr=True))
    sigmas = walk(facts, 1.0, generates=True, steps=8).sigmas
    assert sigmas[0] > 4000
    assert sum(sigma > 20 for sigma in sigmas) == 1


@pytest.mark.parametrize("facts", EVERY, ids=lambda facts: f"{facts.family}-{facts.sampler}-{facts.guidance}")
@given(strength=st.floats(0.01, 1.0), steps=st.integers(1, 60), schedule=st.sampled_from(["", *SCHEDULE_NAMES]))
def test_every_walk_has_its_steps_and_falls_from_its_strength(facts, strength, steps, schedule):
    planned = walk(facts, strength, steps=steps, schedule=schedule)
    assert planned.sampler in SAMPLER_NAMES
    assert len(planned.sigmas) == steps + 1
    assert planned.sigmas[0] == pytest.approx(start_level(facts.levels, strength * facts.reach))
    assert planned.sigmas[-1] == 0 and all(np.diff(planned.sigmas) < 0)
    assert facts.grid % facts.factor == 0 and facts.tile % facts.grid == 0


@given(st.floats(0.004, 14.6), st.integers(1, 200))
def test_trailing_steps_are_even_in_training_time(highest, steps):
    table = training_levels()
    highest = max(highest, float(table[0]))
    sigmas = trailing(table, highest, steps)
    assert len(sigmas) == steps + 1 and sigmas[0] == pytest.approx(highest) and all(np.diff(sigmas) < 0)
    places = np.interp(np.log(sigmas[:-1]), np.log(table), np.arange(1000))
    if places[0] + 1 >= 2 * steps:
        np.testing.assert_allclose(np.diff([*places, -1.0]), -(places[0] + 1) / steps, atol=1e-6)


def test_a_scheduler_with_few_steps_makes_a_model_one_of_few_steps():
    plain, few = (FAMILIES["sdxl"].facts_of(found("sdxl", **detail)) for detail in ({}, {"few_steps": True}))
    assert (plain.steps, plain.guidance, few.steps, few.guidance, few.spacing) == (8, 5.0, 4, 1.0, "trailing")


def test_an_artist_says_it_where_nothing_else_does():
    """A distilled checkpoint without metadata looks like any other: its few steps are chosen."""
    planned = walk(
        FAMILIES["sdxl"].facts, steps=4, guidance=1.0, sampler="euler_ancestral", schedule="sgm_uniform", strength=1.0
    )
    assert (planned.steps, planned.calls(), planned.sampler) == (4, 4, "euler_ancestral")


def test_z_images_scheduler_tells_turbo_from_what_it_was_distilled_from():
    turbo, base = (FAMILIES["z-image"].facts_of(found("z-image", shift=shift)) for shift in (3.0, 6.0))
    assert (turbo.guidance, turbo.flow_shift, base.guidance, base.flow_shift) == (1.0, 3.0, 4.0, 6.0)
