"""The plugin's copy of what the core takes, held against the core's own."""

from dataclasses import fields

import pytest

from scumble.limits import CHOICES, EMPTY_IS_AUTO, METHODS, RANGES, ZERO_IS_AUTO, widest, within
from scumble.settings import Settings
from scumble_core import request as core
from scumble_core.presets import PRESETS

OURS = {field.name for field in fields(Settings)} & {field.name for field in fields(core.RefineRequest)} - {"preset"}


def test_every_preset_of_the_core_is_a_method_and_no_other():
    assert tuple(METHODS) == tuple(PRESETS)


def test_ranges_and_choices_are_the_cores():
    assert {name: core.RANGES[name] for name in RANGES} == RANGES
    assert {name: core.CHOICES[name] for name in CHOICES} == CHOICES
    assert OURS & core.ZERO_IS_AUTO == ZERO_IS_AUTO
    assert OURS & core.EMPTY_IS_AUTO == EMPTY_IS_AUTO


def test_every_number_of_the_settings_has_a_range():
    numbers = {name for name in OURS if type(getattr(Settings, name)) in (int, float)}
    assert numbers == set(RANGES)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_method_takes_what_the_cores_preset_takes_in_its_ranges(preset):
    method, theirs = METHODS[preset], PRESETS[preset]
    inputs = OURS if theirs.inputs is None else OURS & theirs.inputs
    assert {name for name in OURS if method.allows(name)} == inputs
    for name in RANGES:
        if method.allows(name):
            assert method.range(name) == theirs.ranges.get(name, core.RANGES[name])
            assert method.multiples.get(name, 1) == theirs.multiples.get(name, 1)


def test_defaults_are_those_of_the_core():
    assert {name: getattr(Settings, name) for name in OURS} == {
        name: getattr(core.RefineRequest, name) for name in OURS
    }


def test_a_value_is_brought_to_the_nearest_that_a_method_takes():
    only = METHODS["mikey-advanced-base-only"]
    assert [within(only, "tile_size", size) for size in (130, 700, 4096)] == [256, 704, 4096]
    assert within(METHODS["scumble"], "guidance", 100.0) == 30.0
    assert widest("guidance") == (0.0, 1000.0)
