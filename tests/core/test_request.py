"""RefineRequest: one value that says what was asked, checked once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.errors import RequestError
from scumble_core.presets import PRESETS
from scumble_core.request import RANGES, Lora, RefineRequest


def test_the_defaults_are_a_valid_request() -> None:
    assert RefineRequest.from_dict({}) == RefineRequest.from_dict(RefineRequest().to_dict()) == RefineRequest()


@given(scale=st.floats(0.1, 10), seed=st.integers(0, 2**64 - 1), prompt=st.text())
def test_a_request_survives_json(scale: float, seed: int, prompt: str) -> None:
    request = RefineRequest(scale=scale, seed=seed, prompt=prompt)
    assert RefineRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_loras_come_as_objects_and_survive_json() -> None:
    asked = {"loras": [{"id": "a", "weight": 1}, {"id": "/b.safetensors", "weight": -0.35, "new": True}]}
    request = RefineRequest.from_dict(asked)
    assert request.loras == (Lora("a", 1.0), Lora("/b.safetensors", -0.35))
    assert request.to_dict()["loras"] == [{"id": "a", "weight": 1.0}, {"id": "/b.safetensors", "weight": -0.35}]
    assert RefineRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


@pytest.mark.parametrize(
    "loras",
    [
        {"a": 1}, [["a", 1]], [{"id": "a"}], [{"id": "", "weight": 1}], [{"id": 3, "weight": 1}],
        [{"id": "a", "weight": "1"}], [{"id": "a", "weight": True}], [{"id": "a", "weight": 11}],
        [{"id": "a", "weight": float("nan")}], [{"id": "a", "weight": 1}] * 17,
    ],
)  # fmt: skip
def test_loras_that_are_none_are_refused(loras: object) -> None:
    with pytest.raises(RequestError, match="loras"):
        RefineRequest.from_dict({"loras": loras})


def test_loras_that_a_prompt_calls_are_taken_out_of_it_and_added_to_the_others() -> None:
    asked = {
        "prompt": "<lora:Ink_Wash:0.8> a tree, (bark:1.2) <LORA:moss>", "loras": [{"id": "a", "weight": 0.5}],
        "regions": [{"prompt": "a pond<lyco:fog:-.5>"}, {"prompt": "a <b:c> d"}],
    }  # fmt: skip
    request = RefineRequest.from_dict(asked)
    assert request.prompt == "a tree, (bark:1.2)"
    assert [region.prompt for region in request.regions] == ["a pond", "a <b:c> d"]
    assert request.loras == (Lora("a", 0.5), Lora("Ink_Wash", 0.8), Lora("moss", 1.0), Lora("fog", -0.5))
    assert RefineRequest.from_dict(request.to_dict()) == request


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("<lora:ink:much>", "wants the LoRA 'ink' with the weight 'much'"),
        ("<lora:ink:0.5:0.7>", "with the weight '0.5:0.7'"), ("<lora:ink:99>", r"loras\[0\].weight is 99.0"),
        ("<lora:ink:nan>", r"loras\[0\].weight is nan"), ("<lora:a>" * 17, "at most 16"),
    ],
)  # fmt: skip
def test_a_weight_that_a_prompt_can_not_mean_is_refused(prompt: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        RefineRequest.from_dict({"prompt": prompt})


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_takes_loras_and_another_autoencoder(preset: str) -> None:
    asked = {"preset": preset, "loras": [{"id": "a", "weight": 0.5}], "vae": "b"}
    assert RefineRequest.from_dict(asked).loras == (Lora("a", 0.5),)


@pytest.mark.parametrize("name", sorted(RANGES))
def test_a_value_out_of_range_is_named_with_its_range(name: str) -> None:
    low, high = RANGES[name]
    for value in (
        type(getattr(RefineRequest(), name))(low) - 8,
        type(getattr(RefineRequest(), name))(high) + 8,
    ):
        with pytest.raises(RequestError) as caught:
            RefineRequest.from_dict({name: value})
        assert all(part in caught.value.message for part in (name, repr(value), str(low), str(high)))
        assert caught.value.code == "bad_request"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", float("nan")),
        ("scale", float("inf")),
        ("scale", 10**400),
        ("scale", "2"),
        ("scale", True),
        ("seed", 1.5),
        ("prompt", None),
        ("first_pass", 1),
        ("origin_x", 4),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(RequestError, match=name):
        RefineRequest.from_dict({name: value})


def test_zero_leaves_the_choice_to_the_preset_and_unknown_fields_are_ignored() -> None:
    assert RefineRequest.from_dict({"tile_size": 0, "guidance": 0, "from_the_future": 1}) == RefineRequest()


def test_an_unknown_sampler_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(RequestError, match=r"sampler is 'fast', but must be one of euler, "):
        RefineRequest.from_dict({"sampler": "fast"})


# What every preset's own defaults are, and a value that may be asked of it.
ADVANCED = {"first_pass_strength": 0.5, "steps": 1000, "guidance": 0.0, "sampler": "euler", "schedule": "karras"}
ASKED = {
    "scumble": {"tile_size": 512, "skip_flat": False, "regions": [{"prompt": "a hand"}]},
    "mikey": {"tiler_model": "refiner", "scale": 10, "seed": 2**64 - 1},
    "mikey-base-only": {"strength": 1.0, "start": "empty"},
    "mikey-advanced": {**ADVANCED, "smooth_step": -1, "complexity": False},
    "mikey-advanced-base-only": {**ADVANCED, "tile_size": 4096},
}


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_each_preset_takes_its_own_inputs_and_survives_json(preset: str) -> None:
    request = RefineRequest.from_dict({"preset": preset, **ASKED[preset]})
    assert RefineRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


@pytest.mark.parametrize("preset", sorted(set(PRESETS) - {"scumble"}))
def test_what_a_preset_fixes_may_not_be_asked_of_it_in_silence(preset: str) -> None:
    assert RefineRequest.from_dict({"preset": preset}).scale == 1.0
    for name, value in (("overlap", 64), ("skip_flat", False), ("regions", [{"prompt": "a"}])):
        with pytest.raises(RequestError, match=f"{name} is .*{preset}"):
            RefineRequest.from_dict({"preset": preset, name: value})
    assert RefineRequest.from_dict({"preset": preset, "overlap": 0}).preset == preset


def test_the_reference_nodes_own_names_are_understood_and_named_in_errors() -> None:
    values = {"upscale_by": 1.5, "tiler_denoise": 0.4, "denoise_image": 0.2, "cfg": 8, "scheduler": "karras"}
    request = RefineRequest.from_dict({"preset": "mikey-advanced", **values})
    assert (request.scale, request.strength, request.first_pass_strength) == (1.5, 0.4, 0.2)
    assert (request.guidance, request.schedule) == (8.0, "karras")
    with pytest.raises(RequestError, match="upscale_by is 11"):
        RefineRequest.from_dict({"upscale_by": 11})


@pytest.mark.parametrize(
    ("preset", "name", "value", "says"),
    [
        ("mikey-advanced", "steps", 0, "between 1 and 1000"),
        ("mikey-advanced-base-only", "tile_size", 192, "between 256 and 4096"),
        ("mikey-advanced-base-only", "tile_size", 1000, "multiple of 64"),
        ("scumble", "guidance", 0.5, "between 1.0 and 30.0, or 0"),
        ("nosuch", "scale", 1, "preset is 'nosuch', but must be one of scumble, mikey"),
        ("scumble", "tiler_model", "third", "one of base, refiner, or empty"),
        ("scumble", "regions", "a", "regions is no list"),
        ("scumble", "regions", [{"mask": 1}], r"regions\[0\]"),
        ("scumble", "regions", [{"prompt": 1}], r"regions\[0\].prompt is 1"),
        ("scumble", "reseeded", [{"x": 0, "y": 0, "seed": -1}], r"reseeded\[0\].seed is -1"),
    ],
)
def test_each_presets_own_limits_are_named(preset: str, name: str, value: object, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        RefineRequest.from_dict({"preset": preset, name: value})
