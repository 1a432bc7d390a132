import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.settings import Settings
from scumble_core.request import RefineRequest

settings = st.builds(
    Settings,
    source=st.sampled_from(["canvas", "layer", "selection"]),
    destination=st.sampled_from(["enlarge", "new", "keep"]),
    prompt=st.text(max_size=30),
    scale=st.floats(0.1, 10),
    strength=st.floats(0, 1),
    seed=st.integers(0, 2**31 - 1),
)


@given(settings)
def test_settings_come_back_from_json_as_they_were(value):
    assert Settings.from_json(value.to_json()) == value


@given(settings)
def test_every_setting_is_a_request_that_the_core_takes(value):
    request = RefineRequest.from_dict(value.request(16, 8))
    assert (request.scale, request.strength, request.seed) == (value.scale, value.strength, value.seed)
    assert request.keep_size == value.keeps_size
    assert (request.origin_x, request.origin_y) == (16, 8)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"scale": "large"}', '{"source": "moon"}', '{"seed": 1.5}'])
def test_whatever_can_not_be_read_is_left_at_its_default(text):
    assert Settings.from_json(text) == Settings()


def test_a_selection_always_keeps_its_size():
    assert Settings(source="selection", destination="enlarge").keeps_size
    assert not Settings(source="canvas", destination="enlarge").keeps_size
