"""RefineRequest: one value that says what was asked, checked once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble_core.errors import RequestError
from scumble_core.request import RANGES, RefineRequest


def test_the_defaults_are_a_valid_request() -> None:
    assert RefineRequest.from_dict({}) == RefineRequest.from_dict(RefineRequest().to_dict()) == RefineRequest()


@given(scale=st.floats(0.1, 10), seed=st.integers(0, 2**64 - 1), prompt=st.text())
def test_a_request_survives_json(scale: float, seed: int, prompt: str) -> None:
    request = RefineRequest(scale=scale, seed=seed, prompt=prompt)
    assert RefineRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


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
