import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.krita_plugin.strategies import settings

from scumble.host.contract import Placement, Wanted
from scumble.limits import METHODS, within
from scumble.prompts import Snippet
from scumble.settings import MOST_SEED, Lora, Settings, fresh_seed
from scumble_core.request import RefineRequest

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(settings)
def test_settings_come_back_from_json_as_they_were(value):
    assert Settings.from_json(value.to_json()) == value


@given(settings, st.sampled_from([field.name for field in fields(Settings)]), anything)
def test_one_bad_part_costs_no_other_and_what_is_read_is_a_request_that_the_core_takes(value, name, junk):
    values = json.loads(value.to_json())
    values[name] = junk
    read = Settings.from_json(json.dumps(values))
    assert replace(read, **{name: getattr(value, name)}) == value
    RefineRequest.from_dict(read.request(0, 0))


@given(settings)
def test_every_setting_is_a_request_that_the_core_takes(value):
    request = RefineRequest.from_dict(value.request(16, 8))
    method = METHODS[value.preset]
    assert request.preset == value.preset
    assert (request.scale, request.strength, request.seed) == (value.scale, value.strength, value.seed)
    assert (request.base, request.refiner, request.upscaler) == (value.base, value.refiner, value.upscalers)
    if method.allows("regions"):
        assert (request.restore, request.controlnet) == (value.restore, value.controlnet)
        assert [region.prompt for region in request.regions] == [region.prompt for region in value.regions]
    else:
        assert (request.restore, request.controlnet, request.regions) == ("none", "none", ())
    assert (request.prompt, request.negative_prompt) == value.words
    assert request.keep_size == value.keeps_size
    assert (request.origin_x, request.origin_y) == (16, 8)
    for name in ("steps", "guidance", "tile_size", "overlap", "colour_lock", "first_pass_strength"):
        asked = getattr(value, name)
        if method.allows(name) and asked:
            assert getattr(request, name) == within(method, name, asked)


def test_what_the_model_chooses_is_not_asked_for():
    asked = Settings(preset="mikey-advanced").request(0, 0)
    assert not {"steps", "guidance", "sampler", "schedule", "tile_size", "colour_lock"} & asked.keys()
    assert RefineRequest.from_dict(asked).steps == 30


def test_loras_are_sent_only_when_there_are_any():
    assert "loras" not in Settings().request(0, 0)
    assert Settings(loras=(Lora("/a.safetensors", 0.5),)).request(0, 0)["loras"] == [
        {"id": "/a.safetensors", "weight": 0.5}
    ]


def test_styles_are_in_the_words_that_are_sent_and_not_in_the_prompt():
    value = Settings(prompt="a cat", negative_prompt="dog", styles=(Snippet("Oil", "{prompt}, oil", "photo"),))
    asked = value.request(0, 0)
    assert (asked["prompt"], asked["negative_prompt"]) == ("a cat, oil", "dog, photo")
    assert value.prompt == "a cat"


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"scale": "large"}', '{"source": "moon"}', '{"seed": 1.5}', '{"strength": NaN}',
     '{"loras": [["a", 9]]}', '{"seed": -1}', '{"preset": "none"}', '{"group": 1}', "[" * 100_000],
)  # fmt: skip
def test_whatever_can_not_be_read_is_left_at_its_default(text):
    assert Settings.from_json(text) == Settings()


def test_a_selection_always_keeps_its_size():
    assert Settings(source="selection", destination="enlarge").keeps_size
    assert not Settings(source="canvas", destination="enlarge").keeps_size


def test_what_is_wanted_and_how_it_is_placed_are_parts_of_the_settings():
    value = Settings(source="layer", layer="{7}", destination="new", group=False, opacity=40)
    assert value.wanted == Wanted("layer", "{7}")
    assert value.placement == Placement("new", group=False, opacity=40)
    assert replace(value, source="canvas").wanted == Wanted("canvas")
    assert replace(value, source="selection").placement.destination == "keep"


def test_a_locked_seed_is_used_again_and_an_open_one_is_drawn_for_each_run():
    assert Settings(seed=5, seed_locked=True).for_run(lambda: 9).seed == 5
    assert Settings(seed=5, seed_locked=False).for_run(lambda: 9).seed == 9
    assert 0 <= fresh_seed() <= MOST_SEED == 2**64 - 1
